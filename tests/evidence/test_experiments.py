"""The table of functional experiments is checked row by row."""

from __future__ import annotations

import pandas as pd
import pytest

from nkpredict.errors import InputError
from nkpredict.evidence import EXPERIMENT_COLUMNS, check_experiments, known_experiments
from nkpredict.io import approved_symbols, read_shipped_table


def test_the_shipped_table_keeps_its_contract() -> None:
    table = known_experiments()
    assert tuple(table.columns) == EXPERIMENT_COLUMNS
    assert set(table["gene"]) <= approved_symbols()
    assert set(table["direction"]) == {"sensitizes", "protects"}
    assert table["doi"].str.fullmatch(r"10\.\d{4,9}/\S+").all()
    assert not table[["gene", "axis", "group"]].drop_duplicates()["gene"].duplicated().any()
    table["gene"] = "changed"
    assert "changed" not in set(known_experiments()["gene"])


def test_every_publication_says_how_its_doi_was_confirmed() -> None:
    sources = read_shipped_table("experiment_sources.csv")
    assert set(sources["doi_seen"]) <= {"text", "citation", "no"}
    assert set(sources["abstract_read"]) <= {"yes", "no"}
    listed = sources.set_index("doi")["study"]
    published = known_experiments().drop_duplicates("doi").set_index("doi")["study"]
    pd.testing.assert_series_equal(listed.sort_index(), published.sort_index())


def row(**changes: str) -> dict[str, str]:
    values = {
        "gene": "B2M",
        "direction": "protects",
        "axis": "HLA class I and its brakes",
        "group": "HLA class I",
        "receptor": "KIR",
        "effector": "primary NK",
        "model": "K562",
        "scope": "general",
        "experiment": "knockout",
        "strength": "moderate",
        "study": "Author 2000",
        "doi": "10.1000/one",
        "note": "What was found.",
        "role": "direct",
    } | changes
    return {column: values[column] for column in EXPERIMENT_COLUMNS}


def test_contradictions_and_several_effectors_may_stand_beside_each_other() -> None:
    rows = [
        row(),
        row(effector="NK-92", direction="sensitizes"),
        row(doi="10.1000/two", direction="sensitizes"),
        row(gene="NCR3LG1", axis="", group="other"),
    ]
    check_experiments(pd.DataFrame(rows))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gene": "B7H6"}, "a gene that is no approved symbol"),
        ({"direction": "unknown"}, "a direction other than sensitizes, protects"),
        ({"axis": "ligands"}, "an? axis other than activating ligands"),
        ({"effector": "CTL"}, "an? effector other than primary NK"),
        ({"scope": "all"}, "a scope other than general, this line"),
        ({"experiment": "guess"}, "an? experiment other than knockout"),
        ({"strength": "certain"}, "a strength other than strong, moderate, weak"),
        ({"doi": ""}, "a missing or malformed DOI"),
        ({"doi": "doi:10.1000/one"}, "a missing or malformed DOI"),
        ({"study": ""}, "no study"),
        ({"note": ""}, "no note"),
        ({"model": " K562"}, "spaces around a value"),
    ],
)
def test_rows_that_break_the_contract_are_refused(changes: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message) as refused:
        check_experiments(pd.DataFrame([row(), row(**{"doi": "10.1000/two"} | changes)]))
    assert "in 1 rows" in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "the same gene, doi, effector, direction as another row"),
        ({"doi": "10.1000/two", "axis": "shields"}, "more than one axis for a gene"),
        ({"doi": "10.1000/two", "group": "ligand"}, "more than one group for a gene"),
        ({"gene": "TAP1", "study": "Other 2001"}, "more than one study under a DOI"),
    ],
)
def test_rows_that_disagree_are_refused(changes: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_experiments(pd.DataFrame([row(), row(**changes)]))


def test_a_table_with_other_columns_is_refused() -> None:
    with pytest.raises(InputError, match="has the columns gene, direction"):
        check_experiments(pd.DataFrame([row()]).drop(columns="note"))
