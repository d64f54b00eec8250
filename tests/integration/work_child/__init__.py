"""Real child processes: what they finish, and every way in which they are stopped."""
