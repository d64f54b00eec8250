"""What Kafka has lost, published again from the log in Postgres."""

from compose.kafka.restore.restoration import Progress, Restored, restoring
from compose.kafka.restore.survey import CannotRestore, TopicLoss

__all__ = ["CannotRestore", "Progress", "Restored", "TopicLoss", "restoring"]
