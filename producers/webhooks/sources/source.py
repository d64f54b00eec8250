"""A source: who may send to a URL, and what becomes of it."""

from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import UUID

import jmespath
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints


def _compiles(expression: str) -> str:
    try:
        jmespath.compile(expression)
    except (jmespath.exceptions.JMESPathError, RecursionError) as error:
        raise ValueError(f"not a JMESPath expression: {error}") from None
    return expression


Expression = Annotated[
    str, StringConstraints(min_length=1, max_length=2000, pattern=r"^[^\x00]+$"), AfterValidator(_compiles)
]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}$")]


class Forward(BaseModel):
    """Only publish the normalized event."""

    model_config = ConfigDict(extra="forbid")
    kind: Literal["forward"] = "forward"


class TrainMapping(BaseModel):
    """Where in the payload each part of a training job stands, as JMESPath expressions (a literal is `'text'`)."""

    model_config = ConfigDict(extra="forbid")
    dataset_id: Expression
    target: Expression
    model: Expression
    options: Expression | None = None


class Command(BaseModel):
    """Start a job from the payload."""

    model_config = ConfigDict(extra="forbid")
    kind: Literal["command"]
    command: Literal["train"] = "train"
    mapping: TrainMapping


class NewSource(BaseModel):
    """The body of `POST /v1/sources`."""

    model_config = ConfigDict(extra="forbid")
    name: Name
    scheme: Literal["standard_webhooks"] = "standard_webhooks"
    secret: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    action: Annotated[Forward | Command, Field(discriminator="kind")] = Forward()


@dataclass(frozen=True, slots=True)
class KnownSource:
    """What the hot route needs of a source."""

    tenant: UUID
    id: UUID
    name: str
    scheme: str
    secrets: tuple[str, ...]
