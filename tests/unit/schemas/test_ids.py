"""Ids carry time, are what RFC 9562 says, and the same step gives the same one."""

from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from schemas.ids import derived, milliseconds_of, uuid7

MILLISECONDS = st.integers(0, (1 << 48) - 1)
RANDOMNESS = st.binary(min_size=10, max_size=10)
CAUSES = st.builds(uuid7, MILLISECONDS, RANDOMNESS)


def test_the_example_of_rfc_9562() -> None:
    # Appendix A.6: unix_ts_ms 0x017F22E279B0, rand_a 0xCC3, rand_b 0b01 0x8C4DC0C0C07398F
    noise = 0xCC3 << 68 | 0x18C4DC0C0C07398F
    assert uuid7(0x017F22E279B0, noise.to_bytes(10, "big")) == UUID(
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
    )


@given(MILLISECONDS, RANDOMNESS)
def test_version_7_with_its_time_and_variant(milliseconds: int, randomness: bytes) -> None:
    made = uuid7(milliseconds, randomness)
    assert (made.version, made.variant, milliseconds_of(made)) == (7, RFC_4122, milliseconds)


@given(MILLISECONDS, MILLISECONDS, RANDOMNESS, RANDOMNESS)
def test_later_ids_sort_later(one: int, other: int, first: bytes, second: bytes) -> None:
    if one != other:
        assert (uuid7(one, first) < uuid7(other, second)) == (one < other)


@given(RANDOMNESS, RANDOMNESS)
def test_the_randomness_is_kept(one: bytes, other: bytes) -> None:
    differing = int.from_bytes(one, "big") ^ int.from_bytes(other, "big")
    kept = (1 << 62) - 1 | 0xFFF << 68  # 74 bits of the 80; version and variant have the rest
    assert (uuid7(0, one) == uuid7(0, other)) == (differing & kept == 0)


def test_a_derived_id_stays_the_same_across_releases() -> None:
    # Copies of what was written long ago are known by their ids: another hash would have every
    # effect twice.
    cause = UUID("017f22e2-79b0-7cc3-98c4-dc0c0c07398f")
    assert derived(cause, "ingest", "job.queued", "wine", 0) == UUID(
        "017f22e2-79b0-85f2-ba21-8681fbbd7fcd"
    )


@given(CAUSES, st.lists(st.text(max_size=5), max_size=4))
def test_derived_ids_are_version_8_of_the_causes_time(cause: UUID, parts: list[str]) -> None:
    made = derived(cause, *parts)
    assert (made.version, made.variant, milliseconds_of(made)) == (
        8,
        RFC_4122,
        milliseconds_of(cause),
    )
    assert made == derived(cause, *parts)


WORDS = st.lists(
    st.text(st.characters(exclude_characters="\x1f", codec="utf-8"), max_size=4), min_size=1
)


@given(CAUSES, WORDS, WORDS)
def test_other_parts_give_another_id(cause: UUID, one: list[str], other: list[str]) -> None:
    assert (derived(cause, *one) == derived(cause, *other)) == (one == other)


@given(CAUSES, CAUSES)
def test_another_cause_gives_another_id(one: UUID, other: UUID) -> None:
    assert (derived(one, "step") == derived(other, "step")) == (one == other)
