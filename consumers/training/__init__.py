"""Training: a stored plan, a scikit-learn pipeline fitted by it, and its measures.

Fitting runs in a child process.
"""
