"""What uploads said of how a dataset is read, remembered for its name."""
