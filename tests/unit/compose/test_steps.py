"""Steps of a start: what an optional one cannot do, the others do without."""

import pytest

from compose.devstack.task_graph import Done, Step, carry_out


class Recorder:
    """Steps that say when they ran, and one that fails."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.done: list[Done] = []

    def step(self, name: str, *needs: str, fails: bool = False, is_optional: bool = False) -> Step:
        """One of them."""

        async def run() -> str:
            self.ran.append(name)
            if fails:
                raise RuntimeError(f"{name} is not there")
            return "fine"

        return Step(name, run, needs, is_optional)


async def test_what_an_optional_step_cannot_do_stops_nothing_but_what_is_optional_too() -> None:
    plan = Recorder()
    steps = (
        plan.step("postgres"),
        plan.step("kafka", fails=True, is_optional=True),
        plan.step("topics", "kafka", "postgres", is_optional=True),
        plan.step("api", "postgres"),
        plan.step("processes", "kafka", "topics", "postgres"),
    )
    await carry_out(steps, plan.done.append)
    assert set(plan.ran) == {"postgres", "kafka", "api", "processes"}
    assert [(one.name, one.detail) for one in plan.done if not one.ok] == [
        ("kafka", "kafka is not there")
    ]


async def test_any_other_failure_is_raised() -> None:
    plan = Recorder()
    steps = (plan.step("postgres", fails=True), plan.step("api", "postgres"))
    with pytest.raises(RuntimeError, match="postgres is not there"):
        await carry_out(steps, plan.done.append)
    assert plan.ran == ["postgres"]
