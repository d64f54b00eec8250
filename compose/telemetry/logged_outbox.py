"""The outbox of those who decide about jobs: a line of the log for each job that ends."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from producers.outbox.append import append
from schemas.jobs import JobCanceled, JobExpired, JobFailed, JobSucceeded
from schemas.log import LogEntry

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

log = logging.getLogger(__name__)
ENDS = {
    one.TYPE: one.TYPE.partition(".")[2]
    for one in (JobSucceeded, JobFailed, JobCanceled, JobExpired)
}


async def append_and_log(tx: "AsyncConnection", entries: Sequence[LogEntry]) -> None:
    """Append, and log ends of jobs: their ids, and of a failure its class and code.

    The commit is still to come.
    """
    await append(tx, entries)
    for entry in entries:
        if entry.type in ENDS and not entry.is_copy:
            fields = _fields(entry)
            code = f" ({fields['failure']})" if "failure" in fields else ""
            log.info(
                "job %s %s%s, tenant %s",
                entry.aggregate,
                fields["state"],
                code,
                entry.tenant,
                extra={"fields": fields},
            )


def _fields(entry: LogEntry) -> dict[str, str]:
    fields = {"job_id": entry.aggregate, "tenant_id": str(entry.tenant), "state": ENDS[entry.type]}
    data: dict[str, Any] = from_json(entry.value or b"{}").get("data", {})
    failure = data.get("failure")
    if failure:
        fields["failure"] = f"{failure['class']}/{failure['code']}"
    return fields
