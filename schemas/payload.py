"""What an event says: one frozen model per type and version, found by its type."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """A value inside an event.

    Unknown fields are passed over, so that a newer producer does not stop us.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        allow_inf_nan=False,
        populate_by_name=True,
        serialize_by_alias=True,
    )


class Payload(Frozen):
    """The `data` of one event type; a subclass says which in its class line."""

    TYPE: ClassVar[str]
    VERSION: ClassVar[int]

    def __init_subclass__(cls, *, type: str = "", version: int = 1) -> None:
        super().__init_subclass__()
        cls.TYPE = type
        cls.VERSION = version
