"""Training: a stored plan, a scikit-learn pipeline fitted by it, and its measures; fitting runs in a child process."""
