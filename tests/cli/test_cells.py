"""nkpredict score for files of single cells."""

from __future__ import annotations

import json
from itertools import islice, product

import anndata
import pandas as pd
import pytest

from nkpredict.registry import save_bundle


@pytest.fixture
def model(cell_models, tmp_path):
    return save_bundle(cell_models["prior"], tmp_path / "prior")


def test_cells_without_a_word_on_groups_are_refused_with_the_ways(run, cell_adata, model, tmp_path):
    cell_file, cells = tmp_path / "cells.h5ad", cell_adata.copy()
    cells.obs_names = [f"{''.join(bases)}-1" for bases in islice(product("ACGT", repeat=16), 300)]
    cells.write_h5ad(cell_file)
    code, _, error = run("score", cell_file, "--model", model, "--out", tmp_path / "out")
    assert code == 2
    assert "holds 300 single cells" in error
    assert "--groupby COLUMN (patient, kind, plate)" in error
    assert "--groupby none" in error
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_groups_get_the_usual_tables_and_the_cells_their_numbers(run, cell_file, model, tmp_path):
    out = tmp_path / "out"
    command = ["score", cell_file, "--model", model, "--out", out, "--groupby", "patient"]
    code, said, _ = run(*command, "--write-h5ad", tmp_path / "scored.h5ad", "--workers", 2)
    assert code == 0
    assert "Read 300 of 300 cells" in said
    assert "do not rank single cells" in said
    table = pd.read_csv(out / "scores.csv", index_col="sample")
    assert list(table.index) == ["P1", "P2", "P3"]
    assert {"cells", "umis", "sampling_lower", "depth_shift"} <= set(table)
    cells = pd.read_parquet(out / "cells.parquet")
    assert list(cells)[:4] == ["sample", "group", "susceptibility", "gene_coverage"]
    assert len(cells) == 300
    report = (out / "report.html").read_text()
    assert "P3" in report
    assert "cell00001" not in report
    assert json.loads((out / "cells.json").read_text())["grouping"]["column"] == "patient"
    assert "nk_susceptibility" in anndata.read_h5ad(tmp_path / "scored.h5ad").obs
    assert not list(tmp_path.glob(".*"))
    # results of cells may be replaced by others
    assert run(*command, "--no-report", "--quiet") == (0, "", "")
    assert not (out / "report.html").exists()


def test_cells_alone_get_no_report(run, cell_file, model, tmp_path):
    out = tmp_path / "out"
    command = ["score", cell_file, "--model", model, "--out", out, "--groupby", "none"]
    code, _, _ = run(*command, "--cells", "kind=malignant", "--quiet")
    assert code == 0
    assert sorted(path.name for path in out.iterdir()) == ["cells.json", "cells.parquet"]
    assert json.loads((out / "cells.json").read_text())["kept"] == "kind=malignant"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--cells", "kind=malignant"], "--cells is about single cells; say also how to gather"),
        (["--write-h5ad", "x.h5ad"], "--write-h5ad is about single cells"),
        (["--groupby", "patient", "--lineage", "kind"], "--lineage is not read for single cells"),
        (["--groupby", "patient", "--unit", "tpm"], "--unit is not read for single cells"),
        (["--groupby", "patient", "--cohort"], "--cohort is not read for single cells"),
        (["--groupby", "nothing"], "has no column 'nothing'"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(
    run,
    cell_file,
    model,
    tmp_path,
    options,
    words,
):
    code, _, error = run("score", cell_file, "--model", model, "--out", tmp_path / "out", *options)
    assert code == 2
    assert words in error
    assert error.strip().count("\n") == 0


def test_a_table_of_text_is_no_file_of_cells(run, model, tmp_path):
    path = tmp_path / "patients.csv"
    path.write_text("sample,TP53\nA,1\n")
    out = tmp_path / "out"
    code, _, error = run("score", path, "--model", model, "--out", out, "--groupby", "x")
    assert code == 2
    assert "is no file of single cells that can be read in stretches" in error
