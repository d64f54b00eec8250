"""The reference of the settings in docs/settings.md: name, default, unit, meaning."""

from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from compose.reference.tables import table
from compose.settings import PREFIX, Settings

SIZES = ((30, "GiB"), (20, "MiB"), (10, "KiB"))
UNITS = {
    "bytes_per_second": "bytes a second",
    "bytes": "bytes",
    "seconds": "seconds",
    "days": "days",
    "ahead": "partitions",
    "depth": "levels",
    "connections": "connections",
    "requests": "requests",
    "rate_per_tenant": "a second",
    "rate_per_source": "a second",
    "slots": "processes",
    "pieces": "work items",
}
COMPUTED = {"object_store": "`objects` in the data directory"}


def settings_reference() -> str:
    """Every setting in a table."""
    rows = [
        (f"`{PREFIX}{name.upper()}`", _default(name, field), _unit(name), _meaning(field))
        for name, field in Settings.model_fields.items()
    ]
    return table(("setting", "default", "unit", "meaning"), rows)


def _default(name: str, field: FieldInfo) -> str:
    if name in COMPUTED:
        return COMPUTED[name]
    value = (
        field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
    )
    if value is None:
        return "not set"
    if isinstance(value, int) and name.endswith("bytes"):
        return f"`{value}` ({_size(value)})"
    if isinstance(value, float):
        return f"`{value:g}`"
    return f"`{value}`" if value != "" else "empty"


def _size(value: int) -> str:
    for shift, unit in SIZES:
        if value >= 1 << shift and value % (1 << shift) == 0:
            return f"{value >> shift} {unit}"
    return f"{value} bytes"


def _unit(name: str) -> str:
    return next((unit for end, unit in UNITS.items() if name.endswith(end)), "")


def _meaning(field: FieldInfo) -> str:
    limits = [f"at least {one.ge}" for one in field.metadata if _number(one, "ge") is not None]
    limits += [f"over {one.gt}" for one in field.metadata if _number(one, "gt") is not None]
    limits += [f"at most {one.le}" for one in field.metadata if _number(one, "le") is not None]
    choices = (
        getattr(field.annotation, "__args__", ()) if "Literal" in str(field.annotation) else ()
    )
    said = (field.description or "").replace("|", "\\|")
    if choices:
        said += f" One of {', '.join(f'`{one}`' for one in choices)}."
    return said + (f" ({', '.join(limits)})" if limits else "")


def _number(limit: Any, name: str) -> Any:
    return getattr(limit, name, None)
