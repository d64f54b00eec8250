"""A running installation of an older release goes on under this code."""
