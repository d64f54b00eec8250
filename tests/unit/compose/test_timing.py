"""How long a subscription waits after failures."""

from compose.kafka.subscription import Timing


def test_a_wait_doubles_up_to_its_limit_and_half_of_it_is_jitter() -> None:
    timing = Timing(backoff_seconds=0.1, max_backoff_seconds=10.0)
    longest = [timing.backoff(failures, lambda: 1.0) for failures in (1, 2, 3, 7, 8, 1000)]
    assert [round(one, 3) for one in longest] == [0.1, 0.2, 0.4, 6.4, 10.0, 10.0]
    assert timing.backoff(1000, lambda: 0.0) == 5.0
    assert len({timing.backoff(5) for _ in range(10)}) > 1


def test_the_waits_fit_into_one_another() -> None:
    """A revocation ends before the rebalance does.

    A stop before the supervisor's patience (20 s).
    """
    timing = Timing()
    assert timing.revoke_seconds < timing.rebalance_seconds
    assert timing.stop_seconds < 20
    assert timing.heartbeat_seconds * 3 < timing.session_seconds
    assert timing.max_backoff_seconds < timing.max_handle_seconds
