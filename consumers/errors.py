"""The failure words of everything that acts; anything else that is raised is a bug."""


class Transient(Exception):
    """The world is unwell: the same again later can succeed."""


class Permanent(Exception):
    """The message is unwell: the same again fails the same way."""
