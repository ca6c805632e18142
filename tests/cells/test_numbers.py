"""A cell gets the number of its dense profile, wherever and however it is stored."""

from __future__ import annotations

import gzip

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import io, sparse

import nkpredict
from nkpredict.errors import InputError
from nkpredict.features import RankedProfiles, SparseRanks
from nkpredict.learn import NKSusceptibilityModel
from nkpredict.vocabulary import Platform
from tests.celled import cells_of
from tests.platformed import GENES, biology, measured


def dense(cells) -> pd.DataFrame:
    return pd.DataFrame(cells.X.toarray(), columns=cells.var_names)


KINDS = ["ridge and trees", "partial least squares", "modules", "prior"]


@pytest.mark.filterwarnings("ignore::nkpredict.learn.ChanceSkillWarning")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("change", ["counts", "many reads", "normalised", "genes missing"])
def test_a_cell_gets_the_number_of_its_dense_profile(
    cell_models, cell_adata, kind: str, change: str
) -> None:
    cells, model = cell_adata[:120].copy(), cell_models[kind]
    if change == "many reads":
        cells.X = cells.X * np.float32(97)
    if change == "normalised":
        cells.X = cells.X.log1p() * np.float32(0.7)
    if change == "genes missing":
        cells = cells[:, ~cells.var_names.isin(cells.var_names[[0, 5, 50, 51, 101]])].copy()
    found = nkpredict.score_cells(cells, model).table["susceptibility"]
    read = cells.X.getnnz(axis=1) > 0
    assert found[read].to_numpy() == pytest.approx(model.predict(dense(cells))[read], abs=1e-9)
    assert found[~read].isna().all()
    assert np.ptp(found[read]) > 0


@pytest.mark.filterwarnings("ignore::nkpredict.learn.ChanceSkillWarning")
def test_cells_are_moved_to_the_platform_of_the_model_as_their_dense_profiles() -> None:
    model = NKSusceptibilityModel().fit(
        pd.DataFrame(measured(Platform.ARRAY, biology(0, 40)).values, columns=GENES),
        biology(0, 40)[:, :3].sum(axis=1),
    )
    values = measured(Platform.RNA_SEQ, biology(1, 300)).values
    zeros = np.linspace(0, 0.95, 300)  # those with most resemble no platform
    floor = [np.quantile(own, share) for own, share in zip(values, zeros, strict=True)]
    values = np.maximum(values - np.array(floor)[:, None], 0).astype(np.float32)
    cells = anndata.AnnData(sparse.csr_matrix(values), var=pd.DataFrame(index=GENES))
    found = nkpredict.score_cells(cells, model).table["susceptibility"]
    profiles = dense(cells)
    told = model.platform(profiles)
    assert {str(Platform.RNA_SEQ), str(Platform.UNKNOWN)} <= set(told)
    assert found.to_numpy() == pytest.approx(model.predict(profiles), abs=1e-9)


@given(
    arrays(np.float32, (4, 7), elements=st.sampled_from([0, 0, 0, 1, 1, 2, 3, 300, 301, 7000])),
    st.booleans(),
)
def test_ranks_of_what_is_above_zero_are_those_of_the_whole(values, halves: bool) -> None:
    values = values * np.float32(0.5) if halves else values
    present = np.array([True] * 7 + [False])
    stored = sparse.csr_matrix(values)
    ranks = SparseRanks.of(
        stored.indptr.astype(np.int64), stored.indices.astype(np.int32), stored.data, present
    )
    whole = np.column_stack([values, np.full(4, np.nan)]).astype(float)
    assert (ranks.dense().doubled_ranks == RankedProfiles.of(whole).doubled_ranks).all()


def as_h5ad(cells, path):
    cells.write_h5ad(path / "cells.h5ad")
    return path / "cells.h5ad"


def by_gene(cells, path):
    cells = cells.copy()
    cells.X = cells.X.tocsc()
    return as_h5ad(cells, path)


def without_zeros_left_out(cells, path):
    cells = cells.copy()
    cells.X = cells.X.toarray()
    return as_h5ad(cells, path)


def compressed(cells, path):
    cells.write_h5ad(path / "cells.h5ad", compression="gzip")
    return path / "cells.h5ad"


def in_a_layer(cells, path):
    cells = cells.copy()
    cells.layers["counts"] = cells.X
    cells.X = cells.X.log1p()
    return as_h5ad(cells, path)


def in_raw(cells, path):
    cells = cells.copy()
    cells.raw = cells
    cells = cells[:, :50].copy()
    cells.X = cells.X.toarray() - 1.5
    return as_h5ad(cells, path)


def as_zarr(cells, path):
    cells.write_zarr(path / "cells.zarr")
    return path / "cells.zarr"


def as_tenx(cells, path):
    with h5py.File(path / "cells.h5", "w") as file:
        group = file.create_group("matrix")
        text = h5py.string_dtype()
        group["barcodes"] = np.asarray(cells.obs_names, dtype=text)
        group["data"], group["indices"] = cells.X.data.astype(np.int32), cells.X.indices
        group["indptr"] = cells.X.indptr.astype(np.int64)
        group["shape"] = np.array(cells.shape[::-1])
        names = np.asarray(cells.var_names, dtype=text)
        features = group.create_group("features")
        features["id"], features["name"] = names, names
        features["feature_type"] = np.asarray(["Gene Expression"] * len(names), dtype=text)
    return path / "cells.h5"


def as_folder(cells, path):
    folder = path / "run"
    folder.mkdir()
    with gzip.open(folder / "matrix.mtx.gz", "wb") as stream:
        io.mmwrite(stream, cells.X.T.astype(np.int32).tocsc())
    with gzip.open(folder / "features.tsv.gz", "wt") as stream:
        stream.writelines(f"{name}\t{name}\tGene Expression\n" for name in cells.var_names)
    with gzip.open(folder / "barcodes.tsv.gz", "wt") as stream:
        stream.writelines(f"{name}\n" for name in cells.obs_names)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    "store",
    [as_h5ad, by_gene, without_zeros_left_out, compressed, in_a_layer, in_raw, as_zarr, as_tenx,
     as_folder],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::anndata.ImplicitModificationWarning")
@pytest.mark.filterwarnings("ignore:Writing zarr v2")
def test_every_store_gives_the_same_numbers(cell_models, cell_adata, tmp_path, store) -> None:
    model = cell_models["ridge and trees"]
    expected = nkpredict.score_cells(cell_adata, model).table
    found = nkpredict.score_cells(store(cell_adata, tmp_path), model, keep=tmp_path / "keep").table
    pd.testing.assert_frame_equal(found.drop(columns="group"), expected.drop(columns="group"))


def test_a_backed_anndata_stays_on_disk(cell_models, cell_adata, cell_file) -> None:
    model = cell_models["prior"]
    backed = anndata.read_h5ad(cell_file, backed="r")
    found = nkpredict.score_cells(backed, model).table["susceptibility"]
    assert found.equals(nkpredict.score_cells(cell_adata, model).table["susceptibility"])
    assert backed.isbacked


@pytest.mark.filterwarnings("ignore:Variable names are not unique")
def test_columns_of_one_gene_are_added_up(cell_models, cell_adata) -> None:
    split = cell_adata[:50].copy()
    doubled = anndata.concat([split, split[:, :1]], axis=1, merge="first")
    doubled.var_names = [*split.var_names, split.var_names[0]]
    twice = sparse.diags_array([2.0] + [1.0] * 149, dtype=np.float32)
    once = anndata.AnnData(sparse.csr_matrix(split.X @ twice), split.obs, split.var)
    model = cell_models["ridge and trees"]
    scores = nkpredict.score_cells(doubled, model)
    expected = nkpredict.score_cells(once, model).table["susceptibility"]
    pd.testing.assert_series_equal(scores.table["susceptibility"], expected, rtol=1e-9)
    assert any("added up" in note for note in scores.facts.expression.remarks())


def test_what_is_known_of_a_cell_stands_beside_its_number(cell_models, cell_adata) -> None:
    table = nkpredict.score_cells(cell_adata, cell_models["prior"]).table
    assert table["umis"].to_numpy() == pytest.approx(np.asarray(cell_adata.X.sum(axis=1)).ravel())
    assert (table["genes"].to_numpy() == cell_adata.X.getnnz(axis=1)).all()
    assert table["gene_coverage"].eq(1.0).all()
    assert table["flags"].str.startswith("few_umis").sum() == 299  # of 150 genes
    assert table["flags"].iloc[3].startswith("no_gene_read")
    assert table["flags"].str.contains("knowledge_only").all()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda a: a[:, 120:].copy(), "None of the 30 gene names"),
        (lambda a: a[:, 110:].copy(), "too little of the model"),
        (lambda a: _with(a, -1.0), "no matrix with values of 0 and above"),
        (lambda a: _with(a, np.nan), "below 0, infinite or missing"),
        (lambda a: _with(a, 1e30), "of 2,147,483,648 and more"),
        (lambda a: a[:0].copy(), "holds 0 cells"),
    ],
)
def test_what_cannot_be_scored_is_refused(
    cell_models, cell_adata, tmp_path, spoil, words: str
) -> None:
    path = tmp_path / "cells.h5ad"
    spoil(cell_adata).write_h5ad(path)
    with pytest.raises(InputError, match=words):
        nkpredict.score_cells(path, cell_models["ridge and trees"])


@pytest.mark.parametrize("shape", [[150, 10**11], [150, 7], [10**11, 300], [-1, -1]])
def test_a_size_that_cell_ranger_did_not_write_is_told(
    cell_models, cell_adata, tmp_path, shape
) -> None:
    as_tenx(cell_adata, tmp_path)
    with h5py.File(tmp_path / "cells.h5", "r+") as file:
        file["matrix/shape"][...] = shape
    with pytest.raises(InputError, match="its matrix is not that of 150 features and"):
        nkpredict.score_cells(tmp_path / "cells.h5", cell_models["ridge and trees"])


def _with(cell_adata, value):
    spoilt = cell_adata.copy()
    spoilt.X.data[7] = value
    return spoilt


def test_force_scores_what_would_be_refused_and_marks_it(cell_models, cell_adata) -> None:
    few = cell_adata[:, 110:].copy()
    scores = nkpredict.score_cells(few, cell_models["ridge and trees"], force=True)
    assert scores.table["flags"].str.contains("forced").all()
    assert "too little of the model" in scores.facts.forced


def test_depth_is_said(cell_models, cell_genes) -> None:
    shallow = nkpredict.score_cells(cells_of(cell_genes, 200, depth=0.3), cell_models["prior"])
    deep = nkpredict.score_cells(cells_of(cell_genes, 200, depth=3000), cell_models["prior"])
    assert shallow.facts.depth.reliability < 0.8 < deep.facts.depth.reliability
    assert any("do not rank single cells" in words for words in shallow.facts.warnings)
    assert not deep.facts.warnings
