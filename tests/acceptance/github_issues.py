"""GitHub's `issues` payloads, cut down to the documented fields that tests use; and its `ping`."""

import json
from typing import Any

KINDS = ("bug", "question", "feature")


def issue(number: int, action: str = "opened") -> bytes:
    """`issues`: bugs are long and discussed, questions short, features by members."""
    kind = number % 3
    body = (
        "Steps to reproduce:\r\n" * (9 + number % 4),
        "How do I?",
        'It would be "nice", and\nuseful' * 2,
    )[kind]
    user = {"login": f"octocat{number}", "id": 583231 + number, "type": "User", "site_admin": False}
    payload: dict[str, Any] = {
        "action": action,
        "issue": {
            "url": f"https://api.github.com/repos/octo-org/octo-repo/issues/{number}",
            "id": 444500041 + number,
            "number": number,
            "title": f'Spelling error no. {number}, "again"',
            "user": user,
            "state": "open",
            "labels": [{"id": 1362934389, "name": KINDS[kind], "color": "d73a4a", "default": True}],
            "comments": (7 + number % 5, number % 2, 1)[kind],
            "locked": False,
            "milestone": None,
            "assignee": None,
            "created_at": "2019-05-15T15:20:18Z",
            "author_association": ("NONE", "NONE", "MEMBER")[kind],
            "body": body,
        },
        "repository": {
            "id": 186853002,
            "name": "octo-repo",
            "full_name": "octo-org/octo-repo",
            "private": False,
        },
        "sender": user,
    }
    return json.dumps(payload).encode()


PING = json.dumps(
    {
        "zen": "Anything added dilutes everything else.",
        "hook_id": 109948940,
        "hook": {
            "type": "Repository",
            "id": 109948940,
            "name": "web",
            "active": True,
            "events": ["issues"],
        },
        "repository": {"id": 186853002, "full_name": "octo-org/octo-repo"},
    }
).encode()

ACTION: dict[str, Any] = {
    "kind": "rows",
    "dataset": "issues",
    "each": "[@][?action=='opened'].issue",
    "columns": {
        "association": "author_association",
        "body_length": "length(body || '')",
        "comments": "comments",
        "kind": "labels[0].name",
        "title": "title",
    },
    "seal": {"every_rows": 30, "every_seconds": 3600},
    "train": {"target": "kind", "model": "triage", "options": {"profile": "fast", "seed": 7}},
}
