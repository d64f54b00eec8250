"""`POST /v1/jobs` and `/cancel`: requests to the job's owner."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response, Security
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from producers.access.http import Authenticate
from producers.access.principal import Principal
from producers.api.command import Commands, Started
from producers.idempotency.executor import Answer, Execution
from producers.idempotency.http import IdempotencyKey, answered
from schemas.errors import Refusal
from schemas.jobs import JobCancelRequested, JobRequested, NewOptions
from schemas.models import ModelTask, task_mismatch
from schemas.permissions import Permission
from schemas.training_options import problem

Exists = Callable[[UUID, UUID], Awaitable[bool]]
"""Whether an aggregate of a tenant has any event: (tenant, aggregate)."""
Named = Callable[[UUID, str], Awaitable[UUID | None]]
"""The newest valid version of a dataset's name: (tenant, name)."""
DatasetName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}$")]


class NewJob(BaseModel):
    """The body of `POST /v1/jobs`."""

    model_config = ConfigDict(extra="forbid")
    kind: Literal["train"] = "train"
    dataset_id: UUID | DatasetName = Field(
        union_mode="left_to_right",
        description="A dataset's id, or its name for the newest valid version of it.",
    )
    target: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
    model: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
    options: NewOptions = {}


class Cancellation(BaseModel):
    """The body of a cancel, which may be left out."""

    model_config = ConfigDict(extra="forbid")
    reason: Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00]*$")] = (
        "asked for by the API"
    )


EndedAs = Callable[[UUID, UUID], Awaitable[str | None]]
"""The state in which a job of a tenant has ended, None while it may change: (tenant, job)."""
TaskOf = Callable[[UUID, str], Awaitable[ModelTask | None]]
"""What a tenant's model predicts, None for a new one: (tenant, name)."""


def routes(
    authenticate: Authenticate,
    commands: Commands,
    dataset_exists: Exists,
    dataset_named: Named,
    job_exists: Exists,
    ended_as: EndedAs,
    model_task: TaskOf,
) -> APIRouter:
    """Start and cancel jobs."""
    router = APIRouter(prefix="/v1/jobs", tags=["jobs"])
    asking = Annotated[Principal, Security(authenticate, scopes=[Permission.JOBS_WRITE])]

    async def dataset_of(tenant: UUID, given: UUID | str) -> UUID:
        if isinstance(given, str):
            found = await dataset_named(tenant, given)
            if found is not None:
                return found
            message = f"There is no dataset named {given!r} with a valid version."
            raise Refusal("dataset_not_found", message, dataset_id=given)
        if not await dataset_exists(tenant, given):
            raise Refusal("dataset_not_found", "There is no such dataset.", dataset_id=str(given))
        return given

    @router.post("", status_code=202, responses={202: {"model": Started}})
    async def start(
        body: NewJob, request: Request, response: Response, principal: asking, key: IdempotencyKey
    ) -> dict[str, Any]:
        """Ask for a job; it is admitted once its dataset is valid."""

        async def run(turn: Execution) -> Answer:
            if found := problem(body.options):
                raise Refusal("invalid_options", f"options: {found[1]}")
            known = await model_task(principal.tenant, body.model)
            if refused := task_mismatch(body.model, known, body.target, body.options.get("task")):
                raise Refusal("model_mismatch", refused)
            asked = body.model_dump() | {
                "dataset_id": await dataset_of(principal.tenant, body.dataset_id)
            }
            job_id = turn.new_id("job")
            return await commands.send(
                turn,
                JobRequested(job_id=job_id, **asked),
                tenant=principal.tenant,
                subject=job_id,
                route="jobs",
                traceparent=request.state.traceparent,
                state="accepted",
            )

        return await answered(commands.once, request, response, principal, key, run)

    @router.post("/{job_id}/cancel", status_code=202, responses={202: {"model": Started}})
    async def cancel(
        job_id: UUID,
        request: Request,
        response: Response,
        principal: asking,
        key: IdempotencyKey,
        body: Cancellation | None = None,
    ) -> dict[str, Any]:
        """Ask for a job to stop; 409 `job_ended` when it has ended already."""

        async def run(turn: Execution) -> Answer:
            if not await job_exists(principal.tenant, job_id):
                raise Refusal("not_found", "There is no such job.")
            if state := await ended_as(principal.tenant, job_id):
                raise Refusal(
                    "job_ended", f"The job has ended already: it is {state}.", state=state
                )
            return await commands.send(
                turn,
                JobCancelRequested(job_id=job_id, reason=(body or Cancellation()).reason),
                tenant=principal.tenant,
                subject=job_id,
                route="jobs",
                traceparent=request.state.traceparent,
                state="cancel_requested",
            )

        return await answered(commands.once, request, response, principal, key, run)

    return router
