"""Which topics Kafka neither takes nor refuses, while it takes others: pure."""

from collections import Counter
from dataclasses import dataclass, field

from producers.outbox.ports import NotConfirmed

MOST_ROUNDS = 3


@dataclass
class StuckTopics:
    """Counts the rounds in a row in which nothing was said of a partition of a topic."""

    rounds: Counter[str] = field(default_factory=Counter)

    def after(self, error: NotConfirmed, *, is_smallest: bool) -> list[str]:
        """Return the topics to stop: others were confirmed beside them, or one record alone took too long.

        Without a leader, or with too few replicas in sync, Kafka answers nothing that is definite; what has the
        lowest seq would be sent first for ever, and all others would wait for it.
        """
        stuck = Counter({topic: self.rounds[topic] + 1 for topic in error.unanswered})
        if not error.sent.confirmed and not (error.slow and is_smallest):
            return []
        self.rounds = stuck
        return sorted(topic for topic, count in stuck.items() if count >= MOST_ROUNDS)

    def confirmed(self) -> None:
        """Forget what was counted: a round was confirmed as a whole."""
        self.rounds.clear()
