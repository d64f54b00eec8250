"""Three real data sets, from the files that scikit-learn ships.

Scikit-learn itself is not imported.
"""

import csv
import gzip
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from compose.cli.failure import CommandFailure

WINE_COLUMNS = (
    "alcohol",
    "malic_acid",
    "ash",
    "alcalinity_of_ash",
    "magnesium",
    "total_phenols",
    "flavanoids",
    "nonflavanoid_phenols",
    "proanthocyanins",
    "color_intensity",
    "hue",
    "od280/od315_of_diluted_wines",
    "proline",
)
CELL_COLUMNS = tuple(
    f"{statistic} {measure}" if statistic != "error" else f"{measure} error"
    for statistic in ("mean", "error", "worst")
    for measure in (
        "radius",
        "texture",
        "perimeter",
        "area",
        "smoothness",
        "compactness",
        "concavity",
        "concave points",
        "symmetry",
        "fractal dimension",
    )
)
PATIENT_COLUMNS = ("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6")
Row = Sequence[str]


@dataclass(frozen=True)
class DataSet:
    """One data set: what to predict, how many rows it has, and what its model is measured by."""

    name: str
    target: str
    rows: int
    metrics: tuple[str, ...]

    @property
    def model(self) -> str:
        """The model line that the demo trains from it."""
        return f"demo-{self.name}"


CLASSIFIED = ("accuracy", "balanced_accuracy", "f1_macro")
MEASURED = ("r2", "rmse", "mae")
WINE = DataSet("wine", "cultivar", 178, CLASSIFIED)
BREAST_CANCER = DataSet("breast-cancer", "diagnosis", 569, CLASSIFIED)
DIABETES = DataSet("diabetes", "progression", 442, MEASURED)
ALL = (WINE, BREAST_CANCER, DIABETES)


def write(data: DataSet, directory: Path) -> Path:
    """Write a data set as CSV with a header; returns the file."""
    header, rows = {WINE: _wine, BREAST_CANCER: _breast_cancer, DIABETES: _diabetes}[data]()
    path = directory / f"{data.name}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*header, data.target])
        writer.writerows(rows)
    return path


def _wine() -> tuple[Row, Iterable[Row]]:
    return WINE_COLUMNS, _labelled("wine_data.csv")


def _breast_cancer() -> tuple[Row, Iterable[Row]]:
    return CELL_COLUMNS, _labelled("breast_cancer.csv")


def _diabetes() -> tuple[Row, Iterable[Row]]:
    with gzip.open(_shipped("diabetes_data_raw.csv.gz"), "rt") as features:
        rows = [line.split() for line in features]
    with gzip.open(_shipped("diabetes_target.csv.gz"), "rt") as targets:
        progression = [f"{float(line):g}" for line in targets]
    return PATIENT_COLUMNS, [[*row, target] for row, target in zip(rows, progression, strict=True)]


def _labelled(name: str) -> list[Row]:
    """Rows with their class as a word.

    The first line has the counts and then the classes' names.
    """
    with _shipped(name).open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        names = next(reader)[2:]
        return [[*row[:-1], names[int(row[-1])]] for row in reader]


def _shipped(name: str) -> Path:
    # Found, not imported: the command line stays free of scikit-learn.
    found = find_spec("sklearn")
    if found is None or found.origin is None:
        raise CommandFailure(
            "scikit-learn is not installed, and the demo takes its data from there", "make install"
        )
    return Path(found.origin).parent / "datasets" / "data" / name
