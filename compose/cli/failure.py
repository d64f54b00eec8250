"""Failures of a command: lines on standard error, and an exit status."""

import socket
from collections.abc import Iterator

FAILED = 1
MISUSED = 2
# SQLSTATE classes: the login is wrong, there is no such database.
NOT_LET_IN = ("28", "3D")
AWAY = (ConnectionRefusedError, socket.gaierror, TimeoutError)


class CommandFailure(Exception):
    """A foreseen failure: the first line says what, the others what to do."""

    def __init__(self, *lines: str, exit_code: int = FAILED) -> None:
        super().__init__("\n".join(lines))
        self.lines = (f"headrace: {lines[0]}", *(f"  {line}" for line in lines[1:]))
        self.exit_code = exit_code


def explain(error: BaseException, *, short: bool = True) -> CommandFailure | None:
    """The failure that an error represents: a wrong setting, and with `short` a server that refuses
    the connection.

    A process that runs for long keeps its traceback: its log is where the cause is looked for.
    """
    wrong = _wrong_setting(error)
    if wrong is not None or not short:
        return wrong
    for one in _chain(error):
        if type(one).__name__ == "ClientConfigurationError":
            return CommandFailure(f"an address of PostgreSQL is wrong: {one}", exit_code=MISUSED)
        if isinstance(one, AWAY) or type(one).__name__ == "KafkaConnectionError":
            return CommandFailure(
                f"a server does not answer: {one}",
                "is the stack up? headrace up",
                "headrace doctor",
            )
        if str(getattr(one, "sqlstate", None) or "")[:2] in NOT_LET_IN:
            return CommandFailure(
                f"PostgreSQL refuses: {one}", "look at HEADRACE_POSTGRES_URL: headrace doctor"
            )
    return None


def _wrong_setting(error: BaseException) -> CommandFailure | None:
    if type(error).__name__ == "WrongSetting":  # by its name: nothing is imported for an error
        return CommandFailure(str(error), exit_code=MISUSED)
    if not isinstance(error, ValueError):
        return None
    from pydantic import ValidationError

    if not isinstance(error, ValidationError) or error.title != "Settings":
        return None
    found = [
        f"HEADRACE_{'_'.join(map(str, one['loc'])).upper()}: {one['msg']}" for one in error.errors()
    ]
    return CommandFailure("a setting is wrong", *found, exit_code=MISUSED)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
