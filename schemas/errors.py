"""What more than one package raises. Which HTTP status a refusal becomes is the edge's business."""

from pydantic import BaseModel, JsonValue

UNEXPECTED = "Headrace failed unexpectedly; its log has the reason under this trace id."


class Problem(BaseModel):
    """The one shape of every error answer."""

    code: str
    message: str
    trace_id: str
    details: dict[str, JsonValue] = {}


class Refusal(Exception):
    """Asked for something that cannot be had; says why and what to do."""

    def __init__(self, code: str, message: str, **details: JsonValue) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details


class Tripped(Exception):
    """Too much fails, or the consumer was paused meanwhile: what is in hand must be rolled back."""

    def __init__(self, reason: str | None) -> None:
        super().__init__(reason or "paused meanwhile")
        self.reason = reason
