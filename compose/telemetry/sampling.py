"""Which of many values a histogram is given, so that measuring stays a small share of the work.

Pure.
"""


class Sampling:
    """All of a second's first `most`; past them one in `one_in`.

    The share does not depend on the value.
    """

    def __init__(self, most: int = 200, one_in: int = 8) -> None:
        self._most = most
        self._one_in = one_in
        self._second = 0.0
        self._seen = 0

    def takes(self, now: float) -> bool:
        """Whether this one is taken, at `now` (seconds of a monotonic clock)."""
        if now - self._second >= 1.0:
            self._second, self._seen = now, 0
        self._seen += 1
        return self._seen <= self._most or self._seen % self._one_in == 0
