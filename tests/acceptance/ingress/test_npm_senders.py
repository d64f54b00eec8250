"""The providers' official packages on npm, unchanged, as senders at the real door.

And they take what we sign.
"""

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from producers.webhooks.verification.schemes import BY_NAME
from tests.acceptance.ingress.npm import told
from tests.acceptance.ingress.senders import create, deliveries
from tests.acceptance.world import World

STANDARD = "standard_webhooks"
SCHEMES = {"octokit": "github", "standardwebhooks": STANDARD, "svix": STANDARD, "stripe": "stripe"}
BODIES = (
    '{"id":"evt_1"}',
    '{ "id": "evt_2",\n "text": "ü€😀\\u2028\u2028 \\"quoted\\"" }',
    '{"id":"evt_3","n":1e400}',
)


async def test_what_the_packages_sign_is_accepted(api: World) -> None:
    sources = {op: await create(api, op, scheme=scheme) for op, scheme in SCHEMES.items()}
    asked = [
        {
            "op": op,
            "body": body,
            "secret": source["secret"],
            "id": f"id-{number}",
            "timestamp": int(time.time()),
        }
        for op, source in sources.items()
        for number, body in enumerate(BODIES)
    ]
    for one, headers in zip(asked, await told(*asked), strict=True):
        source = sources[one["op"]]
        sent = {**headers, "content-type": "application/json"}
        answer = await api.client.post(f"/hooks/{source['id']}", content=one["body"], headers=sent)
        assert answer.status_code == 202, (one["op"], answer.text)
        again = await api.client.post(f"/hooks/{source['id']}", content=one["body"], headers=sent)
        assert again.json() == {**answer.json(), "duplicate": True}
        other = await api.client.post(
            f"/hooks/{source['id']}", content=one["body"] + " ", headers=sent
        )
        assert other.status_code == 401, one["op"]
    for op, source in sources.items():
        ids = [row["external_id"] for row in await deliveries(api, source, "accepted")]
        expected = ["evt_3", "evt_2", "evt_1"] if op == "stripe" else ["id-2", "id-1", "id-0"]
        assert ids == expected, op


@pytest.mark.parametrize("spoil", [False, True])
async def test_what_we_sign_the_packages_take(spoil: bool) -> None:
    asked: list[dict[str, Any]] = []
    for op, scheme in SCHEMES.items():
        secret = BY_NAME[scheme].generate_secret(bytes(range(32)))  # type: ignore[index]
        signer = BY_NAME[scheme].signer(None)  # type: ignore[index]
        body = BODIES[1]
        headers = signer(body.encode(), secret, message_id="id-1", now=datetime.now(UTC))
        signature = headers.get("x-hub-signature-256") or headers.get("stripe-signature")
        asked.append(
            {
                "op": f"{op}_verify",
                "body": body + " " * spoil,
                "secret": secret,
                "headers": headers,
                "signature": signature,
            }
        )
    if spoil:
        assert await told(asked.pop(0)) == [False]
        for one in asked:
            with pytest.raises(AssertionError, match=r"(?i)verification|matching"):
                await told(one)
    else:
        assert [bool(answer) for answer in await told(*asked)] == [True] * len(SCHEMES)
