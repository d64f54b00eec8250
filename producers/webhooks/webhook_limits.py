"""What one delivery may be, and how often one may come."""

import time
from dataclasses import dataclass

from producers.webhooks.endpoint_responses import DeliveryRefused
from producers.webhooks.limits.limit import SourceLimits
from producers.webhooks.rates import Buckets, RateLimitState
from producers.webhooks.sources.source import KnownSource


@dataclass(frozen=True, slots=True)
class WebhookLimits:
    """What one delivery may be, and how often one may come."""

    max_bytes: int
    default: SourceLimits
    tolerance_seconds: int
    body_seconds: float
    identity_window_seconds: int
    sources: Buckets
    tenants: Buckets

    def take(self, source: KnownSource, own: SourceLimits) -> RateLimitState:
        """Take one webhook from the rates of its source and its tenant; raises Refused where one
        is used up.
        """
        now = time.monotonic()
        rate_limit = whole = self.sources.take(source.id, now, own.per_source)
        if rate_limit.wait_seconds == 0:
            whole = self.tenants.take(source.tenant, now, own.per_tenant)
        if whole.wait_seconds > 0:
            if whole is not rate_limit:
                self.sources.give_back(source.id)
            message = "Too many webhooks; wait as Retry-After says."
            raise DeliveryRefused(
                429, "rate_limited", message, reason="over its rate", headers=tuple(whole.headers())
            )
        return rate_limit
