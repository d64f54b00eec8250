"""`python -m tests.unit.hostile.by_coverage SECONDS`: atheris, led by what code it reaches, at
each target in turn.
"""

import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path


def everything(seconds: str) -> int:
    """Each target in a process of its own, since libFuzzer ends the process.

    The first that breaks ends it all.
    """
    from tests.unit.hostile.targets import TARGETS

    if importlib.util.find_spec("atheris") is None:
        print("atheris has no wheel for this Python or platform: hypothesis alone was run")
        return 0
    for name in TARGETS:
        print(f"atheris at {name}, {seconds} s", flush=True)
        done = subprocess.run([sys.executable, "-m", __spec__.name, seconds, name], check=False)
        if done.returncode != 0:
            return done.returncode
    return 0


def one(seconds: str, name: str) -> None:
    """One target; what breaks it is printed with the bytes that did."""
    import atheris

    with atheris.instrument_imports(
        include=["producers", "consumers", "schemas", "compose", "jmespath"]
    ):
        from tests.unit.hostile.targets import TARGETS
    take, seeds = TARGETS[name]
    with tempfile.TemporaryDirectory(prefix="headrace-fuzz-") as directory:
        for number, seed in enumerate(seeds):
            Path(directory, str(number)).write_bytes(seed)
        limits = [
            f"-max_total_time={seconds}",
            "-max_len=4000",
            "-timeout=20",
            "-rss_limit_mb=2000",
            "-verbosity=0",
        ]
        atheris.Setup(
            [
                sys.argv[0],
                directory,
                f"-artifact_prefix={directory}/",
                "-print_final_stats=1",
                *limits,
            ],
            take,
        )
        atheris.Fuzz()


if __name__ == "__main__":
    if len(sys.argv) == 2:
        raise SystemExit(everything(sys.argv[1]))
    one(*sys.argv[1:])
