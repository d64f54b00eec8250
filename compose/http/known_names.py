"""What a route does not know is refused with the nearest known name: a misspelt filter must not
answer everything.
"""

import difflib
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Literal, get_args, get_origin

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from schemas.errors import Refusal


async def refuse_unknown_parameters(request: Request) -> None:
    """Raise Refusal `unknown_parameter` for a query parameter that the route does not have."""
    given = request.query_params
    if not given:
        return
    known = query_parameters(request.scope["route"])
    unknown = next((name for name in given if name not in known), None)
    if unknown is None:
        return
    what = f"known: {', '.join(known)}" if known else "this call has none"
    raise Refusal(
        "unknown_parameter",
        f"There is no parameter {unknown[:100]!r}{nearest(unknown, known)}; {what}.",
        parameter=unknown[:100],
        known=list(known),
    )


def query_parameters(route: APIRoute) -> tuple[str, ...]:
    """Return the names of all query parameters of a route, those of its dependencies too,
    sorted.
    """
    return tuple(sorted(set(_query_parameters(route.dependant))))


def _query_parameters(dependant: Dependant) -> Iterator[str]:
    for field in dependant.query_params:
        models = list(_models(field.field_info.annotation))
        yield from _names(models) if models else (field.alias,)
    for inner in dependant.dependencies:
        yield from _query_parameters(inner)


def unknown_field(route: object, place: Sequence[Any]) -> str:
    """Return what to say of a body's field that no model has; `place` is where it is, as
    pydantic tells it.
    """
    *path, name = place
    fields: list[str] = []
    if isinstance(route, APIRoute):
        found = [
            one
            for field in route.dependant.body_params
            for one in _models(field.field_info.annotation)
        ]
        fields = _names(_at(found, path))
    return f"there is no field {str(name)[:100]!r}{nearest(str(name), fields)}"


def nearest(name: str, known: Collection[str]) -> str:
    """Return "; did you mean …?", or nothing where no known name is like it."""
    found = difflib.get_close_matches(name[:100], known, 1, 0.5)
    return f"; did you mean {found[0]!r}?" if found else ""


def _at(models: list[type[BaseModel]], path: Iterable[Any]) -> list[type[BaseModel]]:
    """The models at a place in the body.

    A step that names no field is a list's index, or the tag of a union.
    """
    for step in path:
        tagged = [one for one in models if step in _tags(one)]
        if len(models) > 1 and tagged:
            models = tagged
            continue
        fields = [
            field
            for one in models
            for name, field in one.model_fields.items()
            if step in (name, field.alias)
        ]
        models = (
            [inner for field in fields for inner in _models(field.annotation)] if fields else models
        )
    return models


def _tags(model: type[BaseModel]) -> set[Any]:
    literals = (
        one.annotation
        for one in model.model_fields.values()
        if get_origin(one.annotation) is Literal
    )
    return {value for one in literals for value in get_args(one)}


def _names(models: Iterable[type[BaseModel]]) -> list[str]:
    return sorted(
        {field.alias or name for one in models for name, field in one.model_fields.items()}
    )


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that an annotation names, in whatever union, list or Annotated they are."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) is not Literal:
        for inner in get_args(annotation):
            yield from _models(inner)
