"""What the routes of sources answer, for the OpenAPI document."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, JsonValue

from producers.webhooks.sources.source import Action
from producers.webhooks.verification.schemes import SchemeName


class ShownSource(BaseModel):
    """A source.

    `secret` and `warnings` about it are in the answer that makes it only; a repeated answer has a
    `note` that the secret is not shown again.
    """

    id: UUID
    name: str
    scheme: SchemeName
    options: dict[str, JsonValue]
    action: Action
    mapping_version: int
    version: int
    paused: bool
    url: str
    created_at: AwareDatetime
    updated_at: AwareDatetime
    secret: str | None = None
    note: str | None = None
    warnings: list[str] | None = None


class RotatedSource(ShownSource):
    """A source with its new secret, and the time at which the old one ends."""

    previous_secret_ends_at: AwareDatetime


class ForwardedPayload(BaseModel):
    """The payload would be published, and nothing else."""

    kind: Literal["forward"]


class StartedTraining(BaseModel):
    """The payload would start this training."""

    kind: Literal["command"]
    dataset_id: str
    target: str
    model: str
    options: dict[str, JsonValue]


class GatheredRows(BaseModel):
    """The payload would add these rows."""

    kind: Literal["rows"]
    dataset: str
    rows: list[dict[str, JsonValue]]


class DryRunResult(BaseModel):
    """What a payload would become under a version of the mapping."""

    mapping_version: int
    becomes: Annotated[
        ForwardedPayload | StartedTraining | GatheredRows, Field(discriminator="kind")
    ]
