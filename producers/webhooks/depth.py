"""How deep a JSON text is nested, without building it: pure."""

from itertools import accumulate

# An opening bracket is a step down, a closing one a step up (-1 as a signed byte); the rest is
# nothing.
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_REST = bytes(sorted(set(range(256)) - set(b"[]{}")))


def deeper_than(body: bytes, limit: int) -> bool:
    """Whether arrays and objects nest more than `limit` deep; strings are passed over, broken JSON
    is not judged.

    Every pass is the interpreter's own loop: a body of 1 MiB must not hold up all the others.
    """
    if body.count(b"[") + body.count(b"{") <= limit:
        return False
    unescaped = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    outside_strings = b"".join(unescaped.split(b'"')[::2])
    steps = memoryview(outside_strings.translate(_STEPS, _REST)).cast("b")
    return max(accumulate(steps), default=0) > limit
