"""Limits by name, and what is in force for a tenant: pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from producers.webhooks.rates import Rate


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit; its name is also that of the setting that holds where a tenant has none of its
    own.

    The limits of one delivery can only be lowered: the endpoint reads a body before it knows whose
    it is.
    """

    name: str
    unit: str
    whole: bool = False
    only_lower: bool = False


LIMITS = (
    Limit("max_webhook_bytes", "bytes", whole=True, only_lower=True),
    Limit("max_webhook_depth", "levels of JSON", whole=True, only_lower=True),
    Limit("webhook_rate_per_source", "webhooks a second"),
    Limit("webhook_rate_per_tenant", "webhooks a second"),
    Limit("webhook_burst_seconds", "seconds of a rate at once"),
    Limit("api_rate_per_tenant", "requests a second"),
    Limit("api_burst_seconds", "seconds of a rate at once"),
    Limit("tenant_storage_bytes", "bytes in the object store", whole=True),
)
BY_NAME = {limit.name: limit for limit in LIMITS}


@dataclass(frozen=True, slots=True)
class InForce:
    """One limit as it holds, and where it comes from: `tenant` or `settings`."""

    limit: Limit
    value: float
    origin: str


@dataclass(frozen=True, slots=True)
class SourceLimits:
    """What holds for the deliveries of one source."""

    max_bytes: int
    max_depth: int
    per_source: Rate
    per_tenant: Rate


def in_force(settings: Mapping[str, float], own: Mapping[str, float]) -> list[InForce]:
    """Every limit for a tenant.

    A name in `own` that is unknown here is another version's, and passed over.
    """
    return [_one(limit, settings[limit.name], own.get(limit.name)) for limit in LIMITS]


def _one(limit: Limit, setting: float, own: float | None) -> InForce:
    if own is None or (limit.only_lower and own > setting):
        return InForce(limit, setting, "settings")
    return InForce(limit, int(own) if limit.whole else own, "tenant")


def source_limits(settings: Mapping[str, float], own: Mapping[str, float]) -> SourceLimits:
    """The same limits as the webhook endpoint needs them."""
    value = {one.limit.name: one.value for one in in_force(settings, own)}
    burst = value["webhook_burst_seconds"]
    return SourceLimits(
        int(value["max_webhook_bytes"]),
        int(value["max_webhook_depth"]),
        _rate(value["webhook_rate_per_source"], burst),
        _rate(value["webhook_rate_per_tenant"], burst),
    )


def api_rate(settings: Mapping[str, float], own: Mapping[str, float]) -> Rate:
    """How often a tenant may ask the API."""
    value = {one.limit.name: one.value for one in in_force(settings, own)}
    return _rate(value["api_rate_per_tenant"], value["api_burst_seconds"])


def _rate(per_second: float, burst_seconds: float) -> Rate:
    return Rate(per_second, max(1, int(per_second * burst_seconds)))
