"""How a consumer or projection receives records: from its own positions, never from Kafka's
group offsets.
"""

from compose.kafka.subscription.ports import (
    AlwaysOpen,
    AnotherClusterError,
    Handle,
    LogWentBack,
    NeedsOperator,
    OutsideLogError,
    Partition,
    PauseCheck,
    Positions,
    StalledError,
    Timing,
)
from compose.kafka.subscription.subscription import Subscription

__all__ = [
    "AlwaysOpen",
    "AnotherClusterError",
    "Handle",
    "LogWentBack",
    "NeedsOperator",
    "OutsideLogError",
    "Partition",
    "PauseCheck",
    "Positions",
    "StalledError",
    "Subscription",
    "Timing",
]
