"""The object store with its limits: who has how much in it, and what nobody needs any more."""
