"""Both models, walked by chance: a little and always the same in `make test`, long and anew in
`make fuzz`.
"""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from compose.postgres.connections import engine
from compose.settings import Settings
from tests.chance import LONG
from tests.integration.model.delivery import Deliveries
from tests.integration.model.ground import Ground
from tests.integration.model.leases import Leases

pytestmark = [pytest.mark.fuzz, pytest.mark.timeout(3600 if LONG else 600)]


@pytest.fixture
def ground(database: str, database_settings: Settings) -> Iterator[Ground]:
    """The test's database, from a loop of its own."""
    made = Ground(
        database, database_settings, lambda role: engine(database, role, "model", pool_size=3)
    )
    yield made
    made.close()


@pytest.mark.parametrize(
    ("model", "few"), [(Deliveries, 28), (Leases, 12)], ids=["deliveries", "leases"]
)
def test_whatever_happens(ground: Ground, model: type[RuleBasedStateMachine], few: int) -> None:
    walked = type(model.__name__, (model,), {"ground": ground})
    examples, steps = (300, 60) if LONG else (few, 25)
    run_state_machine_as_test(
        walked,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
