"""A target is the same where its name looks the same, however it was written."""

import pytest

from schemas.models import ModelTask, task_mismatch


@pytest.mark.parametrize(
    ("kept", "asked"),
    [
        ("total price", "total  price"),
        ("total  price", "total price"),  # kept by an earlier release
        ("total price", "\ufefftotal\u00a0price "),
    ],
)
def test_a_model_has_the_target_that_looks_the_same(kept: str, asked: str) -> None:
    known = ModelTask(target=kept, task="regression")
    assert task_mismatch("m", known, asked, None) is None
    assert task_mismatch("m", known, asked, "classification") is not None
    assert task_mismatch("m", known, asked.replace("price", "cost"), None) is not None
