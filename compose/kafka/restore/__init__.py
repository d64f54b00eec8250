"""What Kafka has lost, published again from the log in Postgres."""

from compose.kafka.restore.restoration import restoring
from compose.kafka.restore.result import Progress, Restored
from compose.kafka.restore.survey import CannotRestore, TopicLoss

__all__ = ["CannotRestore", "Progress", "Restored", "TopicLoss", "restoring"]
