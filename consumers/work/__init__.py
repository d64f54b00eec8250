"""The work queue, its leases, and the child processes that do the work under limits."""
