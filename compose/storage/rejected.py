"""The file of a dataset goes when the dataset is rejected for what is in it: nobody reads it any
more.
"""

import logging
from collections.abc import Sequence

from compose.storage.metered import MeteredObjects
from consumers.ingest.dataset import blames_the_file
from consumers.work.work_item import WorkItem
from schemas.datasets import DatasetRejected
from schemas.event import Event

log = logging.getLogger(__name__)


async def remove_rejected(objects: MeteredObjects, item: WorkItem, events: Sequence[Event]) -> None:
    """Remove the object of a validation that ended in a rejection; what fails is left to the
    sweeper.

    It stays where the file is not to blame: the tenant may have no other copy.
    """
    if not any(
        isinstance(event.data, DatasetRejected) and _blames_the_file(event.data) for event in events
    ):
        return
    try:
        await objects.delete(item.payload["object_key"])
    except Exception as error:  # noqa: BLE001 - the rejection is committed, and the sweeper comes by
        log.warning("the file of a rejected dataset is left to the sweeper: %s", error)


def _blames_the_file(rejected: DatasetRejected) -> bool:
    return blames_the_file(finding.rule for finding in rejected.findings)
