"""Kinds of work that misbehave; only the entry point of these tests knows them."""
