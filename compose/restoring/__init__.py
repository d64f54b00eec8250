"""What Kafka has lost, published again from the log in Postgres."""

from compose.restoring.restoration import Progress, Restored, restoring
from compose.restoring.survey import CannotRestore, TopicLoss

__all__ = ["CannotRestore", "Progress", "Restored", "TopicLoss", "restoring"]
