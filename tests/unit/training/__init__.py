"""Training without a child process: the plan, the task, the measures."""
