"""What is removed when, as data, and the rounds that do it."""
