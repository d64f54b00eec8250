"""What the tests of several folders are run with."""
