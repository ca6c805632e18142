from __future__ import annotations

from pathlib import Path

import pytest

from nkpredict.errors import InputError
from nkpredict.io import is_missing, read_shipped_table, read_text_cells
from nkpredict.io._tables import read_text_table

MISSING = ["", "NA", "NaN", "nan", "N/A", "null", "NULL", "None", "#N/A", "<NA>"]


@pytest.mark.parametrize("word", MISSING)
def test_both_readers_know_the_same_missing_words(tmp_path: Path, word: str):
    path = tmp_path / "table.csv"
    path.write_text(f"name,value\na,{word}\nb,told\n")
    assert is_missing(word)
    assert is_missing(f" {word.swapcase()} ")
    assert read_text_table(path, "table")["value"].isna().tolist() == [True, False]
    assert read_text_cells(path, "table")[0]["value"].tolist() == ["", "told"]


def test_a_word_that_begins_like_a_missing_one_is_told():
    assert not is_missing("NANOG")
    assert not is_missing("0")


@pytest.mark.parametrize("reader", [read_text_table, read_text_cells])
def test_a_table_of_one_column_is_refused(tmp_path: Path, reader):
    path = tmp_path / "table.csv"
    path.write_text("name\na\n")
    with pytest.raises(InputError, match="one column only"):
        reader(path, "table")


def test_numbers_are_kept_as_written_on_demand(tmp_path: Path):
    path = tmp_path / "table.csv"
    path.write_text("name,value\n01005,1\n")
    assert read_text_table(path, "table", as_text=True)["name"].tolist() == ["01005"]
    assert read_text_table(path, "table")["name"].tolist() == [1005]


@pytest.mark.parametrize("name", ["gene_groups.csv", "gene_names.tsv.gz", "drug_targets.csv"])
def test_shipped_tables_are_text_in_every_cell(name: str):
    table = read_shipped_table(name)
    assert table.map(lambda cell: isinstance(cell, str)).all(axis=None)
