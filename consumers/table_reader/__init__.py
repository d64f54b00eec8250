"""How a dataset's file is read, by the child that validates it and the child that trains on it."""
