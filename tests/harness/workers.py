"""What the workers of pytest-xdist share, and what they tell the process that shows the results."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from compose.devstack.servers.kafka import KafkaServer
from compose.devstack.subprocesses import running
from tests.harness.directories import server_directory
from tests.harness.ports import own_ports
from tests.published import COUNTED

KAFKA = "kafka"
CHAOS = "chaos report"
"""What a test tells at length, as a property of it: printed once more in the end, whatever
worker ran it.
"""


def told(config: pytest.Config) -> dict[str, Any]:
    """What this worker was told by the process that started it.

    Nothing where there are no workers.
    """
    return dict(getattr(config, "workerinput", {}))


def sendable(value: Any) -> Any:
    """The same report with every text as one that UTF-8 holds."""
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case dict():
            return {sendable(key): sendable(item) for key, item in value.items()}
        case list() | tuple():
            return type(value)(map(sendable, value))
        case _:
            return value


@contextmanager
def shared_kafka() -> Iterator[str]:
    """The bootstrap address of a Kafka on which each test has topics of its own."""
    with server_directory() as directory:
        port, controller = own_ports(2)
        server = KafkaServer(directory, port, controller)
        with running(server):
            yield server.bootstrap


class Shared:
    """Servers that stand for a whole run, in the process that starts the workers."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._kafka = ""

    def pytest_sessionstart(self) -> None:
        """Start them before the first worker."""
        self._kafka = self._open.enter_context(shared_kafka())

    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker where they are."""
        node.workerinput[KAFKA] = self._kafka

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Add what a worker has counted."""
        COUNTED.update(getattr(node, "workeroutput", {}).get("published", {}))

    def pytest_unconfigure(self) -> None:
        """Stop them after the last worker."""
        self._open.close()


class Failures:
    """Shows each failure when it happens; pytest shows them in the end."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Print a failed one."""
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if report.failed and terminal is not None:
            terminal.ensure_newline()
            terminal.section(f"{report.nodeid} failed ({report.when})", red=True)
            terminal.write_line(report.longreprtext)


def summary(terminal: pytest.TerminalReporter) -> None:
    """The reports of chaos, and how many records the published contract was asked of."""
    ended = [*terminal.getreports("passed"), *terminal.getreports("failed")]
    said = [one for test in ended if test.when == "call" for one in test.user_properties]
    if reports := [report for name, report in said if name == CHAOS]:
        terminal.section("chaos")
        terminal.write_line("\n\n".join(map(str, reports)))
    if COUNTED:
        counts = ", ".join(f"{count} {word}" for word, count in COUNTED.items())
        terminal.write_line(f"published contract: {counts}")
