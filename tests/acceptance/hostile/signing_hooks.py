"""What schemathesis is taught of us: expressions in JMESPath, and how a webhook is signed."""

import copy
import json
import os
from datetime import UTC, datetime
from itertools import cycle
from typing import Any
from urllib.parse import urlsplit

import schemathesis
from hypothesis import strategies as st
from requests import PreparedRequest
from requests.auth import AuthBase

from producers.webhooks.verification.schemes import BY_NAME, options_of
from tests.declared import Declared

EXPRESSIONS = (
    "a",
    "data.items[0].id",
    "'text'",
    "a || b",
    "length(@)",
    "a[::0]",
    "`1e400`",
    '"\\u0000"',
    '"\\ud800"',
    "contains(`1`, 'a')",
    "{a: @, b: [*]}",
    "to_number('nan')",
)
schemathesis.openapi.format("jmespath", st.sampled_from(EXPRESSIONS))

NOBODY = "00000000-0000-7000-8000-000000000000"
# Of each source: one delivery with the type that the document leaves open, one as JSON; then one to
# nobody.
TURNS: "cycle[tuple[dict[str, Any], bool] | None]" = cycle(
    [
        *(
            (source, as_json)
            for source in json.loads(os.environ["TEST_SOURCES"])
            for as_json in (False, True)
        ),
        None,
    ]
)


class Signed(AuthBase):
    """Signs a request when its bytes are known."""

    def __init__(self, source: dict[str, Any], *, as_json: bool) -> None:
        self.source, self.as_json = source, as_json

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """The request with the provider's headers."""
        body: Any = request.body.encode() if isinstance(request.body, str) else request.body or b""
        scheme = self.source["scheme"]
        sign = BY_NAME[scheme].signer(options_of(scheme, self.source["options"]))
        request.headers.update(
            sign(body, self.source["secret"], message_id=os.urandom(8).hex(), now=datetime.now(UTC))
        )
        if self.as_json:
            request.headers["content-type"] = "application/json"
        return request


@schemathesis.hook
def before_call(
    _context: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: dict[str, Any]
) -> None:
    """Two of each three or so webhooks are genuine; the others stay as they are made."""
    for name, value in case.path_parameters.items():
        if value in (
            None,
            "None",
        ):  # a link to what the answer before has not, such as a request's job
            case.path_parameters[name] = NOBODY
    turn = (
        next(TURNS)
        if case.operation.path == "/hooks/{source_id}" and case.method.upper() == "POST"
        else None
    )
    if turn is not None:
        source, as_json = turn
        case.path_parameters["source_id"] = source["id"]
        kwargs["auth"] = Signed(source, as_json=as_json)


DECLARED: "list[Declared]" = []


@schemathesis.check
def answers_as_declared(
    _context: schemathesis.CheckContext,
    response: schemathesis.Response,
    case: schemathesis.Case[Any],
) -> None:
    """Every answer has the declared fields and no other."""
    if not DECLARED:
        DECLARED.append(Declared(copy.deepcopy(dict(case.operation.schema.raw_schema))))
    path = urlsplit(str(response.request.url)).path
    media_type = response.headers.get("content-type", [""])[0].split(";")[0]
    wrong = DECLARED[0].errors(
        case.method, path, response.status_code, media_type, response.content
    )
    assert not (found := list(wrong)), found[:5]
