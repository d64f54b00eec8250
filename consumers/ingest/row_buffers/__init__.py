"""Rows that gather, stream by stream, and are sealed into versions of a data set."""
