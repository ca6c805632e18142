"""Groups of cells are scored as bulk samples, and what cells and depth leave open is said."""

from __future__ import annotations

import anndata
import numpy as np
import pandas as pd
import pytest

import nkpredict
from nkpredict.cells import FEW_CELLS
from nkpredict.errors import InputError
from tests.celled import cells_of


@pytest.fixture(scope="module")
def scores(cell_models, cell_adata):
    return nkpredict.score_cells(cell_adata, cell_models["ridge and trees"], groupby="patient")


def summed(cell_adata, rows) -> pd.DataFrame:
    return pd.DataFrame(
        np.asarray(cell_adata.X[rows].sum(axis=0)), index=["P"], columns=cell_adata.var_names
    )


@pytest.mark.parametrize("patient", ["P1", "P2", "P3"])
def test_a_group_is_scored_as_the_bulk_sample_of_its_counts(
    cell_models, cell_adata, scores, patient: str
) -> None:
    rows = (cell_adata.obs["patient"] == patient).to_numpy()
    model = cell_models["ridge and trees"]
    bulk = nkpredict.score(summed(cell_adata, rows), model, unit="counts").table.iloc[0]
    group = scores.groups.table.loc[patient]
    assert group["susceptibility"] == pytest.approx(bulk["susceptibility"], abs=1e-9)
    assert group["percentile"] == bulk["percentile"]
    assert group["cells"] == rows.sum()
    assert group["umis"] == cell_adata.X[rows].sum()


def test_the_interval_of_the_model_is_widened_by_cells_and_depth(scores, cell_adata) -> None:
    table = scores.groups.table
    rows = {patient: (cell_adata.obs["patient"] == patient).to_numpy() for patient in table.index}
    own = (table["sampling_upper"] - table["sampling_lower"]) / 2
    assert (own > 0).all()
    for patient, chosen in rows.items():
        bulk = nkpredict.score(summed(cell_adata, chosen), scores.bundle, unit="counts")
        middle, lower, upper = bulk.table.iloc[0][["susceptibility", "lower", "upper"]]
        group = table.loc[patient]
        assert group["lower"] == pytest.approx(middle - np.hypot(middle - lower, own[patient]))
        assert group["upper"] == pytest.approx(middle + np.hypot(upper - middle, own[patient]))


def test_fewer_cells_are_known_less_surely(cell_models, cell_genes) -> None:
    cells = cells_of(cell_genes, 1000, depth=3)
    cells.obs["size"] = ["large"] * 900 + ["small"] * 95 + ["tiny"] * 5
    groups = nkpredict.score_cells(cells, cell_models["prior"], groupby="size").groups
    spread = groups.table["sampling_sd"]
    assert spread["large"] < spread["small"] < spread["tiny"]
    assert "few_cells" in groups.table.loc["tiny", "flags"]
    assert "few_cells" not in groups.table.loc["small", "flags"]
    said = [
        words for words in groups.provenance.warnings if f"fewer than {FEW_CELLS} cells" in words
    ]
    assert len(said) == 1
    assert "(tiny)" in said[0]


@pytest.mark.slow
def test_the_drawn_spread_is_that_of_other_cells(cell_models, cell_genes) -> None:
    """What drawing the cells of one group anew tells is how groups of other cells differ."""
    cells = cells_of(cell_genes, 4000, seed=3, depth=3)
    cells.obs["group"] = [f"G{number % 40:02d}" for number in range(4000)]
    table = nkpredict.score_cells(
        cells, cell_models["ridge and trees"], groupby="group"
    ).groups.table
    ratio = table["sampling_sd"].mean() / table["susceptibility"].std()
    assert 0.7 < ratio < 1.4


def test_thin_groups_are_not_ranked_in_silence(cell_models, cell_genes) -> None:
    cells = cells_of(cell_genes, 400, depth=0.2)
    cells.obs["group"] = "all"
    groups = nkpredict.score_cells(cells, cell_models["prior"], groupby="group").groups
    deep = cells_of(cell_genes, 400, depth=50)
    deep.obs["group"] = "all"
    sure = nkpredict.score_cells(deep, cell_models["prior"], groupby="group").groups
    assert groups.table["sampling_sd"].iloc[0] > sure.table["sampling_sd"].iloc[0]
    assert "low_depth" not in sure.table["flags"].iloc[0]


def test_cells_are_chosen_by_a_value(cell_models, cell_adata) -> None:
    model = cell_models["prior"]
    chosen = cell_adata[(cell_adata.obs["kind"] == "malignant").to_numpy()].copy()
    found = nkpredict.score_cells(cell_adata, model, groupby="patient", cells="kind=malignant")
    expected = nkpredict.score_cells(chosen, model, groupby="patient")
    pd.testing.assert_frame_equal(found.table, expected.table)
    same = ["susceptibility", "percentile", "cells", "umis"]
    pd.testing.assert_frame_equal(found.groups.table[same], expected.groups.table[same])
    both = nkpredict.score_cells(cell_adata, model, cells="kind=malignant|T cell")
    assert both.facts.cells == cell_adata.n_obs


def test_a_group_without_cells_has_no_score(cell_models, cell_adata) -> None:
    cells = cell_adata.copy()
    cells.obs["patient"] = cells.obs["patient"].cat.add_categories("P9")
    cells.obs.loc[cells.obs_names[:20], "patient"] = np.nan
    found = nkpredict.score_cells(cells, cell_models["prior"], groupby="patient")
    assert list(found.groups.table.index) == ["P1", "P2", "P3"]
    assert found.table["group"].isna().sum() == 20
    assert found.facts.grouping.cells_without_group == 20


def test_groups_are_explained_as_any_cohort(cell_models, cell_adata) -> None:
    scores = nkpredict.score_cells(cell_adata, cell_models["ridge and trees"], groupby="patient")
    explained = nkpredict.explain_scores(scores.groups)
    parts = explained.contributions.sum(axis=1) + explained.base_value
    assert parts.to_numpy() == pytest.approx(explained.table["susceptibility"].to_numpy())


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"groupby": "nothing"}, "has no column 'nothing' in obs; it has patient, kind, plate"),
        ({"cells": "malignant"}, "name no value"),
        ({"cells": "kind=B cell"}, "has no value B cell; it has T cell, malignant"),
        ({"cells": "nothing=x"}, "has no column 'nothing'"),
    ],
)
def test_what_is_not_there_is_said(cell_models, cell_adata, asked: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        nkpredict.score_cells(cell_adata, cell_models["prior"], **asked)


def test_groups_need_counts(cell_models, cell_adata) -> None:
    normalised = cell_adata.copy()
    normalised.X = normalised.X.log1p()
    with pytest.raises(InputError, match="holds no counts"):
        nkpredict.score_cells(normalised, cell_models["prior"], groupby="patient")
    assert nkpredict.score_cells(normalised, cell_models["prior"]).groups is None


def test_names_of_cells_are_no_groups(cell_models, cell_adata) -> None:
    many = anndata.AnnData(cell_adata.X[np.resize(np.arange(300), 2100)], var=cell_adata.var)
    many.obs["own"] = [f"C{number}" for number in range(2100)]
    with pytest.raises(InputError, match="has 2,100 values; expected groups"):
        nkpredict.score_cells(many, cell_models["prior"], groupby="own")
