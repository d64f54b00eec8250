"""Who is dropped when one connection too many is opened."""

from dataclasses import dataclass

from compose.http.open_connections import OpenConnections

MOST = 16


@dataclass(eq=False)
class One:
    """A connection that notes its end."""

    name: str
    goes_to: str | None = None
    tenants: bool = False
    dropped: bool = False
    unfinished_bytes: int = 0

    def body_goes_to(self) -> str | None:
        """As it was told."""
        return self.goes_to

    def is_a_tenants(self) -> bool:
        """As it was told."""
        return self.tenants

    def drop(self) -> None:
        """Note it."""
        self.dropped = True


Filled = tuple[OpenConnections, list[One]]


def filled(*, goes_to: str | None = None, tenants: bool = False) -> Filled:
    """As many open connections as there may be."""
    bound = OpenConnections(MOST, 1 << 20)
    ones = [One(f"{number}", goes_to, tenants) for number in range(MOST)]
    for one in ones:
        bound.opened(one)
    return bound, ones


def dropped_by(bound: OpenConnections, ones: list[One], *, newcomers: int = 1) -> list[str]:
    """Who goes when so many more come, in the order of their opening."""
    more = [One(f"new {number}") for number in range(newcomers)]
    for one in more:
        bound.opened(one)
    return [one.name for one in [*ones, *more] if one.dropped]


def pipelines(bound: OpenConnections, one: One) -> None:
    """Two whole requests, neither of which is answered."""
    bound.completed(one)
    bound.waits(one)
    bound.pipelined(one)


def test_the_longest_wait_ends_first_and_uploads_never() -> None:
    bound, ones = filled()
    ones[0].goes_to = "file"
    bound.completed(ones[1])
    assert dropped_by(bound, ones, newcomers=2) == ["2", "3"]
    bound, ones = filled(goes_to="file")
    assert dropped_by(bound, ones) == ["new 0"]


def test_connections_with_requests_in_a_row_make_room_for_newcomers() -> None:
    bound, ones = filled()
    for one in ones:
        pipelines(bound, one)
    assert dropped_by(bound, ones, newcomers=5) == ["0", "1", "2", "3", "4"]


def test_a_row_that_goes_on_keeps_its_place_and_its_end_gives_a_new_one() -> None:
    bound, ones = filled()
    for one in ones:
        pipelines(bound, one)
    bound.pipelined(ones[0])
    bound.completed(ones[1])
    bound.waits(ones[1])
    assert dropped_by(bound, ones, newcomers=2) == ["0", "2"]


def test_whole_requests_of_strangers_make_room_and_those_of_tenants_last() -> None:
    bound, ones = filled()
    for one in ones:
        bound.completed(one)
    ones[0].tenants = True
    # The newcomers wait; as long as they are few, they are not dropped for one another.
    assert dropped_by(bound, ones, newcomers=2) == ["1", "2"]
    bound, ones = filled(tenants=True)
    for one in ones:
        bound.completed(one)
    assert dropped_by(bound, ones) == ["0"]


def test_a_flood_of_incomplete_requests_leaves_those_in_hand() -> None:
    bound, ones = filled()
    for one in ones[:8]:
        bound.completed(one)
    assert dropped_by(bound, ones, newcomers=6) == [f"{number}" for number in range(8, 14)]


def test_who_was_dropped_is_not_counted_again() -> None:
    bound, ones = filled()
    for one in ones:
        bound.completed(one)
    assert dropped_by(bound, ones) == ["0"]
    bound.completed(ones[0])
    bound.waits(ones[0])
    ones[0].dropped = False
    bound.closed(ones[1])
    assert dropped_by(bound, ones) == []
