"""Scores written into an AnnData and into a copy of its cell_file, and pictures of them."""

from __future__ import annotations

import json

import anndata
import numpy as np
import pytest

import nkpredict
from nkpredict.errors import InputError


@pytest.fixture(scope="module")
def scored(cell_models, cell_adata):
    cells = cell_adata.copy()
    nkpredict.tl.score(cells, cell_models["prior"], groupby="patient", contributions=True)
    rng = np.random.default_rng(0)
    cells.obsm["X_umap"] = rng.normal(size=(cells.n_obs, 2))
    return cells


@pytest.mark.slow
def test_numbers_of_cells_and_groups_are_in_obs(scored, cell_models, cell_adata) -> None:
    scores = nkpredict.score_cells(cell_adata, cell_models["prior"], groupby="patient")
    assert scored.obs["nk_susceptibility"].equals(
        scores.table["susceptibility"].set_axis(cell_adata.obs_names).rename("nk_susceptibility")
    )
    of_group = scored.obs["patient"].astype(str).map(scores.groups.table["susceptibility"])
    assert (scored.obs["nk_group_susceptibility"] == of_group).all()
    assert (scored.obs["nk_group_lower"] < scored.obs["nk_group_upper"]).all()
    facts = json.loads(scored.uns["nkpredict_cells"])
    assert facts["cells"] == cell_adata.n_obs
    assert "simulated" in facts


@pytest.mark.slow
def test_contributions_add_up(scored, cell_models) -> None:
    parts = scored.obsm["nk_contributions"]
    assert set(parts.dtypes) == {np.dtype("float32")}
    known = scored.obs["nk_susceptibility"].notna().to_numpy()
    total = parts.sum(axis=1).to_numpy()[known]
    assert total == pytest.approx(scored.obs["nk_susceptibility"].to_numpy()[known], abs=1e-5)


@pytest.mark.slow
def test_what_was_written_can_be_stored(scored, tmp_path) -> None:
    scored.write_h5ad(tmp_path / "scored.h5ad")
    again = anndata.read_h5ad(tmp_path / "scored.h5ad")
    assert again.obs["nk_susceptibility"].equals(scored.obs["nk_susceptibility"])


@pytest.mark.slow
def test_a_copy_of_the_file_gets_the_numbers(cell_models, cell_adata, cell_file, tmp_path) -> None:
    before = cell_file.read_bytes()
    scores = nkpredict.score_cells(cell_file, cell_models["prior"], groupby="patient")
    copy = nkpredict.write_h5ad(scores, cell_file, tmp_path / "scored.h5ad")
    again = anndata.read_h5ad(copy)
    cells = cell_adata.copy()
    scores.annotate(cells)
    assert list(again.obs) == list(cells.obs)
    for column in cells.obs:
        assert again.obs[column].equals(cells.obs[column]), column
    assert (again.X != cell_adata.X).nnz == 0
    assert cell_file.read_bytes() == before
    twice = nkpredict.write_h5ad(scores, copy, tmp_path / "twice.h5ad")
    assert list(anndata.read_h5ad(twice).obs) == list(cells.obs)


def test_cells_that_were_not_scored_get_no_number(cell_models, cell_file, tmp_path) -> None:
    scores = nkpredict.score_cells(cell_file, cell_models["prior"], cells="kind=malignant")
    again = anndata.read_h5ad(nkpredict.write_h5ad(scores, cell_file, tmp_path / "scored.h5ad"))
    other = again.obs["kind"] == "T cell"
    assert again.obs.loc[other, "nk_susceptibility"].isna().all()


def test_the_file_that_was_scored_is_not_overwritten(cell_models, cell_file) -> None:
    scores = nkpredict.score_cells(cell_file, cell_models["prior"])
    with pytest.raises(InputError, match="is the file that was scored"):
        nkpredict.write_h5ad(scores, cell_file, cell_file)


def test_an_anndata_on_disk_is_not_written_into(cell_models, cell_file) -> None:
    with pytest.raises(InputError, match="backed by a file"):
        nkpredict.tl.score(anndata.read_h5ad(cell_file, backed="r"), cell_models["prior"])


@pytest.mark.slow
def test_pictures_are_drawn(scored, tmp_path) -> None:
    axes = nkpredict.pl.umap(scored, save=tmp_path / "umap.png")
    assert axes.get_title(loc="left") == "299 cells by screen score"
    axes = nkpredict.pl.violin(scored, "patient", save=tmp_path / "violin.svg")
    labels = [label.get_text().split("\n")[0] for label in axes.get_yticklabels()]
    medians = scored.obs.groupby("patient", observed=True)["nk_susceptibility"].median()
    assert labels == list(medians.sort_values().index)
    diamonds = [line for line in axes.get_lines() if line.get_marker() == "D"]
    assert len(diamonds) == 3
    by_plate = nkpredict.pl.violin(scored, "plate")  # not the groups that were scored
    assert not [line for line in by_plate.get_lines() if line.get_marker() == "D"]


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda a: nkpredict.pl.umap(a, basis="X_tsne"), "no embedding 'X_tsne' in obsm"),
        (lambda a: nkpredict.pl.umap(a, "nk_nothing"), "no column 'nk_nothing' in obs; score it"),
        (lambda a: nkpredict.pl.violin(a, "nothing"), "no column 'nothing' in obs"),
        (lambda a: nkpredict.pl.violin(a, "nk_umis"), "expected 1 to 60"),
    ],
)
def test_what_cannot_be_drawn_is_said(scored, draw, words: str) -> None:
    with pytest.raises(InputError, match=words):
        draw(scored)
