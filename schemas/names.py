"""A column's name as it is kept: what looks the same is the same."""

# Soft hyphen, zero-width space, word joiner, byte order mark, and what sets the direction of
# writing.
_INVISIBLE = (0x00AD, 0x180E, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), 0x2060)
_WITHOUT = dict.fromkeys((*_INVISIBLE, *range(0x2066, 0x206A), 0xFEFF))
JOINERS = "\u200c\u200d"
"""Part of words in Persian, in Indian scripts and in emoji, although nothing of them is seen
alone.
"""


def normal_name(written: str) -> str:
    """White space of any kind and length is one space, and what cannot be seen is gone."""
    return " ".join(written.translate(_WITHOUT).split()).strip(JOINERS)
