"""The parameters that say how an upload is read."""

import pytest

from producers.api.datasets.reading import reading_of
from schemas.datasets import Reading
from schemas.errors import Refusal


@pytest.mark.parametrize(
    ("said", "reading"),
    [
        ({}, None),
        ({"missing": ["NA,-"]}, Reading(missing=("-", "NA"))),
        ({"missing": ["NA", " - ", "NA"]}, Reading(missing=("-", "NA"))),
        ({"missing": ['["a,b", "NA"]']}, Reading(missing=("NA", "a,b"))),
        ({"missing": ["[NA]"]}, Reading(missing=("[NA]",))),
        ({"missing": [""]}, Reading(missing=())),
        ({"types": ["zip:text"]}, Reading(types={"zip": "text"})),
        (
            {"types": ["zip:text,n:number", "b:boolean"]},
            Reading(types={"zip": "text", "n": "number", "b": "boolean"}),
        ),
        (
            {"types": ["Preis, EUR:number,a:b:text"]},
            Reading(types={"Preis, EUR": "number", "a:b": "text"}),
        ),
        ({"types": ['{"a,b:text": "integer"}']}, Reading(types={"a,b:text": "integer"})),
        ({"types": [""]}, Reading(types={})),
        ({"forget": ["true"]}, Reading(alone=True)),
        ({"forget": ["false"]}, None),
        ({"forget": ["true"], "missing": ["?"]}, Reading(missing=("?",), alone=True)),
    ],
)
def test_what_is_said(said: dict[str, list[str]], reading: Reading | None) -> None:
    assert reading_of(said) == reading


@pytest.mark.parametrize(
    ("said", "part"),
    [
        ({"types": ["zip:txt"]}, "did you mean text"),
        ({"types": ["zip"]}, "no colon"),
        ({"types": ["a:text,zip"]}, "no colon"),
        ({"types": [":text"]}, "before each colon"),
        ({"types": ['{"zip": 3}']}, "'3' is no type"),
        ({"missing": ["[1, 2]"]}, "list of texts"),
        ({"missing": ["x" * 101]}, "at most 100 characters"),
        ({"missing": [",".join(map(str, range(201)))]}, "at most 200 words"),
        ({"missing": ["a\0b"]}, "cannot be stored"),
        ({"forget": ["maybe"]}, "true or false"),
    ],
)
def test_what_is_refused(said: dict[str, list[str]], part: str) -> None:
    with pytest.raises(Refusal) as caught:
        reading_of(said)
    assert caught.value.code == "invalid_reading"
    assert part in caught.value.message
