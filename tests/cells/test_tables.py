"""Single cells in text tables and loom files are recognised, and scored as those of an h5ad."""

from __future__ import annotations

import gzip
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest

import nkpredict
from nkpredict import inspect_profiles
from nkpredict.errors import InputError
from tests.celled import cells_of


@pytest.fixture(scope="module")
def cells(cell_genes) -> anndata.AnnData:
    cells = cells_of(cell_genes, 261, depth=0.3)
    return cells[np.arange(261) != 3].copy()  # which has no read


def in_rows(cells: anndata.AnnData, folder: Path) -> Path:
    """Write a cell a row, its patient beside its name."""
    table = cells.to_df()
    table.insert(0, "patient", cells.obs["patient"].astype(str))
    table.to_csv(folder / "cells.csv")
    return folder / "cells.csv"


def in_columns(cells: anndata.AnnData, folder: Path) -> Path:
    """Write a cell a column, compressed, as GEO has them."""
    with gzip.open(folder / "cells.tsv.gz", "wt") as stream:
        cells.to_df().T.astype(int).to_csv(stream, sep="\t", index_label="GENE")
    return folder / "cells.tsv.gz"


def quoted_by_r(cells: anndata.AnnData, folder: Path) -> Path:
    """Write a cell a column, the header one shorter and names in quotes."""
    text = cells.to_df().T.to_csv(sep=" ", quoting=2).removeprefix('"" ')
    (folder / "cells.txt").write_text(text)
    return folder / "cells.txt"


def loom(cells: anndata.AnnData, folder: Path) -> Path:
    """Write a loom file."""
    with h5py.File(folder / "cells.loom", "w") as file:
        file["matrix"] = cells.X.toarray().T
        text = h5py.string_dtype()
        genes, columns = file.create_group("row_attrs"), file.create_group("col_attrs")
        genes["Gene"] = np.asarray(cells.var_names, dtype=text)
        columns["CellID"] = np.asarray(cells.obs_names, dtype=text)
        columns["patient"] = np.asarray(cells.obs["patient"].astype(str), dtype=text)
        for name in ("layers", "row_graphs", "col_graphs"):
            file.create_group(name)
    return folder / "cells.loom"


TABLES = [in_rows, in_columns, quoted_by_r, loom]


@pytest.mark.parametrize("write", TABLES)
def test_cells_of_a_table_are_recognised_and_refused_in_one_sentence(
    write, cell_models, cells, tmp_path
) -> None:
    path, model = write(cells, tmp_path), cell_models["prior"]
    with pytest.raises(InputError, match=r"holds 260 single cells; .*--groupby none"):
        nkpredict.score(path, model)
    found = inspect_profiles(path, model)
    assert not found.scored
    assert "holds 260 single cells" in found.verdict
    assert found.expression.single_cells
    assert found.expression.samples == 260
    if write in (in_rows, loom):
        assert "--groupby COLUMN (patient)" in found.verdict


@pytest.mark.slow
@pytest.mark.parametrize("write", TABLES)
def test_cells_of_a_table_get_the_numbers_of_an_h5ad(write, cell_models, cells, tmp_path) -> None:
    path, model = write(cells, tmp_path), cell_models["ridge and trees"]
    expected = nkpredict.score_cells(cells, model).table
    scores = nkpredict.score_cells(path, model, keep=tmp_path / "keep")
    pd.testing.assert_frame_equal(
        scores.table.drop(columns="group"), expected.drop(columns="group")
    )
    scores.discard()
    assert {kept.name for kept in tmp_path.iterdir()} == {path.name}


@pytest.mark.parametrize("write", [in_rows, loom])
def test_groups_stand_in_the_table(write, cell_models, cells, tmp_path) -> None:
    path, model = write(cells, tmp_path), cell_models["prior"]
    found = nkpredict.score_cells(path, model, groupby="patient", keep=tmp_path / "keep")
    expected = nkpredict.score_cells(cells, model, groupby="patient")
    columns = ["susceptibility", "cells", "umis"]
    pd.testing.assert_frame_equal(found.groups.table[columns], expected.groups.table[columns])


@pytest.mark.slow
@pytest.mark.slow
def test_many_cells_are_written_anew_in_blocks(cell_models, cell_genes, tmp_path) -> None:
    cells = cells_of(cell_genes, 2_300, depth=0.3)
    model = cell_models["prior"]
    expected = nkpredict.score_cells(cells, model).table["susceptibility"]
    for write in (in_rows, in_columns, loom):
        path = write(cells, tmp_path)
        found = nkpredict.score_cells(path, model, keep=tmp_path / write.__name__).table
        pd.testing.assert_series_equal(found["susceptibility"], expected)


@pytest.mark.slow
def test_a_cell_without_a_read_does_not_hide_the_others(cell_models, cell_genes, tmp_path) -> None:
    found = inspect_profiles(
        in_columns(cells_of(cell_genes, 50, depth=0.3), tmp_path), cell_models["prior"]
    )
    assert "holds 50 single cells" in found.verdict


def test_bulk_samples_of_a_table_stay_bulk_samples(cell_models, cell_genes, tmp_path) -> None:
    deep = cells_of(cell_genes, 40, depth=200.0)
    deep = deep[np.arange(40) != 3].copy()  # which has no read
    for write in TABLES:
        scored = nkpredict.score(write(deep, tmp_path), cell_models["prior"])
        assert len(scored.table) == 39
        assert not scored.provenance.profiles.single_cells


def test_scaled_or_missing_values_are_no_counts(cell_models, cells, tmp_path) -> None:
    table = cells.to_df()
    for value, said in ((np.nan, "1 missing"), (-1.0, "1 negative")):
        table.iloc[200, 7] = value
        table.to_csv(tmp_path / "cells.csv")
        with pytest.raises(InputError, match=f"{said} values among the cells; expected counts"):
            nkpredict.score_cells(
                tmp_path / "cells.csv", cell_models["prior"], keep=tmp_path / "keep"
            )


def test_a_table_needs_a_place_to_be_written_anew(cell_models, cells, tmp_path) -> None:
    with pytest.raises(InputError, match=r"written anew when a folder .* is named"):
        nkpredict.score_cells(in_rows(cells, tmp_path), cell_models["prior"])
