"""The child's entry point with misbehaving kinds beside the real ones, started as the worker
starts its own.
"""

from consumers.work.child import KINDS, main

HERE = "tests.integration.work_child.kinds"
MISBEHAVING = (
    *("babbling", "broken", "escaping", "filling", "forking"),
    *("greedy", "noisy", "orphaning", "spinning", "waiting"),
)

if __name__ == "__main__":
    main({**KINDS, **{name: f"{HERE}.{name}" for name in MISBEHAVING}})
