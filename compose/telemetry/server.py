"""Metrics of a process that serves no HTTP otherwise."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import start_http_server

from compose.settings import Settings
from compose.telemetry.meters import meters

log = logging.getLogger(__name__)


@contextmanager
def exposed(settings: Settings) -> Iterator[None]:
    """Show this process's metrics on its port, if it has one.

    A port that is taken is logged, and the process works without it.
    """
    mine = meters()
    server = None
    if settings.metrics_port:
        try:
            server, thread = start_http_server(
                settings.metrics_port, settings.metrics_host, mine.registry
            )
        except OSError as error:
            log.error(
                "metrics are not served on %s:%d: %s",
                settings.metrics_host,
                settings.metrics_port,
                error,
            )
    try:
        yield
    finally:
        if server is not None:
            server.shutdown()
            server.server_close()
            thread.join()
