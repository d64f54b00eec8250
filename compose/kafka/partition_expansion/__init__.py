"""Partitions added to a topic without losing the order of its keys."""

from compose.kafka.partition_expansion.expansion import check, growing
from compose.kafka.partition_expansion.progress import CannotGrow, TopicStatus, topic_statuses

__all__ = ["CannotGrow", "TopicStatus", "check", "growing", "topic_statuses"]
