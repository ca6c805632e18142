"""A run goes on after a kill, says what is wrong, and gives the same bytes anyhow."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from scipy import sparse

import nkpredict
from nkpredict.errors import InputError
from nkpredict.registry import save_bundle
from tests.celled import cells_of

STRETCHES = 4


@pytest.fixture(scope="module")
def many(cell_genes, tmp_path_factory) -> Path:
    """Cells enough for several stretches."""
    path = tmp_path_factory.mktemp("many") / "cells.h5ad"
    cells = cells_of(cell_genes, 512)
    count = 3 * 4096 + 100
    rows = np.resize(np.arange(512), count)
    names = [f"cell{number:06d}" for number in range(count)]
    obs = cells.obs.iloc[rows].set_axis(names)
    anndata.AnnData(cells.X[rows], obs, cells.var).write_h5ad(path)
    return path


@pytest.fixture(scope="module")
def model(cell_models, tmp_path_factory) -> Path:
    return save_bundle(cell_models["prior"], tmp_path_factory.mktemp("model") / "prior")


def bytes_of(scores, folder: Path) -> dict[str, bytes]:
    folder.mkdir()
    scores.write(folder)
    found = {path.name: path.read_bytes() for path in folder.iterdir()}
    groups = scores.groups
    return found | ({"groups": groups.table.to_csv().encode()} if groups is not None else {})


@pytest.fixture(scope="module")
def expected(many, model, tmp_path_factory) -> dict[str, bytes]:
    keep = tmp_path_factory.mktemp("expected")
    scores = nkpredict.score_cells(many, model, groupby="patient", workers=1, keep=keep / "keep")
    return bytes_of(scores, keep / "out")


@pytest.mark.slow
@pytest.mark.parametrize("workers", [2, 5])
def test_any_number_of_workers_gives_the_same_bytes(many, model, expected, tmp_path, workers):
    keep = tmp_path / "keep"
    scores = nkpredict.score_cells(many, model, groupby="patient", workers=workers, keep=keep)
    assert bytes_of(scores, tmp_path / "out") == expected
    scores.discard()
    assert not keep.exists()


def test_cells_in_memory_get_the_same_numbers(many, model, expected, tmp_path):
    scores = nkpredict.score_cells(anndata.read_h5ad(many), model, groupby="patient")
    found = bytes_of(scores, tmp_path / "out")
    assert found["groups"] == expected["groups"]
    Path(tmp_path / "expected.parquet").write_bytes(expected["cells.parquet"])
    pd.testing.assert_frame_equal(
        pq.read_table(tmp_path / "out" / "cells.parquet").to_pandas(),
        pq.read_table(tmp_path / "expected.parquet").to_pandas(),
    )


KILLED = textwrap.dedent(
    """
    import os, signal, sys, threading
    import nkpredict
    many, model, keep, moment = sys.argv[1:]
    def told(stage, done, total):
        if moment.isdigit() and done == int(moment):
            os.kill(os.getpid(), signal.SIGKILL)
    if not moment.isdigit():
        import numpy, pyarrow.parquet
        room = {"counts": numpy, "numbers": pyarrow.parquet}[moment]
        name = {"counts": "save", "numbers": "write_table"}[moment]
        done = getattr(room, name)
        calls = []
        def then_killed(*given, **named):
            done(*given, **named)
            calls.append(1)
            if len(calls) == 3:
                os.kill(os.getpid(), signal.SIGKILL)
        setattr(room, name, then_killed)
    nkpredict.score_cells(many, model, groupby="patient", workers=2, keep=keep, progress=told)
    """
)


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["0", "1", "2", "3", "4", "counts", "numbers"])
def test_a_run_that_was_killed_goes_on(many, model, expected, tmp_path, moment: str) -> None:
    keep = tmp_path / "keep"
    script = [sys.executable, "-c", KILLED, str(many), str(model), str(keep), moment]
    killed = subprocess.run(script, env=os.environ | {"OMP_NUM_THREADS": "1"}, check=False)
    assert killed.returncode == -signal.SIGKILL
    steps = []
    scores = nkpredict.score_cells(
        many,
        model,
        groupby="patient",
        keep=keep,
        progress=lambda _, done, total: steps.append(done),
    )
    if moment.isdigit():
        assert steps[0] == int(moment)  # nothing is done twice
    assert steps[-1] == STRETCHES
    assert bytes_of(scores, tmp_path / "out") == expected
    assert not list(keep.glob(".*"))


@pytest.mark.slow
@pytest.mark.parametrize("change", ["file", "groups", "cells", "model"])
def test_what_another_run_kept_is_not_taken(
    many, model, cell_models, tmp_path, change: str
) -> None:
    keep, steps = tmp_path / "keep", []
    asked = {"groupby": "patient", "cells": "kind=malignant"}
    nkpredict.score_cells(many, model, keep=keep, **asked)
    if change == "file":
        many = Path(shutil.copy(many, tmp_path))
    asked["groupby"] = "plate" if change == "groups" else "patient"
    asked["cells"] = "kind=T cell" if change == "cells" else "kind=malignant"
    other = cell_models["ridge and trees"] if change == "model" else model
    told = lambda _, done, total: steps.append(done)  # noqa: E731
    nkpredict.score_cells(many, other, keep=keep, progress=told, **asked)
    assert steps[0] == 0


def test_a_full_disk_is_said_and_finished_stretches_are_kept(many, model, tmp_path, monkeypatch):
    calls, save = [], np.save

    def full(*given, **named):
        calls.append(1)
        if len(calls) > 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        save(*given, **named)

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(InputError, match="is full; 2 finished stretches"):
        nkpredict.score_cells(many, model, groupby="patient", workers=1, keep=tmp_path / "keep")
    monkeypatch.undo()
    steps = []
    nkpredict.score_cells(
        many,
        model,
        groupby="patient",
        keep=tmp_path / "keep",
        progress=lambda _, done, total: steps.append(done),
    )
    assert steps[0] == 2


def test_damaged_cells_are_named_and_finished_stretches_are_kept(many, model, tmp_path) -> None:
    path = tmp_path / "damaged.h5ad"
    shutil.copy(many, path)
    with h5py.File(path, "r+") as file:
        indices = file["X/indices"]
        indices[len(indices) * 2 // 3] = 10**6
    with pytest.raises(InputError, match=r"Cells [\d,]+ to [\d,]+ of .* cannot be read"):
        nkpredict.score_cells(path, model, workers=1, keep=tmp_path / "keep")
    assert 0 < len(list((tmp_path / "keep").glob("[0-9]*.parquet"))) < STRETCHES


def test_a_file_that_was_cut_short_is_said(many, model, tmp_path) -> None:
    path = tmp_path / "cut.h5ad"
    path.write_bytes(many.read_bytes()[: many.stat().st_size // 2])
    with pytest.raises(InputError, match="may be truncated"):
        nkpredict.score_cells(path, model)


@pytest.mark.slow
def test_memory_does_not_hold_what_is_not_asked_for(cell_models, tmp_path, cell_genes) -> None:
    """Genes that the model does not know cost nothing but being read."""
    cells = cells_of(cell_genes, 50)
    wide = sparse.hstack([cells.X, sparse.csr_matrix((50, 60_000), dtype=np.float32)]).tocsr()
    more = [*cells.var_names, *(f"X{number}" for number in range(60_000))]
    cells = anndata.AnnData(wide, cells.obs, pd.DataFrame(index=more))
    found = nkpredict.score_cells(cells, cell_models["prior"])
    assert found.facts.expression.genes_in_file == len(more)


@pytest.mark.slow
def test_dask_gives_the_same_bytes_though_a_worker_dies(many, model, expected, tmp_path) -> None:
    distributed = pytest.importorskip("distributed", reason="needs the extra dask")
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
    )
    pids = [worker.process.pid for worker in cluster.workers.values()]
    steps = []

    def told(stage: str, done: int, total: int) -> None:
        steps.append(done)
        if len(steps) == 2:
            os.kill(pids[0], signal.SIGKILL)

    try:
        scores = nkpredict.score_cells(
            many,
            model,
            groupby="patient",
            dask=cluster.scheduler_address,
            keep=tmp_path / "keep",
            progress=told,
        )
    finally:
        cluster.close()
    assert steps[-1] == STRETCHES
    assert bytes_of(scores, tmp_path / "out") == expected


@pytest.mark.slow
def test_cells_in_memory_are_not_handed_to_dask(cell_models, cell_adata) -> None:
    pytest.importorskip("distributed", reason="needs the extra dask")
    with pytest.raises(InputError, match="in memory cannot be handed to Dask"):
        nkpredict.score_cells(cell_adata, cell_models["prior"], dask="local")
