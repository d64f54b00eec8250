"""Which values a histogram is given."""

from compose.telemetry.sampling import Sampling


def test_few_are_all_taken() -> None:
    some = Sampling(most=200, one_in=8)
    assert all(some.takes(5.0 + n / 150) for n in range(1000))


def test_of_many_one_in_eight_is_taken_past_the_first_of_each_second() -> None:
    some = Sampling(most=200, one_in=8)
    assert sum(some.takes(7.0) for _ in range(5000)) == 200 + 4800 // 8
    assert sum(some.takes(8.0) for _ in range(5000)) == 200 + 4800 // 8


def test_a_quiet_second_after_a_busy_one_is_taken_whole() -> None:
    some = Sampling(most=2, one_in=8)
    assert [some.takes(1.0) for _ in range(4)] == [True, True, False, False]
    assert [some.takes(2.0) for _ in range(2)] == [True, True]
