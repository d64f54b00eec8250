"""the order of what is on the log, compared with the events in the database."""

from collections.abc import Mapping, Sequence
from typing import Any


def check_log_order(rows: Sequence[Any], partitions: Mapping[tuple[str, int], Any]) -> None:
    """Each key's records are in the order of their seq, copies apart; none that left the outbox is
    missing.
    """
    place = {str(row.id): row for row in rows}
    on_log: dict[tuple[str, bytes | None], list[int]] = {}
    for (topic, _), records in partitions.items():
        for one in records:
            row = place[_id_of(one.headers)] if topic != "headrace.dead-letters" else None
            if row is not None:
                seqs = on_log.setdefault((topic, one.key), [])
                if row.seq not in seqs:
                    seqs.append(row.seq)
    assert all(seqs == sorted(seqs) for seqs in on_log.values())
    seen = {seq for seqs in on_log.values() for seq in seqs}
    owed = {row.seq for row in rows if row.topic != "headrace.dead-letters" and not row.listed}
    assert owed <= seen


def _id_of(headers: tuple[tuple[str, bytes], ...]) -> str:
    return next(value.decode() for name, value in headers if name == "ce_id")
