"""What each call of the API is named in plain words, on the page /docs and, in snake_case, for
clients made from it.

These names stay when a function is renamed. They are in one place so that they read alike and none
comes twice.
"""

from collections.abc import Iterable

from fastapi import APIRouter
from fastapi.routing import APIRoute

NAMES = {
    "POST /hooks/{source_id}": "Deliver a webhook",
    "POST /v1/sources": "Create a source",
    "GET /v1/sources": "List sources",
    "GET /v1/sources/{source_id}": "Get a source",
    "PATCH /v1/sources/{source_id}": "Change a source",
    "DELETE /v1/sources/{source_id}": "Delete a source",
    "POST /v1/sources/{source_id}/rotate-secret": "Rotate the secret of a source",
    "POST /v1/sources/{source_id}/dry-run": "Try a payload on a source",
    "GET /v1/requests": "List requests",
    "GET /v1/requests/{request_id}": "Get a request",
    "GET /v1/requests/{request_id}/body": "Get the body of a request",
    "POST /v1/requests/{request_id}/replay": "Replay a request",
    "GET /v1/events": "Read events",
    "GET /v1/limits": "List limits",
    "POST /v1/datasets": "Upload a dataset",
    "GET /v1/datasets": "List datasets",
    "GET /v1/datasets/{dataset_id}": "Get a dataset",
    "GET /v1/datasets/{dataset_id}/report": "Get the report of a dataset",
    "GET /v1/datasets/{dataset_id}/profile": "Get the profile of a dataset",
    "GET /v1/streams": "List streams of rows",
    "POST /v1/jobs": "Start a job",
    "GET /v1/jobs": "List jobs",
    "GET /v1/jobs/{job_id}": "Get a job",
    "POST /v1/jobs/{job_id}/cancel": "Cancel a job",
    "GET /v1/models": "List models",
    "GET /v1/models/{name}": "Get a model",
    "GET /v1/models/{name}/versions": "List versions of a model",
    "GET /v1/models/{name}/versions/{number}": "Get a version of a model",
    "GET /v1/models/{name}/versions/{number}/files/{file}": "Download a file of a model",
    "GET /v1/metric-trends": "List metric trends",
    "GET /v1/metric-trends/summary": "Summarize metric trends",
    "GET /v1/usage": "Sum usage",
    "GET /v1/dead-letters": "List dead letters",
    "GET /v1/dead-letters/groups": "Group dead letters",
    "GET /v1/dead-letters/{letter_id}": "Get a dead letter",
    "GET /v1/dead-letters/{letter_id}/raw": "Get the record of a dead letter",
    "POST /v1/dead-letters/{letter_id}/discard": "Discard a dead letter",
    "POST /v1/dead-letters/groups/{fingerprint}/discard": "Discard a group of dead letters",
    "POST /v1/replays": "Start a replay",
    "GET /v1/replays": "List replays",
    "GET /v1/replays/{replay_id}": "Get a replay",
    "POST /v1/replays/{replay_id}/cancel": "Cancel a replay",
    "GET /asyncapi.json": "Get the AsyncAPI document",
    "GET /healthz": "Check that the process answers",
    "GET /readyz": "Check that the process can accept",
    "GET /metrics": "Get the metrics",
}


def named(routers: Iterable[APIRouter]) -> list[APIRouter]:
    """The routers, with every call that is listed under its name."""
    found = list(routers)
    for route in (
        route for router in found for route in router.routes if isinstance(route, APIRoute)
    ):
        name = next(
            (
                NAMES[call]
                for method in route.methods or ()
                if (call := f"{method} {route.path}") in NAMES
            ),
            None,
        )
        if name is not None:
            route.summary = name
            route.operation_id = name.lower().replace(" ", "_")
    return found
