from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nkpredict.errors import InputError
from nkpredict.io import approve_gene_names, read_expression, resolve_gene


@pytest.mark.parametrize(
    ("given", "approved"),
    [
        ("2020-03-07", "MARCHF7"),
        ("2018-09-02 00:00:00", "SEPTIN2"),
        ("2018-09-02T00:00", "SEPTIN2"),
        ("2019/09/15", "SELENOF"),
        ("2018-12-01", "DELEC1"),
        ("7-MAR", "MARCHF7"),
        ("MAR-07", "MARCHF7"),
        ("sep-2", "SEPTIN2"),
    ],
)
def test_dates_of_every_form_are_read_back(given: str, approved: str) -> None:
    outcome = approve_gene_names([given])
    assert outcome.approved == (approved,)
    assert outcome.dates == {given: approved}


@pytest.mark.parametrize("given", ["2020-04-07", "25-Dec", "2018-03-30", "MAR7", "2020-03-07-1"])
def test_what_no_gene_became_stays_as_it_is(given: str) -> None:
    outcome = approve_gene_names([given])
    assert outcome.approved == (given,)
    assert outcome.dates == {}


def test_expression_has_its_dates_restored_too(tmp_path: Path, genes: list[str]) -> None:
    names = [*genes[:30], "2020-03-07", "2-SEP"]
    values = np.random.default_rng(0).normal(5, 2, (len(names), 6)).clip(0)
    path = tmp_path / "expression.csv"
    pd.DataFrame(values, index=names, columns=[f"S{i}" for i in range(6)]).to_csv(path)
    adata = read_expression(path)
    assert {"MARCHF7", "SEPTIN2"} <= set(adata.var_names)
    assert adata.uns["nkpredict"]["expression"]["genes_restored_from_dates"] == 2


@pytest.mark.parametrize(
    ("given", "symbol", "noted"),
    [
        ("JAK1", "JAK1", False),
        ("B7H6", "NCR3LG1", True),
        ("b2m", "B2M", True),
        ("ENSG00000166710.12", "B2M", True),
        ("7-Mar", "MARCHF7", True),
    ],
)
def test_a_name_is_resolved_to_one_gene(given: str, symbol: str, noted: bool) -> None:
    found, note = resolve_gene(given)
    assert found == symbol
    assert bool(note) == noted


def test_a_name_of_several_genes_is_refused_with_the_candidates() -> None:
    with pytest.raises(InputError, match=r"GBA is an old name of 2 genes \(GBA1, GBAP1\)"):
        resolve_gene("GBA")


def test_an_unknown_name_is_refused_with_similar_ones() -> None:
    with pytest.raises(InputError, match="Similar names: NCR3LG1"):
        resolve_gene("NCR3LG11")
    with pytest.raises(InputError, match="is no gene"):
        resolve_gene("")
