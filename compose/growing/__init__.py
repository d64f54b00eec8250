"""Partitions added to a topic without losing the order of its keys."""

from compose.growing.growth import check, growing
from compose.growing.standing import CannotGrow, Standing, standings

__all__ = ["CannotGrow", "Standing", "check", "growing", "standings"]
