"""What the route of usage answers, for the OpenAPI document."""

from datetime import date

from pydantic import BaseModel


class UsageSum(BaseModel):
    """The usage of a meter in one window; `records` is how many usage records were added up."""

    meter: str
    window_start: date
    value: float
    unit: str
    records: int
