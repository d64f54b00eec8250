"""Replays: messages handled once more, each with an outcome and never a second effect."""
