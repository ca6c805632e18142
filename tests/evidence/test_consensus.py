"""What published screens agree on, weighed by the effector cells they used."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nkpredict.evidence import known_evidence, known_hits


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return known_evidence().table


@pytest.fixture(scope="module")
def hits() -> pd.DataFrame:
    found = known_hits()
    return found[found["direction"] != "unknown"]


def test_every_gene_with_a_direction_is_there_once(table, hits) -> None:
    assert set(table.index) == set(hits["gene"])
    assert table.index.is_unique
    assert table["n_screens"].sum() == len(hits)


def test_a_direction_that_nobody_contradicts_is_kept(table, hits) -> None:
    signs = hits["direction"].map({"sensitizes": 1, "protects": -1}).groupby(hits["gene"])
    agreed = signs.min() == signs.max()
    genes = agreed.index[agreed]
    np.testing.assert_array_equal(np.sign(table.loc[genes, "evidence"]), signs.first()[genes])
    assert not table.loc[genes, "conflict"].any()
    assert table.loc[genes, "agreement"].eq(1).all()


def test_primary_nk_cells_count_more_than_others_and_a_contradiction_costs(table, hits) -> None:
    primary = table.index.isin(hits.loc[hits["effector"] == "primary NK", "gene"])
    strength = table["evidence"].abs()
    certain = strength[primary & ~table["conflict"]]
    others = strength[~primary & ~table["conflict"]]
    disputed = strength[primary & table["conflict"] & (strength > 0)]
    assert len(certain)
    assert len(others)
    assert len(disputed)
    assert certain.min() == 1
    assert others.max() < 0.8
    assert others.min() > 0.2
    assert disputed.max() < 0.8
    assert disputed.min() > 0.2


def test_every_study_is_named_with_its_doi(hits) -> None:
    evidence = known_evidence()
    studies = evidence.to_json_dict()["provenance"]["studies"]
    assert set(studies) == set(hits["study"])
    assert all(doi.startswith("10.") for doi in studies.values())
    assert not evidence.simulated
