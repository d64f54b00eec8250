"""The table that training sees: names are no patterns, cells are read as validation decided."""

from pathlib import Path

import pytest

from consumers.training.table import read_table
from consumers.work.child import ChildRefusal
from schemas.datasets import Column


def written(path: Path, *lines: str) -> Path:
    file = path / "data.csv"
    file.write_text("\n".join(lines) + "\n")
    return file


@pytest.mark.parametrize("target", ["*", "^a.*$", "abc", "c1"])
def test_a_name_that_polars_takes_for_a_pattern_is_a_name(target: str, tmp_path: Path) -> None:
    names = ("*", "^a.*$", "abc", "c1")
    file = written(tmp_path, ",".join(names), "1,2,3,x", "4,5,6,y")
    columns = [
        Column(name=one, type="text" if one == "c1" else "integer", missing=()) for one in names
    ]
    table = read_table(file, columns, target)
    place = names.index(target)
    assert [*map(str, table.target)] == ["123x"[place], "456y"[place]]
    assert table.features.columns == [one for one in names if one != target]
    assert [column.name for column in table.columns] == table.features.columns


def test_words_are_missing_where_the_column_says_so(tmp_path: Path) -> None:
    file = written(tmp_path, "region,price", "NA,NA", "EU,2", ",3", "null,NA")
    columns = [
        Column(name="region", type="text", missing=()),
        Column(name="price", type="number", missing=("NA",)),
    ]
    table = read_table(file, columns, "region")
    assert (table.target.to_list(), table.rows_without_target) == (["NA", "EU", "null"], 1)
    assert table.features["price"].to_list() == [None, 2.0, None]


def test_columns_of_the_first_reader_are_read_by_its_rules(tmp_path: Path) -> None:
    file = written(tmp_path, "region,price", "NA,1", "EU,N/A", "NA,null", "n/a,4")
    columns = [Column(name="region", type="text"), Column(name="price", type="number")]
    table = read_table(file, columns, "region")
    assert (table.target.to_list(), table.rows_without_target) == (["EU", "n/a"], 1)
    assert table.features["price"].to_list() == [None, 4.0]


def test_a_number_that_cannot_be_squared_is_refused_with_column_and_rows(tmp_path: Path) -> None:
    file = written(tmp_path, "n,x,y", "1,1e300,1", "", "2,NA,2", "3,-1.5e200,3", "4,4,4")
    columns = [
        Column(name="n", type="integer", missing=()),
        Column(name="x", type="number", missing=("NA",)),
        Column(name="y", type="integer", missing=()),
    ]
    with pytest.raises(ChildRefusal) as caught:
        read_table(file, columns, "y")
    assert (caught.value.failure_class, caught.value.code) == ("user_data", "out_of_range")
    assert "'x'" in caught.value.message
    assert "row 2, 5" in caught.value.message
    assert "1e300" in caught.value.message
