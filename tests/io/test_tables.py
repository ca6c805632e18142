"""Labelled tables of numbers: every cell is looked at, whatever wrote the file."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nkpredict.errors import InputError
from nkpredict.io import first_lines, is_missing, read_shipped_table, read_text_cells
from nkpredict.io._tables import (
    OTHER_ENTRIES,
    header_labels,
    read_labelled_matrix,
    read_text_table,
    separator_of,
)

LABEL = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=8)
LABELS = st.lists(
    LABEL.filter(lambda text: not is_missing(text)),
    min_size=1,
    max_size=4,
    unique=True,
)


@pytest.fixture
def write(tmp_path: Path):
    def to_file(text: str, name: str = "a.csv") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return to_file


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=LABELS, columns=LABELS, separator=st.sampled_from(",\t;"), data=st.data())
def test_what_is_written_is_what_is_read(tmp_path, rows, columns, separator, data) -> None:
    cells = st.floats(-1e6, 1e6, width=32) | st.just(float("nan"))
    values = data.draw(
        st.lists(
            st.lists(cells, min_size=len(columns), max_size=len(columns)),
            min_size=len(rows),
            max_size=len(rows),
        )
    )
    table = pd.DataFrame(values, rows, columns, dtype=np.float32)
    # a table of one column must not be told by a mark that stands in its label
    text = table.rename_axis("label").to_csv(sep=separator, quoting=2)
    header = text.splitlines()[0]
    if max(",\t;", key=header.count) != separator:
        return
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8")
    read = read_labelled_matrix(path, "profiles")
    assert list(read.index) == rows
    assert list(read.columns) == columns
    np.testing.assert_array_equal(read.to_numpy(), table.to_numpy())
    assert (read.dtypes == np.float32).all()


@pytest.mark.parametrize(
    ("text", "separator"), [("a\tb,c\td\n", "\t"), ("a;b\n", ";"), ("a,b;c,d\n", ",")]
)
def test_the_separator_is_the_mark_that_stands_most_often(write, text, separator) -> None:
    assert separator_of(write(text)) == separator


def test_a_single_column_is_no_table(write) -> None:
    with pytest.raises(InputError, match=r"has one column only \(first line: 'gene'\)"):
        separator_of(write("gene\nB2M\n"))


def test_the_label_that_r_leaves_out_is_put_back(write) -> None:
    path = write("A\tB\ng1\t1\t2\n")
    assert header_labels(path, "\t") == ["", "A", "B"]
    assert read_labelled_matrix(path, "profiles").loc["g1"].tolist() == [1, 2]
    assert header_labels(write('"x, y",B\ng1,1\n'), ",") == ["x, y", "B"]


def test_first_lines_of_plain_and_compressed_text(write, tmp_path: Path) -> None:
    plain = write("\ufeffa,b\r\n1,2\r\n3,4\r\n")
    packed = tmp_path / "b.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    for path in (plain, packed):
        assert first_lines(path) == ["a,b"]
        assert first_lines(path, 9) == ["a,b", "1,2", "3,4"]
    (tmp_path / "c").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="is not readable text"):
        first_lines(tmp_path / "c")


def test_labels_may_repeat_and_cells_may_be_missing(write) -> None:
    read = read_labelled_matrix(write("gene,A,A\nx,1,NA\nx,,4\n"), "profiles")
    assert list(read.columns) == ["A", "A"]
    assert list(read.index) == ["x", "x"]
    np.testing.assert_array_equal(read, [[1, np.nan], [np.nan, 4]])


def test_a_gene_called_like_a_missing_value_keeps_its_name(write) -> None:
    assert read_text_table(write("gene,n\nNAN,1\nTRUE,2\n"), "table")["gene"].tolist() == [
        "NAN",
        "TRUE",
    ]


def test_text_among_the_numbers_is_told_with_its_places(write) -> None:
    cells = "".join(f"s{i},1,high\n" for i in range(5))
    with pytest.raises(InputError, match=r"in 5 cells of 1 column \('high' at s0 / B;.*2 more\)"):
        read_labelled_matrix(write("gene,A,B\n" + cells), "profiles")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gene,A\n", "holds 0 rows and 1 columns of numbers; expected the profiles"),
        ("gene,A\nx,1\ny,1,2,3\n", "is not a well-formed table"),
        ("", "is empty"),
    ],
)
def test_malformed_tables_are_told(write, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_labelled_matrix(write(text), "profiles")


def test_of_several_profiles_of_a_model_depmap_names_one(write) -> None:
    path = write(
        "id,SequencingID,ModelID,IsDefaultEntryForModel,A,B\n"
        "0,S1,ACH-1,Yes,1,2\n1,S2,ACH-1,No,3,4\n2,S3,ACH-2,Yes,5,6\n"
    )
    read = read_labelled_matrix(path, "profiles")
    assert list(read.index) == ["ACH-1", "ACH-2"]
    np.testing.assert_array_equal(read[["A", "B"]], [[1, 2], [5, 6]])
    assert read.attrs[OTHER_ENTRIES] == 1


def test_parquet_reads_like_text(tmp_path: Path) -> None:
    table = pd.DataFrame({"gene": ["x", "y"], "A": [1.5, np.nan], "B": [2, 3]})
    table.to_parquet(tmp_path / "a.parquet")
    read = read_labelled_matrix(tmp_path / "a.parquet", "profiles")
    assert list(read.index) == ["x", "y"]
    np.testing.assert_array_equal(read, [[1.5, 2], [np.nan, 3]])
    table.assign(C="text").to_parquet(tmp_path / "b.parquet")
    with pytest.raises(InputError, match=r"has 2 columns that are not numbers \(gene, C\)"):
        read_labelled_matrix(tmp_path / "b.parquet", "profiles")
    (tmp_path / "c.parquet").write_bytes(b"PAR1 but not quite")
    with pytest.raises(InputError, match="is not a readable Parquet file"):
        read_labelled_matrix(tmp_path / "c.parquet", "profiles")


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


@pytest.mark.parametrize(
    "name",
    ["gene_groups.csv", "gene_names.tsv.gz", "drug_targets.csv", "drugs.csv", "drug_classes.csv"],
)
def test_shipped_tables_are_text_in_every_cell(name: str):
    table = read_shipped_table(name)
    assert table.map(lambda cell: isinstance(cell, str)).all(axis=None)
