"""Ingest: mapping, admission, and the validation of data sets."""
