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
        """Return the topics to stop, after three such rounds.

        Those without a leader count always, others where something was confirmed beside them, or
        where one record alone took too long.

        Without a leader, or with too few replicas in sync, Kafka answers nothing that is definite;
        what has the lowest seq would be sent first for ever, and all others would wait for it.
        """
        is_alone = not error.sent.confirmed and not (error.slow and is_smallest)
        counted = error.leaderless if is_alone else error.unanswered | error.leaderless
        if not counted:
            return []
        self.rounds = Counter({topic: self.rounds[topic] + 1 for topic in counted})
        return sorted(topic for topic, rounds in self.rounds.items() if rounds >= MOST_ROUNDS)

    def confirmed(self) -> None:
        """Forget what was counted: a round was confirmed as a whole."""
        self.rounds.clear()
