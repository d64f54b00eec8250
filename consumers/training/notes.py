"""What a reader of the measures must know of the rows that they were taken on."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from consumers.training.labels import label_text
from consumers.training.plan import FOLDS, Plan
from schemas.bounds import cut

MOST_NAMED = 5


def notes(
    plan: Plan,
    folds: int,
    known: Collection[object],
    trained: Collection[object],
    held_out: Collection[object],
) -> tuple[str, ...]:
    """`known`, `trained` and `held_out` are the classes of all rows, of those to train on and of
    those held out.
    """
    said = []
    if unlearned := sorted(label_text(label) for label in set(known) - set(trained)):
        said.append(f"no row to train on has {_named(unlearned)}: the model cannot predict it")
    if unmeasured := sorted(label_text(label) for label in set(known) - set(held_out)):
        said.append(
            f"no held-out row has {_named(unmeasured)}: how well it is predicted was not measured"
        )
    if known and folds < FOLDS[plan.profile]:
        said.append(f"the candidates were compared by {folds} folds, for a class has few rows")
    return tuple(said)


def merged_classes(spellings: Sequence[Sequence[str]], target: str) -> tuple[str, ...]:
    """`spellings` are the texts of each class that is written in several ways."""
    if not spellings:
        return ()
    said = "; ".join(_joined(texts) + " are one class" for texts in spellings[:MOST_NAMED])
    more = len(spellings) - MOST_NAMED
    rest = f" (and {more} classes more)" if more > 0 else ""
    return (f"{said}{rest}; upload with types={target}:text to keep them apart",)


def _joined(texts: Sequence[str]) -> str:
    shown = [cut(text, 40) for text in texts[:MOST_NAMED]]
    if len(texts) > MOST_NAMED:
        return ", ".join(shown) + " …"
    return " and ".join([", ".join(shown[:-1]), shown[-1]])


def _named(labels: list[str]) -> str:
    shown = " or ".join(repr(cut(label, 40)) for label in labels[:MOST_NAMED])
    return f"the class {shown}" + (
        f" (and {len(labels) - MOST_NAMED} more)" if len(labels) > MOST_NAMED else ""
    )
