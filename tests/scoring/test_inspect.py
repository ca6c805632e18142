from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.io import mmwrite

from nkpredict import inspect_profiles, score
from nkpredict.errors import InputError
from nkpredict.facts import InspectionFacts
from nkpredict.io import ReadingOptions


@pytest.fixture
def file(genes: list[str], tmp_path: Path) -> Path:
    values = np.random.default_rng(1).normal(5, 2, (120, 9))
    table = pd.DataFrame(values, genes, [f"P{i}" for i in range(9)])
    table.insert(0, "Length", 900)
    table.to_csv(tmp_path / "a.csv")
    return tmp_path / "a.csv"


def test_what_would_be_read_is_told(file: Path, bundle: Path) -> None:
    found = inspect_profiles(file, bundle)
    assert found.scored
    assert found.verdict == "Can be scored."
    assert (found.expression.samples, found.expression.genes) == (9, 120)
    assert found.expression.annotation_set_aside == ("Length (by its name)",)
    assert found.model.genes_found == found.model.genes_in_model == 120
    assert found.model.least_weight_coverage == pytest.approx(1)
    assert InspectionFacts.from_json(found.to_json()) == found


def test_a_refusal_is_a_verdict(file: Path, bundle: Path) -> None:
    table = pd.read_csv(file, index_col=0)
    pd.concat([table, table.iloc[:1] + 1]).to_csv(file)
    found = inspect_profiles(file, bundle)
    assert not found.scored
    assert found.expression is None
    assert "--duplicates" in found.verdict
    assert inspect_profiles(file, bundle, options=ReadingOptions(duplicates="max")).scored


def test_too_little_of_a_model_is_a_verdict(file: Path, bundle: Path) -> None:
    pd.read_csv(file, index_col=0).iloc[80:].to_csv(file)
    found = inspect_profiles(file, bundle)
    assert not found.scored
    assert found.model.samples_below_floor == 9
    assert "too little of the model" in found.verdict


def test_a_missing_file_is_an_error(bundle: Path) -> None:
    with pytest.raises(InputError, match="There is no file nowhere"):
        inspect_profiles("nowhere.csv", bundle)


def test_json_holds_what_the_table_shows(file: Path, bundle: Path) -> None:
    content = json.loads(json.dumps(inspect_profiles(file, bundle).to_json()))
    assert content["expression"]["orientation"] == "genes-by-samples"
    assert content["model"]["genes_in_model"] == 120


def test_a_data_frame_and_an_anndata_are_looked_at_as_a_file_is(
    file: Path, bundle: Path, tmp_path: Path
) -> None:
    table = pd.read_csv(file, index_col=0).drop(columns="Length")
    adata = anndata.AnnData(table.T)
    adata.write_h5ad(tmp_path / "a.h5ad")
    backed = anndata.read_h5ad(tmp_path / "a.h5ad", backed="r")
    for source, called in ((table, "DataFrame"), (adata, "AnnData"), (backed, "AnnData")):
        found = inspect_profiles(source, bundle)
        assert (found.source, found.scored) == (called, True)
        assert (found.expression.samples, found.model.genes_found) == (9, 120)
    backed.file.close()


@pytest.fixture
def cells(genes: list[str]) -> anndata.AnnData:
    counts = sparse.random(900, 120, 0.05, "csr", np.float32, random_state=0)
    counts.data = np.ceil(counts.data * 5)
    letters = np.random.default_rng(0).choice(list("ACGT"), (900, 16))
    obs = pd.DataFrame({"patient": ["A", "B", "C"] * 300}, ["".join(row) for row in letters])
    return anndata.AnnData(counts, obs, pd.DataFrame(index=genes))


@pytest.mark.parametrize("kind", ["memory", "h5ad", "backed", "10x", "mtx"])
def test_single_cells_are_recognised_and_refused_without_reading_them(
    kind: str,
    cells: anndata.AnnData,
    bundle: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = cells_in(kind, cells, tmp_path)

    def read(*_: object, **__: object) -> None:
        pytest.fail("the cells were read as a whole")

    for name in ("read_h5ad", "read_zarr"):
        monkeypatch.setattr(anndata, name, read)
    monkeypatch.setattr(anndata.AnnData, "to_memory", read)
    monkeypatch.setattr(sparse.csc_matrix, "toarray", read)
    with pytest.raises(InputError, match=r"holds 900 single cells.*--groupby.*nkpredict\.tl"):
        score(source, bundle)
    found = inspect_profiles(source, bundle)
    assert not found.scored
    assert "900 single cells" in found.verdict
    if kind not in ("10x", "mtx"):
        assert "(patient)" in found.verdict
    if kind != "mtx":
        assert (found.expression.samples, found.expression.single_cells) == (900, True)
        assert found.model.genes_found == 120


def cells_in(kind: str, cells: anndata.AnnData, folder: Path) -> Any:
    """Write cells in a form and return what to score."""
    if kind == "memory":
        return cells
    if kind in ("h5ad", "backed"):
        cells.write_h5ad(folder / "cells.h5ad")
        path = folder / "cells.h5ad"
        return path if kind == "h5ad" else anndata.read_h5ad(path, backed="r")
    features = pd.DataFrame({"id": cells.var_names, "name": cells.var_names})
    if kind == "mtx":
        (folder / "10x").mkdir()
        mmwrite(folder / "10x" / "matrix.mtx", cells.X.T.tocoo(), field="integer")
        features.to_csv(folder / "10x" / "features.tsv", sep="\t", header=False, index=False)
        barcodes = "\n".join(cells.obs_names) + "\n"
        (folder / "10x" / "barcodes.tsv").write_text(barcodes)
        return folder / "10x"
    with h5py.File(folder / "cells.h5", "w") as store:
        group = store.create_group("matrix")
        group["data"], group["indices"] = cells.X.data, cells.X.indices
        group["indptr"], group["shape"] = cells.X.indptr, np.array(cells.shape[::-1])
        group["barcodes"] = cells.obs_names.to_numpy(dtype="S")
        for column in features:
            group[f"features/{column}"] = features[column].to_numpy(dtype="S")
    return folder / "cells.h5"


def test_force_scores_cells_one_by_one_and_the_verdict_says_so(
    cells: anndata.AnnData, bundle: Path
) -> None:
    scores = score(cells[:30].copy(), bundle, force=True)
    assert len(scores.table) == 30
    assert any("one cell shows too few genes" in reason for reason in scores.verdict.reasons)
