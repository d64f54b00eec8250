"""Whose the lag is, bounded."""

from compose.telemetry.lag import REST, shares

ONE, OTHER = ("t", 0), ("t", 1)


def test_what_was_not_looked_at_is_shared_out_like_what_was() -> None:
    found = shares({ONE: 100, OTHER: 2}, {ONE: ["a", "a", "a", "b"], OTHER: ["b", "c"]})
    assert found == {"a": 75, "b": 26, "c": 1}


def test_the_small_ones_are_together_and_nobody_takes_their_place() -> None:
    tenants = ["a"] * 3 + ["b"] * 2 + ["c", "d"] + [REST] * 9
    assert shares({ONE: len(tenants)}, {ONE: tenants}, most=2) == {"a": 3, "b": 2, REST: 11}


def test_no_lag_is_nobodys() -> None:
    assert shares({}, {}) == {}
