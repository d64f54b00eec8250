"""Whatever validation accepts ends as a model, or with a refusal that says what to do: never
with an exception.
"""

import json
import math
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings

from consumers.work.child import ChildRefusal
from tests.chance import LONG, few
from tests.unit.training.running import outcome
from tests.unit.training.tables import Drawn, tables

pytestmark = [
    pytest.mark.fuzz,
    pytest.mark.timeout(7200 if LONG else 600),
    pytest.mark.filterwarnings("ignore"),  # of the libraries, about data that is meant to be odd
]
CODES = {"task_unsuitable", "too_few_rows", "target_unusable", "no_features", "out_of_range"}


# Shrinking trains hundreds of models: only the long form has the time for it.
AMOUNT = settings(max_examples=1000) if LONG else few(30)
PHASES = list(Phase) if LONG else [Phase.explicit, Phase.generate]


@settings(
    AMOUNT, phases=PHASES, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(tables())
def test_any_valid_file_is_a_model_or_a_refusal(table: Drawn) -> None:
    note(f"{table.target!r} {table.options} {table.budget_seconds}\n{table.text}")
    with TemporaryDirectory() as name:
        found = outcome(
            Path(name), table.text, table.target, table.options, budget_seconds=table.budget_seconds
        )
        if isinstance(found, ChildRefusal):
            assert found.failure_class in ("user_data", "user_config")
            assert found.code in CODES
        elif found is not None:
            assert found.metrics
            assert found.metrics.keys() == found.baseline.keys()
            assert all(
                math.isfinite(one) for one in (*found.metrics.values(), *found.baseline.values())
            )
            json.dumps(found.model_dump(mode="json"), allow_nan=False)
            assert json.loads((Path(name) / "model.json").read_text())["task"] == found.task
