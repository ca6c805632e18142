"""Cost of scoring many cells: a generated file of any size, cells a second, and memory.

Usage: python experiments/cells.py --cells 50000 --out FOLDER [--workers 2] [--keep]
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
from anndata.io import write_elem
from scipy import sparse

from nkpredict.io import approved_symbols

GENES, DENSITY, BLOCK, GROUPS = 20_000, 0.05, 4_096, 20


def generate(path: Path, cells: int, seed: int = 0) -> Path:
    """Write cells × 20,000 genes as CSR, one block after the other; one gene in twenty is read.

    Expression falls over the genes as it does in cells, counts are Poisson with a depth of their
    own for each cell.
    """
    import pandas as pd

    rng = np.random.default_rng(seed)
    names = sorted(approved_symbols())
    names = [str(name) for name in rng.permutation(names)[:GENES]]
    level = rng.lognormal(0, 2, GENES)
    level *= _scale(level)
    block = _block(rng, level)
    with h5py.File(path, "w") as file:
        file.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        write_elem(file, "var", pd.DataFrame(index=pd.Index(names)))
        index = pd.Index([f"cell{number:07d}" for number in range(cells)])
        sample = pd.Categorical.from_codes(rng.integers(0, GROUPS, cells), [
            f"sample{number:02d}" for number in range(GROUPS)
        ])  # fmt: skip
        write_elem(file, "obs", pd.DataFrame({"sample": sample}, index=index))
        for name in ("layers", "obsm", "varm", "obsp", "varp", "uns"):
            write_elem(file, name, {})
        times, rest = divmod(cells, BLOCK)
        lengths = np.diff(block.indptr)
        indptr = np.concatenate([[0], np.cumsum(np.append(np.tile(lengths, times), lengths[:rest]))])
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
        low, high = (middle, high) if (1 - np.exp(-level * middle)).mean() < DENSITY else (low, middle)
    return float(low)


def _block(rng: np.random.Generator, level: np.ndarray) -> sparse.csr_matrix:
    parts = [
        sparse.csr_matrix(
            rng.poisson(level * rng.lognormal(0, 0.4, (256, 1))).astype(np.float32)
        )
        for _ in range(BLOCK // 256)
    ]
    return sparse.vstack(parts).tocsr()
