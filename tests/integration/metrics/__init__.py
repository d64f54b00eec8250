"""Figures of relay, workers and the database, as their processes show them."""
