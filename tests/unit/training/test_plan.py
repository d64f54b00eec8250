"""The plan is a pure function of its arguments, can be stored, and says what it left out."""

import json

import pytest

from consumers.training.plan import Plan, Profile, Task, make_plan


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_equal_arguments_make_equal_plans(task: Task) -> None:
    assert make_plan(task, 500, 10, 60, 7) == make_plan(task, 500, 10, 60, 7)


def test_a_plan_comes_back_from_json_as_it_was() -> None:
    plan = make_plan("classification", 500, 10, 60, 7)
    assert Plan.model_validate(json.loads(plan.model_dump_json())) == plan


@pytest.mark.parametrize(
    ("budget", "asked", "profile", "reason"),
    [
        (60, None, "fast", "the budget is below 300 seconds"),
        (600, None, "standard", "the budget is at least 300 seconds"),
        (600, "fast", "fast", "asked for"),
        (60, "standard", "standard", "asked for"),
    ],
)
def test_the_profile_is_said_with_its_reason(
    budget: float, asked: Profile, profile: str, reason: str
) -> None:
    plan = make_plan("regression", 500, 10, budget, 0, asked)
    assert (plan.profile, plan.profile_reason) == (profile, reason)


def test_the_profiles_differ_in_folds_and_trees() -> None:
    fast, standard = (
        make_plan("regression", 500, 10, 600, 0, profile) for profile in ("fast", "standard")
    )
    assert (fast.folds, standard.folds) == (3, 5)
    assert fast.candidates[1].params["n_estimators"] == 100
    assert standard.candidates[1].params["n_estimators"] == 300


def test_the_seed_reaches_every_random_estimator() -> None:
    plan = make_plan("classification", 500, 10, 60, 41)
    assert [candidate.params.get("random_state") for candidate in plan.candidates] == [None, 41, 41]


def test_what_does_not_fit_the_budget_is_left_out_and_named() -> None:
    plan = make_plan("classification", 2_000_000, 100, 60, 0)
    assert [candidate.name for candidate in plan.candidates] == ["logistic_regression"]
    assert [left.name for left in plan.left_out] == ["random_forest", "hist_gradient_boosting"]
    assert all("of the budget" in left.reason for left in plan.left_out)


def test_one_candidate_stays_whatever_the_budget() -> None:
    assert len(make_plan("regression", 10_000_000, 1000, 0.001, 0).candidates) == 1


def test_small_data_gets_all_candidates() -> None:
    plan = make_plan("regression", 442, 10, 60, 0)
    assert [candidate.name for candidate in plan.candidates] == [
        "ridge",
        "random_forest",
        "hist_gradient_boosting",
    ]
    assert plan.left_out == ()
    assert plan.held_out_fraction == 0.25
