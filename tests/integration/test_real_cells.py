"""Real single cells, in the stores that pipelines write."""

from __future__ import annotations

import gzip
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import io
from scipy.stats import spearmanr

import nkpredict

FILE = "single_cell/malt_lymphoma_10x_umi.h5ad"


@pytest.fixture(scope="module")
def lymphoma(shared_data: Path) -> anndata.AnnData:
    if not (shared_data / FILE).exists():
        pytest.skip(f"{FILE} is not there")
    return anndata.read_h5ad(shared_data / FILE)


@pytest.fixture(scope="module")
def expected(shared_data: Path, lymphoma) -> nkpredict.CellScores:
    return nkpredict.score_cells(shared_data / FILE, groupby="sample")


def tenx(cells: anndata.AnnData, folder: Path) -> Path:
    with h5py.File(folder / "filtered_feature_bc_matrix.h5", "w") as file:
        group = file.create_group("matrix")
        text = h5py.string_dtype()
        group.create_dataset("data", data=cells.X.data.astype(np.int32), compression="gzip")
        group.create_dataset("indices", data=cells.X.indices, compression="gzip")
        group["indptr"] = cells.X.indptr.astype(np.int64)
        group["shape"] = np.array(cells.shape[::-1])
        group["barcodes"] = np.asarray(cells.obs_names, dtype=text)
        names = np.asarray(cells.var_names, dtype=text)
        features = group.create_group("features")
        features["id"], features["name"] = names, names
        features["feature_type"] = np.asarray(["Gene Expression"] * len(names), dtype=text)
    return folder / "filtered_feature_bc_matrix.h5"


def market(cells: anndata.AnnData, folder: Path) -> Path:
    target = folder / "filtered_feature_bc_matrix"
    target.mkdir()
    with gzip.open(target / "matrix.mtx.gz", "wb", compresslevel=1) as stream:
        io.mmwrite(stream, cells.X.T.astype(np.int32).tocsc())
    names = "".join(f"{name}\t{name}\tGene Expression\n" for name in cells.var_names)
    (target / "features.tsv.gz").write_bytes(gzip.compress(names.encode()))
    barcodes = "".join(f"{name}\n" for name in cells.obs_names)
    (target / "barcodes.tsv.gz").write_bytes(gzip.compress(barcodes.encode()))
    return target


def zarr(cells: anndata.AnnData, folder: Path) -> Path:
    cells.write_zarr(folder / "cells.zarr")
    return folder / "cells.zarr"


@pytest.mark.filterwarnings("ignore:Writing zarr v2")
@pytest.mark.parametrize("store", [tenx, market, zarr])
def test_every_store_of_a_lymphoma_gives_the_same_numbers(lymphoma, expected, tmp_path, store):
    path = store(lymphoma, tmp_path)
    found = nkpredict.score_cells(path, keep=tmp_path / "keep").table
    columns = ["susceptibility", "umis", "genes", "flags"]
    pd.testing.assert_frame_equal(found[columns], expected.table[columns])


def test_a_cell_of_a_lymphoma_gets_the_number_of_its_dense_profile(lymphoma, expected) -> None:
    rows = np.arange(0, lymphoma.n_obs, 21)
    # two columns of the file are one gene of the model
    dense = pd.DataFrame(lymphoma.X[rows].toarray(), columns=lymphoma.var_names)
    from nkpredict.io import approve_gene_names

    model = expected.bundle.model
    symbols = approve_gene_names(list(dense.columns), frozenset(model.feature_names_in_)).approved
    summed = dense.T.groupby(list(symbols)).sum().T
    number = expected.table["susceptibility"].to_numpy()[rows]
    assert number == pytest.approx(model.predict(summed), abs=1e-9)


def test_a_single_cell_is_too_shallow_to_be_ranked(expected) -> None:
    depth = expected.facts.depth
    assert depth.cells == 500
    assert depth.reliability < 0.6
    assert depth.shift_at_half > 0.05
    assert "do not rank single cells" in expected.facts.warnings[0]


def test_large_groups_of_cells_are_known_and_small_ones_are_flagged(lymphoma, expected) -> None:
    table = expected.groups.table
    assert list(table["cells"]) == [1100, 1000]
    assert (table["sampling_sd"] < 0.1).all()
    assert not table["flags"].str.contains("low_depth|few_cells").any()
    rng = np.random.default_rng(0)
    cells = lymphoma[rng.permutation(lymphoma.n_obs)[:420]].copy()
    cells.obs["group"] = ["large"] * 400 + ["small"] * 20
    flags = nkpredict.score_cells(cells, groupby="group").groups.table["flags"]
    assert "few_cells" in flags["small"]
    assert "few_cells" not in flags["large"]


def test_thinned_cells_lose_their_order_and_that_is_said(lymphoma, expected) -> None:
    thin = lymphoma[:600].copy()
    thin.X.data = np.random.default_rng(0).binomial(thin.X.data.astype(int), 0.15).astype(float)
    thin.X.eliminate_zeros()
    found = nkpredict.score_cells(thin)
    read = found.table["susceptibility"].notna().to_numpy()
    whole = expected.table["susceptibility"].iloc[:600]
    assert spearmanr(found.table["susceptibility"][read], whole[read]).statistic < 0.6
    assert found.facts.warnings
    assert found.table["flags"].str.contains("few_umis").mean() > 0.8
