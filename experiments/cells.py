"""Measure the cost of scoring many cells, file to file, on SIMULATED counts of 20,000 genes.

A file of cells is generated as CSR, one gene in twenty read, and scored by the command line in a
process of its own, so that its peak memory is its own; the processor time counts both cores.

Example
-------
python -m experiments.cells --cells 50000 --folder /somewhere --groups none sample
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from anndata.io import write_elem
from scipy import sparse

from experiments.console import print_table
from nkpredict.io import approved_symbols

GENES, DENSITY, BLOCK, GROUPS = 20_000, 0.05, 4_096, 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", nargs="+", type=int, default=[50_000])
    parser.add_argument("--groups", nargs="+", default=["none", "sample"])
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--folder", type=Path, required=True, help="For the generated files.")
    options = parser.parse_args()
    rows = []
    for cells in options.cells:
        file = generate(options.folder / f"SIM-{cells}.h5ad", cells)
        try:
            for groups in options.groups:
                for workers in options.workers:
                    out = options.folder / "out"
                    cost = measure(file, out, groups, workers)
                    rows.append([cells, groups, workers, *cost])
                    print(*rows[-1], file=sys.stderr)
                    shutil.rmtree(out)
        finally:
            file.unlink()
    columns = ["cells", "groups", "workers", "wall s", "cells a second", "CPU s", "peak memory GB"]
    print_table("Scoring SIMULATED cells, file to file", columns, rows)


def measure(file: Path, out: Path, groups: str, workers: int) -> list[float]:
    """Return wall seconds, cells a second, CPU seconds and peak memory of one run."""
    program = str(Path(sys.executable).with_name("nkpredict"))
    settings = ["--groupby", groups, "--workers", str(workers), "--no-report", "--quiet"]
    command = [program, "score", str(file), "--out", str(out), *settings]
    wall, seconds, memory = in_process(command, dict(os.environ))
    with h5py.File(file) as stream:
        cells = stream["X"].attrs["shape"][0]
    return [wall, float(cells / wall), seconds, memory]


def in_process(command: list[str], environment: dict[str, str]) -> tuple[float, float, float]:
    """Run a program; return wall seconds, CPU seconds and peak memory in GB."""
    start = time.perf_counter()
    process = os.posix_spawn(command[0], command, environment)
    _, status, used = os.wait4(process, 0)
    wall = time.perf_counter() - start
    if status:
        raise RuntimeError(f"{' '.join(command)} ended with {status}")
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 2**20


def generate(path: Path, cells: int, seed: int = 0) -> Path:
    """Write cells × 20,000 genes as CSR, one block after the other; one gene in twenty is read.

    Expression falls over the genes as it does in cells, counts are Poisson with a depth of their
    own for each cell.
    """
    rng = np.random.default_rng(seed)
    names = sorted(approved_symbols())
    names = [str(name) for name in rng.permutation(names)[:GENES]]
    level = rng.lognormal(0, 2, GENES)
    level *= _scale(level)
    block = _block(rng, level)
    with h5py.File(path, "w") as file:
        file.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        write_elem(file, "var", pd.DataFrame(index=pd.Index(names)))
        index = pd.Index([f"SIM-{number:07d}" for number in range(cells)])
        samples = [f"SIM-sample{number:02d}" for number in range(GROUPS)]
        sample = pd.Categorical.from_codes(rng.integers(0, GROUPS, cells), samples)
        write_elem(file, "obs", pd.DataFrame({"sample": sample}, index=index))
        for name in ("layers", "obsm", "varm", "obsp", "varp", "uns"):
            write_elem(file, name, {})
        times, rest = divmod(cells, BLOCK)
        lengths = np.diff(block.indptr)
        lengths = np.append(np.tile(lengths, times), lengths[:rest])
        indptr = np.concatenate([[0], np.cumsum(lengths)])
        group = file.create_group("X")
        group.attrs.update(
            {"encoding-type": "csr_matrix", "encoding-version": "0.1.0", "shape": [cells, GENES]}
        )
        group["indptr"] = indptr
        data = group.create_dataset("data", (indptr[-1],), np.float32)
        indices = group.create_dataset("indices", (indptr[-1],), np.int32)
        for start in range(0, cells, BLOCK):
            stop = min(start + BLOCK, cells)
            within = slice(int(indptr[start]), int(indptr[stop]))
            count = within.stop - within.start
            data[within], indices[within] = block.data[:count], block.indices[:count]
    return path


def _scale(level: np.ndarray) -> float:
    """Factor that makes the wanted share of genes read."""
    low, high = 1e-6, 1e6
    for _ in range(60):
        middle = np.sqrt(low * high)
        enough = (1 - np.exp(-level * middle)).mean() >= DENSITY
        low, high = (low, middle) if enough else (middle, high)
    return float(low)


def _block(rng: np.random.Generator, level: np.ndarray) -> sparse.csr_matrix:
    parts = [
        sparse.csr_matrix(rng.poisson(level * rng.lognormal(0, 0.4, (256, 1))).astype(np.float32))
        for _ in range(BLOCK // 256)
    ]
    return sparse.vstack(parts).tocsr()


if __name__ == "__main__":
    main()
