"""A source: who may send to a URL, and what becomes of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self
from uuid import UUID

import jmespath
from pydantic import (
    AfterValidator,
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
from schemas.jobs import NewOptions

# What an expression costs is bounded where it is applied. Here only what it costs to read it: each
# level is two frames of the parser's and two of the interpreter's stack, and 16 KiB are parsed in
# about 25 ms.
MOST_LEVELS = 100
MOST_ACTION_CHARACTERS = 16 << 10


def _compiles(expression: str) -> str:
    try:
        level: list[Any] = [jmespath.compile(expression).parsed]
    except (jmespath.exceptions.JMESPathError, RecursionError) as error:
        raise ValueError(f"not a JMESPath expression: {error}") from None
    for _ in range(MOST_LEVELS):
        # A slice has numbers, or None, for children.
        level = [child for node in level for child in node["children"] if isinstance(child, dict)]
        if not level:
            return expression
    raise ValueError(f"nested or chained more than {MOST_LEVELS} levels deep")


Expression = Annotated[
    str,
    StringConstraints(min_length=1, max_length=2000, pattern=r"^[^\x00]+$"),
    AfterValidator(_compiles),
    Field(json_schema_extra={"format": "jmespath"}),
]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}$")]
Column = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,99}$")]


class Forward(BaseModel):
    """Only publish the normalized event."""

    model_config = ConfigDict(extra="forbid")
    kind: Literal["forward"] = "forward"


class TrainMapping(BaseModel):
    """Where in the payload each part of a training job is, as JMESPath expressions (a literal is
    `'text'`).
    """

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
    """When waiting rows become a version: after so many rows, or so many seconds after the first.

    `window` says which earlier rows the version has.
    """

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
    options: NewOptions = Field(default_factory=dict)


class Rows(BaseModel):
    """Gather rows of a dataset from payloads.

    Each column is an expression over the row that `each` gives.
    """

    model_config = ConfigDict(extra="forbid")
    kind: Literal["rows"]
    dataset: Name
    each: Expression | None = None
    columns: Annotated[dict[Column, Expression], Field(min_length=2, max_length=100)]
    seal: Seal = Field(default_factory=Seal)
    train: RowsTraining | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.train is not None and self.train.target not in self.columns:
            raise ValueError(f"the target {self.train.target!r} is none of the columns")
        characters = len(self.each or "") + sum(len(one) for one in self.columns.values())
        if characters > MOST_ACTION_CHARACTERS:
            raise ValueError(
                f"the expressions have {characters} characters together, "
                f"{MOST_ACTION_CHARACTERS} are allowed"
            )
        return self


Action = Annotated[Forward | Command | Rows, Field(discriminator="kind")]
Secret = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00]+$")]


class NewSource(BaseModel):
    """The body of `POST /v1/sources`; `options` are the scheme's (`hmac` and `password` have
    some).
    """

    model_config = ConfigDict(extra="forbid")
    name: Name
    scheme: SchemeName = "standard_webhooks"
    secret: Secret | None = None
    options: dict[str, JsonValue] = Field(default_factory=dict)
    action: Action = Field(default_factory=Forward)


class ChangedSource(BaseModel):
    """The body of `PATCH /v1/sources/{id}`: what is left out stays."""

    model_config = ConfigDict(extra="forbid")
    name: Name | None = None
    options: dict[str, JsonValue] | None = None
    action: Action | None = None
    paused: StrictBool | None = None


class Rotation(BaseModel):
    """The body of `rotate-secret`: how long the secret before is good for, a day if nothing is
    said.
    """

    model_config = ConfigDict(extra="forbid")
    secret: Secret | None = None
    grace_seconds: Annotated[int, Field(ge=0, le=30 * 86400, strict=True)] = 86400


class DryRun(BaseModel):
    """The body of `dry-run`: a payload, and another action to try it with."""

    model_config = ConfigDict(extra="forbid")
    # Not JsonValue: it takes no half of a surrogate pair, which a webhook may have where no mapping
    # looks.
    payload: Any
    action: Action | None = None


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
        found = "; ".join(
            f"{'.'.join(map(str, one['loc'])) or 'options'}: {one['msg']}"
            for one in error.errors()[:5]
        )
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


def shown_secret(scheme: SchemeName, secret: str) -> dict[str, Any]:
    """A new secret as it is answered once, with what its owner should know about it."""
    warning = BY_NAME[scheme].warn_secret(secret)
    return {"secret": secret} if warning is None else {"secret": secret, "warnings": [warning]}


def known_source(
    row: Mapping[str, Any], secrets: tuple[str, ...], limits: SourceLimits
) -> KnownSource:
    """A source's row with its opened secrets, ready to judge requests."""
    scheme = BY_NAME[row["scheme"]]
    options = options_of(row["scheme"], row["options"])
    return KnownSource(
        row["tenant_id"],
        row["id"],
        row["name"],
        row["scheme"],
        secrets,
        scheme.verifier(options),
        scheme.kept_headers(options),
        row["paused"],
        limits,
    )
