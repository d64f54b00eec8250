"""The blocks of commands in README.md and docs/, as a reader would run them."""
