"""Webhook deliveries as the door hands them to the group commit."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

from producers.outbox.accept import Acceptance
from producers.webhooks.normalize import acceptance
from producers.webhooks.sources.source import KnownSource
from producers.webhooks.verification import standard_webhooks
from producers.webhooks.verification.verdict import Genuine
from tests.factories import new_id


def known_source(name: str) -> KnownSource:
    """A source whose signatures nobody asks for."""
    return KnownSource(
        uuid4(), uuid4(), name, "standard_webhooks", ("unused",), standard_webhooks.verify
    )


@dataclass(frozen=True)
class Sender:
    """One source of one tenant."""

    source: KnownSource = field(default_factory=lambda: known_source("ci"))

    @property
    def id(self) -> UUID:
        """The source's id."""
        return self.source.id

    def delivery(
        self, message_id: str, body: bytes = b"{}", content_type: str = "application/json"
    ) -> Acceptance:
        """One request: ids of its own, however often the message was sent before."""
        return acceptance(
            self.source,
            body,
            content_type,
            Genuine(message_id),
            request_id=new_id(),
            event_id=new_id(),
            now=datetime.now(UTC),
            traceparent=None,
        )

    def unnamed(self, body: bytes, at: datetime) -> Acceptance:
        """One request of a sender that signs nothing and gives no id."""
        return acceptance(
            self.source,
            body,
            "application/json",
            Genuine(None, signed_id=False),
            request_id=new_id(),
            event_id=new_id(),
            now=at,
            traceparent=None,
            window_seconds=600,
        )

    def unstorable(self, message_id: str) -> Acceptance:
        """A delivery whose content type Postgres refuses."""
        whole = self.delivery(message_id)
        assert whole.claim is not None
        return whole._replace(claim=whole.claim._replace(content_type="application/\x00json"))
