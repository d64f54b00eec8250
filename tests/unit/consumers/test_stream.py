"""Batches of any stream, whatever its settings become: each row in exactly one, and what a
version needs is kept.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from consumers.ingest.row_buffers.stream import begun, closed, cut, shape_of, with_rows
from schemas.datasets import DatasetExpired
from tests.factories import door_event, new_id

EVENT = door_event(DatasetExpired(dataset_id=new_id(), name="any"), "x")
AT = datetime(2026, 3, 1, tzinfo=UTC)
SEALS = st.fixed_dictionaries(
    {
        "every_rows": st.integers(1, 6),
        "every_seconds": st.just(60),
        "window": st.sampled_from(["all", "batch"]),
        "window_rows": st.integers(1, 9),
    }
)


def action(seal: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"dataset": "d", "columns": {"a": "a", "b": "b"}, "seal": seal, **changes}


@given(st.lists(st.tuples(st.integers(1, 8), SEALS, st.booleans()), min_size=1, max_size=12))
def test_each_row_is_in_one_batch_and_what_a_version_holds_was_not_dropped(
    steps: list[Any],
) -> None:
    stream = begun(EVENT, uuid4(), action(steps[0][1]), 1)
    covered = dropped = 0
    for count, seal, is_due in steps:
        stream = with_rows(stream, EVENT, count, action(seal), 1, AT)
        assert stream.seal_at == AT + timedelta(seconds=60)
        if not (stream.is_full or is_due):
            continue
        before = stream
        stream, batch = cut(stream)
        assert batch.through == stream.cut == stream.taken
        assert (
            dropped <= batch.after <= covered < batch.through
        )  # all that is new, and only what is still there
        if seal["window"] == "batch":
            assert batch.after == covered
        else:
            assert batch.rows <= max(seal["window_rows"], before.open_rows)
        assert dropped <= batch.drop_through <= batch.through
        covered, dropped = batch.through, batch.drop_through
        assert (stream.open_rows, stream.opened_at, stream.seal_at) == (0, None, None)
    ended, last = closed(stream)
    assert ended.cut == ended.taken
    assert (last.through if last else covered) == sum(count for count, *_ in steps)


def test_only_what_a_cell_means_is_the_shape() -> None:
    first = action({"every_rows": 1})
    assert shape_of(first) == shape_of(action({"every_rows": 9}, train={"target": "a"}))
    assert shape_of(first) == shape_of({**first, "columns": {"b": "b", "a": "a"}})
    for other in (
        {"dataset": "e"},
        {"each": "x"},
        {"columns": {"a": "a", "b": "c"}},
        {"columns": {"a": "a", "c": "b"}},
    ):
        assert shape_of({**first, **other}) != shape_of(first)


def test_the_same_batch_has_the_same_ids() -> None:
    stream = with_rows(
        begun(EVENT, uuid4(), action({"every_rows": 1, "window": "all", "window_rows": 5}), 1),
        EVENT,
        2,
        action({"every_rows": 1, "window": "all", "window_rows": 5}),
        1,
        AT,
    )
    assert cut(stream) == cut(stream)
    after, first = cut(stream)
    assert first.dataset_id != cut(after)[1].dataset_id
