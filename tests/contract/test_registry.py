"""The map as data: what is read is produced, what is produced is read, and the code says the
same.
"""

import ast

import pytest

from compose.consumer_groups import VIEWS
from consumers.registry import BY_NAME, CONSUMERS, Consumer
from producers.webhooks import envelope
from schemas.topics import PAYLOADS, TOPIC_OF, TOPICS
from tests.contract.house import full_name, imported, modules, tree

# Facts that nobody of ours acts on: the data set's own rows are read, and its subscribers are
# outside.
TERMINAL = {"dataset.validated", "dataset.rejected", "dataset.expired"}
# The ledger speaks for whoever has the effect.
LEDGER = "usage.recorded"
EMITTED = {payload.TYPE for consumer in CONSUMERS for payload in consumer.emits}
READ = {kind for consumer in CONSUMERS for kind in consumer.wanted}
FOLDED = {kind for view in VIEWS.values() for kind in view.wanted}


def test_names_are_unique_and_lead_to_their_consumer() -> None:
    assert {consumer.name: consumer for consumer in CONSUMERS} == BY_NAME
    assert len(BY_NAME) == len(CONSUMERS) == 4
    queues = [queue for consumer in CONSUMERS for queue in consumer.queues]
    assert len(queues) == len(set(queues))


@pytest.mark.parametrize("consumer", CONSUMERS, ids=lambda one: one.name)
def test_what_is_read_and_emitted_is_on_a_topic(consumer: Consumer) -> None:
    assert {payload.TYPE for payload in (*consumer.reads, *consumer.emits)} <= set(PAYLOADS)
    assert set(consumer.topics) == {TOPIC_OF[kind] for kind in consumer.wanted}
    assert list(consumer.topics) == sorted(set(consumer.topics))
    assert consumer.reads


def test_whatever_is_emitted_is_read_or_terminal() -> None:
    assert EMITTED <= READ | FOLDED | TERMINAL


def test_what_is_terminal_is_really_read_by_nobody() -> None:
    assert TERMINAL.isdisjoint(READ | FOLDED)


def test_whatever_is_read_is_emitted_or_comes_in_at_the_door() -> None:
    door = made_in("producers") | {envelope.TYPE}  # written straight to bytes
    assert (READ | FOLDED).issubset(EMITTED | door)


def test_a_view_reads_the_topics_of_its_events() -> None:
    for name, view in VIEWS.items():
        assert view.name == name
        assert {TOPIC_OF[kind] for kind in view.wanted} == set(view.topics)


def made_in(*folders: str) -> set[str]:
    """The types whose payload is built in these folders."""
    by_class = {
        f"{payload.__module__}.{payload.__name__}": kind for kind, payload in PAYLOADS.items()
    }
    made = set()
    for path in modules(*folders):
        names = imported(tree(path))
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and (
                kind := by_class.get(full_name(node.func, names) or "")
            ):
                made.add(kind)
    return made


@pytest.mark.parametrize("consumer", CONSUMERS, ids=lambda one: one.name)
def test_a_consumers_code_builds_only_what_the_registry_says(consumer: Consumer) -> None:
    emitted = {payload.TYPE for payload in consumer.emits}
    assert made_in(f"consumers/{consumer.name}") <= emitted


def test_the_code_builds_all_that_the_registry_says() -> None:
    shared = made_in("consumers/jobs", "consumers/billing")
    for consumer in CONSUMERS:
        said = {payload.TYPE for payload in consumer.emits}
        assert said - made_in(f"consumers/{consumer.name}") <= shared | {LEDGER}, consumer.name


def test_only_the_door_and_consumers_write_events() -> None:
    assert made_in("projections", "migrations") == set()


def test_every_topic_can_be_made() -> None:
    for topic in TOPICS:
        assert topic.name.startswith("headrace.")
        assert topic.partitions >= 1
        assert topic.retention.days >= 7
    assert len({topic.name for topic in TOPICS}) == len(TOPICS)
