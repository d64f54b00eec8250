"""A source: who may send to a URL, and what becomes of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self
from uuid import UUID

import jmespath
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StrictBool,
    StringConstraints,
    ValidationError,
    model_validator,
)

from producers.webhooks.limits.limit import SourceLimits
from producers.webhooks.verification.schemes import BY_NAME, SchemeName, options_of
from producers.webhooks.verification.verdict import Verify
from schemas.errors import Refusal
from schemas.jobs import Options

# How many times its payload an expression may give back. A list or an object that it makes holds the same once for each
# member, and `to_string` doubles what it quotes: thirty in a row would fill the memory of whoever applies them.
MOST_GROWTH = 100


def _compiles(expression: str) -> str:
    try:
        waiting: list[Any] = [jmespath.compile(expression).parsed]
    except (jmespath.exceptions.JMESPathError, RecursionError) as error:
        raise ValueError(f"not a JMESPath expression: {error}") from None
    growth = 1
    while waiting:
        node = waiting.pop()
        if node["type"] in ("multi_select_list", "multi_select_dict"):
            growth *= max(1, len(node["children"]))
        elif node["type"] == "function_expression" and node["value"] == "to_string":
            growth *= 2
        if growth > MOST_GROWTH:
            raise ValueError(f"may give back more than {MOST_GROWTH} times its payload: make fewer lists and objects")
        waiting.extend(child for child in node["children"] if isinstance(child, dict))  # a slice has numbers, or None
    return expression


Expression = Annotated[
    str, StringConstraints(min_length=1, max_length=2000, pattern=r"^[^\x00]+$"), AfterValidator(_compiles),
    Field(json_schema_extra={"format": "jmespath"}),
]  # fmt: skip
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}$")]
Column = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,99}$")]


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


class Seal(BaseModel):
    """When open rows become a version: so many of them, or so long after the first; and what else it holds."""

    model_config = ConfigDict(extra="forbid")
    every_rows: Annotated[int, Field(ge=1, le=100_000)] = 1000
    every_seconds: Annotated[int, Field(ge=10, le=30 * 86400)] = 3600
    window: Literal["all", "batch"] = "all"
    window_rows: Annotated[int, Field(ge=1, le=100_000)] = 100_000


class RowsTraining(BaseModel):
    """The training that each sealed version starts."""

    model_config = ConfigDict(extra="forbid")
    target: Column
    model: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
    options: Options = Field(default_factory=dict)


class Rows(BaseModel):
    """Gather rows of a data set from payloads; each column is an expression over the row that `each` gives."""

    model_config = ConfigDict(extra="forbid")
    kind: Literal["rows"]
    dataset: Name
    each: Expression | None = None
    columns: Annotated[dict[Column, Expression], Field(min_length=2, max_length=100)]
    seal: Seal = Seal()
    train: RowsTraining | None = None

    @model_validator(mode="after")
    def _target_is_a_column(self) -> Self:
        if self.train is not None and self.train.target not in self.columns:
            raise ValueError(f"the target {self.train.target!r} is none of the columns")
        return self


Action = Annotated[Forward | Command | Rows, Field(discriminator="kind")]
Secret = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00]+$")]


class NewSource(BaseModel):
    """The body of `POST /v1/sources`; `options` are the scheme's (`hmac` and `password` have some)."""

    model_config = ConfigDict(extra="forbid")
    name: Name
    scheme: SchemeName = "standard_webhooks"
    secret: Secret | None = None
    options: dict[str, JsonValue] = Field(default_factory=dict)
    action: Action = Forward()


class ChangedSource(BaseModel):
    """The body of `PATCH /v1/sources/{id}`: what is left out stays."""

    model_config = ConfigDict(extra="forbid")
    name: Name | None = None
    options: dict[str, JsonValue] | None = None
    action: Action | None = None
    paused: StrictBool | None = None


class Rotation(BaseModel):
    """The body of `rotate-secret`: how long the secret before is good for, a day if nothing is said."""

    model_config = ConfigDict(extra="forbid")
    secret: Secret | None = None
    grace_seconds: Annotated[int, Field(ge=0, le=30 * 86400, strict=True)] = 86400


class DryRun(BaseModel):
    """The body of `dry-run`: a payload, and another action to try it with."""

    model_config = ConfigDict(extra="forbid")
    payload: JsonValue
    action: Action | None = None


class ShownSource(BaseModel):
    """A source as it is answered, for the OpenAPI document; `secret` when it is new only."""

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


@dataclass(frozen=True, slots=True)
class KnownSource:
    """What the hot route needs of a source."""

    tenant: UUID
    id: UUID
    name: str
    scheme: str
    secrets: tuple[str, ...]
    verify: Verify
    kept_headers: tuple[str, ...] = ()
    paused: bool = False
    limits: SourceLimits | None = None


def checked_options(scheme: SchemeName, given: Mapping[str, Any]) -> dict[str, Any]:
    """A source's options as they are stored; raises Refusal `invalid_options`."""
    try:
        options = options_of(scheme, given)
    except ValidationError as error:
        found = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'options'}: {one['msg']}" for one in error.errors()[:5])
        raise Refusal("invalid_options", found) from None
    except ValueError as error:
        raise Refusal("invalid_options", str(error)) from None
    return {} if options is None else options.model_dump(mode="json", exclude_none=True)


def checked_secret(scheme: SchemeName, given: str | None, randomness: bytes) -> tuple[str, str]:
    """The secret to show, and what of it is kept; raises Refusal `invalid_secret`."""
    known = BY_NAME[scheme]
    secret = given or known.generate_secret(randomness)
    error = known.check_secret(secret)
    if error is not None:
        raise Refusal("invalid_secret", error)
    return secret, known.kept_secret(secret)


def known_source(row: Mapping[str, Any], secrets: tuple[str, ...], limits: SourceLimits) -> KnownSource:
    """A source's row with its opened secrets, ready to judge requests."""
    scheme = BY_NAME[row["scheme"]]
    options = options_of(row["scheme"], row["options"])
    return KnownSource(
        row["tenant_id"], row["id"], row["name"], row["scheme"], secrets, scheme.verifier(options),
        scheme.kept_headers(options), row["paused"], limits,
    )  # fmt: skip
