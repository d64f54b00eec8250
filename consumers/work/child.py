"""The child process: takes one request on stdin, limits itself, does it, and answers in JSON lines
on stdout.

It starts with the standard library alone: what is heavy is imported by the kind, after the limits
hold.
"""

from __future__ import annotations

import ctypes
import errno
import importlib
import json
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol, cast

from schemas.bounds import cut, cut_front

# Kind of work → the module whose `run` does it. A request chooses a kind, never a module.
KINDS: Mapping[str, str] = {
    "validate": "consumers.ingest.csv_check",
    "seal": "consumers.ingest.row_buffers.csv_write",
    "train": "consumers.training.child",
}

REQUEST_BYTES = 16 * 1024 * 1024
MESSAGE_BYTES = 2000
TRACEBACK_BYTES = 8000
PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38

Report = Callable[[str, float], None]
FailureClass = Literal["user_data", "user_config"]


class ChildRefusal(Exception):
    """Raised when the data or the configuration cannot be used; the tenant can repair it, a retry
    cannot.
    """

    def __init__(self, failure_class: FailureClass, code: str, message: str) -> None:
        super().__init__(message)
        self.failure_class: FailureClass = failure_class
        self.code = code
        self.message = message


class Run(Protocol):
    """What a kind's module offers as `run`: payload in, JSON-serializable result out."""

    def __call__(self, payload: Mapping[str, Any], report: Report) -> Mapping[str, Any]: ...


def main(kinds: Mapping[str, str] = KINDS) -> None:
    """Serve one request and exit; the exit code is 0 whenever an answer was written."""
    die_with_parent()
    protocol = take_stdout()
    request = json.loads(sys.stdin.buffer.readline(REQUEST_BYTES))
    if os.getppid() != request["parent_pid"]:
        os._exit(1)  # the parent died before the death signal was asked for, so it will never come
    apply_limits(request["limits"])

    def send(line: Mapping[str, Any]) -> None:
        # Not escaped: a text in another script would take two or three times its bytes of the line.
        text = json.dumps(line, allow_nan=False, ensure_ascii=False)
        view = memoryview(text.encode(errors="surrogatepass") + b"\n")
        while view:
            view = view[os.write(protocol, view) :]

    def report(stage: str, fraction: float) -> None:
        send({"progress": {"stage": stage, "fraction": fraction}})

    started = time.perf_counter()
    try:
        run = cast("Run", importlib.import_module(kinds[request["kind"]]).run)
        result = run(request["payload"], report)
        send({"result": result, "usage": usage(started)})
    except ChildRefusal as refusal:
        send(
            {
                "refused": {
                    "failure_class": refusal.failure_class,
                    "code": refusal.code,
                    "message": cut(refusal.message, MESSAGE_BYTES),
                }
            }
        )
    except BaseException as error:  # noqa: BLE001 a panic inside polars is no Exception
        send({"failure": failure(error)})
    sys.stderr.flush()
    os._exit(
        0
    )  # without the exit handlers of the libraries, which may hang or crash after the answer


def die_with_parent() -> None:
    """Ask the kernel for SIGKILL when the parent's thread ends.

    Elsewhere than Linux the parent's pipe must do.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        for option, value in ((PR_SET_PDEATHSIG, signal.SIGKILL), (PR_SET_NO_NEW_PRIVS, 1)):
            if libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
                raise OSError(ctypes.get_errno(), "prctl")


def take_stdout() -> int:
    """Keep the real stdout for the protocol, and send what libraries print to stderr."""
    sys.stdout.flush()
    protocol = os.dup(1)
    os.dup2(2, 1)
    return protocol


def apply_limits(limits: Mapping[str, int]) -> None:
    cpu = limits["cpu_seconds"]
    wanted = {
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_AS: (limits["address_space_bytes"],) * 2,
        resource.RLIMIT_CPU: (
            cpu,
            cpu + 2,
        ),  # the soft one names the reason by its signal, the hard one kills
        resource.RLIMIT_FSIZE: (limits["file_bytes"],) * 2,
        resource.RLIMIT_NOFILE: (limits["open_files"],) * 2,
    }
    for what, pair in wanted.items():
        ceiling = resource.getrlimit(what)[1]
        soft, hard = (
            pair if ceiling == resource.RLIM_INFINITY else (min(value, ceiling) for value in pair)
        )
        resource.setrlimit(what, (soft, hard))


def usage(started: float) -> dict[str, float]:
    spent = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "peak_rss_bytes": peak_rss_bytes(),
        "seconds": time.perf_counter() - started,
        "cpu_seconds": spent.ru_utime + spent.ru_stime,
    }


def peak_rss_bytes() -> int:
    """High-water mark of this program; `ru_maxrss` is only a stand-in, for on Linux it starts
    with the parent's.
    """
    if sys.platform == "linux":
        with Path("/proc/self/status").open(encoding="ascii") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def failure(error: BaseException) -> dict[str, Any]:
    limit = None
    if isinstance(error, MemoryError):
        traceback.clear_frames(
            error.__traceback__
        )  # what filled the memory, or there is none left to say so
        limit = "memory_limit"
    elif isinstance(error, OSError) and error.errno == errno.EFBIG:
        limit = "file_limit"
    elif isinstance(error, OSError) and error.errno == errno.ENOMEM:
        limit = "memory_limit"
    return {
        "limit": limit,
        "type": f"{type(error).__module__}.{type(error).__qualname__}",
        "message": cut(str(error), MESSAGE_BYTES),
        "traceback": cut_front("".join(traceback.format_exception(error)), TRACEBACK_BYTES),
    }


if __name__ == "__main__":
    # By its importable name: a Refusal raised by a kind must be the class that is caught here.
    from consumers.work.child import main as serve

    serve()
