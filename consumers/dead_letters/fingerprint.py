"""What makes two failures the same one: pure."""

import hashlib
import re

MOST_CHARACTERS = 1000
# A mapping's error begins with the field that it is about: that one counts, whatever its name looks
# like.
FIELD = re.compile(r"`[\w.-]{1,150}`:")
# Quoted text first: what is in it is the payload's, whatever it looks like. An apostrophe
# within a word quotes not.
QUOTED = re.compile(r"""(?<!\w)b?(['"`]).*?\1(?!\w)""")
IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|0x[0-9a-f]+|\b(?=[a-f]*\d)[0-9a-f]{12,}\b")
NUMBERS = re.compile(r"\d+(?:[.,:]\d+)*")


def shape(error: str) -> str:
    """An error without what changes from message to message: quoted values, ids, numbers, all
    but its first line.
    """
    line = error.split("\n", 1)[0][:MOST_CHARACTERS].lower()
    found = FIELD.match(line)
    field = found[0] if found else ""
    rest = NUMBERS.sub("#", IDS.sub("#", QUOTED.sub("?", line[len(field) :])))
    return " ".join((field + rest).split())


def fingerprint(consumer: str, error_class: str, event_type: str | None, error: str) -> str:
    """16 hex digits: equal for dead letters that one fix is expected to repair."""
    parts = "\x1f".join((consumer, error_class, event_type or "", shape(error)))
    return hashlib.sha256(parts.encode(errors="replace")).hexdigest()[:16]
