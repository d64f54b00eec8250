"""Which answers of Kafka are refusals: definite, so that nothing of what was sent is in the log."""

from aiokafka import errors
from aiokafka.errors import KafkaError


class InvalidRecordError(errors.BrokerResponseError):  # type: ignore[misc]  # aiokafka has no types
    """The broker's validation of records failed, such as one without a key on a compacted topic."""

    errno = 87
    message = "INVALID_RECORD"
    description = "This record has failed the validation on the broker and hence be rejected."


# aiokafka does not know this code, and would call it an unknown error, which may be anything.
errors.kafka_errors.setdefault(InvalidRecordError.errno, InvalidRecordError)

# Of a batch, for something in it.
OF_RECORDS: tuple[type[KafkaError], ...] = (
    errors.MessageSizeTooLargeError,
    errors.RecordListTooLargeError,
    errors.CorruptRecordException,
    errors.UnsupportedForMessageFormatError,
    InvalidRecordError,
)
# Of whatever is sent to the topic. The time is the relay's own, so it is wrong for all or none.
OF_TOPICS: tuple[type[KafkaError], ...] = (
    errors.TopicAuthorizationFailedError,
    errors.UnknownTopicOrPartitionError,
    errors.InvalidTopicError,
    errors.PolicyViolationError,
    errors.InvalidTimestampError,
)

HINTS: dict[type[KafkaError], str] = {
    errors.InvalidTimestampError: "is the clock of the relay's host, or of Kafka's, right?",
    errors.MessageSizeTooLargeError: "is the topic's max.message.bytes at least 1 MiB?",
    errors.UnknownTopicOrPartitionError: "`headrace topics` makes it",
    errors.TopicAuthorizationFailedError: "may the relay write to it?",
}


def said(error: KafkaError) -> str:
    """Say what Kafka answered, and what to look at."""
    hint = HINTS.get(type(error))
    name = getattr(error, "message", None) or type(error).__name__
    return f"{name} ({hint})" if hint else str(name)
