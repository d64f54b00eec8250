"""The schemes by name."""

from producers.webhooks.verification import standard_webhooks
from producers.webhooks.verification.verdict import Verify

SCHEMES: dict[str, Verify] = {"standard_webhooks": standard_webhooks.verify}
