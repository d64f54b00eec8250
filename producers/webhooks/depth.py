"""How deep a JSON text is nested, without building it: pure."""


def deeper_than(body: bytes, limit: int) -> bool:
    """Whether arrays and objects nest more than `limit` deep; strings are passed over, broken JSON is not judged."""
    if body.count(b"[") + body.count(b"{") <= limit:
        return False
    depth = 0
    in_string = escaped = False
    for byte in body:
        if escaped:
            escaped = False
        elif in_string:
            if byte == 0x5C:  # backslash
                escaped = True
            elif byte == 0x22:  # quotation mark
                in_string = False
        elif byte == 0x22:
            in_string = True
        elif byte in (0x5B, 0x7B):
            depth += 1
            if depth > limit:
                return True
        elif byte in (0x5D, 0x7D):
            depth -= 1
    return False
