"""How often a tenant may ask the API: a token bucket for each, kept by each API process for
itself.
"""

import time
from collections.abc import Callable, Mapping

from producers.access.principal import Principal
from producers.webhooks.limits.limit import api_rate
from producers.webhooks.rates import Buckets, RateLimitState

TakeOne = Callable[[Principal], RateLimitState]
"""Takes one request of a principal's tenant; what is left of its rate."""


def api_rates(settings: Mapping[str, float]) -> TakeOne:
    """Buckets for all tenants; `settings` are the limits of those without their own."""
    buckets = Buckets(api_rate(settings, {}))

    def take(principal: Principal) -> RateLimitState:
        return buckets.take(
            principal.tenant, time.monotonic(), api_rate(settings, principal.limits)
        )

    return take
