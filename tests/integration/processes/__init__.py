"""Processes as they are started."""
