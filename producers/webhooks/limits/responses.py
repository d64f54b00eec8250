"""What the route of limits answers, for the OpenAPI document."""

from typing import Literal

from pydantic import BaseModel


class LimitInForce(BaseModel):
    """A limit as it applies to the tenant; `used` where it is of something that is stored."""

    name: str
    value: float
    unit: str
    origin: Literal["tenant", "settings"]
    used: int | None = None
