"""Run the peers of `cells_peers` in their own environment; nothing of nkpredict is imported here.

`check` ends with 1 when a peer is not installed, `train FILE FOLDER` writes their models,
`celltypist FILE FOLDER` and `lightgbm FILE FOLDER` read the counts, normalise and predict.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

CELLS_TRAINED_ON, KINDS, TREES = 4_000, 20, 100
_CELLTYPIST, _LIGHTGBM = "celltypist.pkl", "lightgbm.txt"


def main(task: str, file: str = "", folder: str = "") -> None:
    if task == "check":
        needed = ("celltypist", "scanpy", "lightgbm")
        sys.exit(any(importlib.util.find_spec(name) is None for name in needed))
    {"train": train, "celltypist": annotate, "lightgbm": predict}[task](file, Path(folder))


def normalised(file: str, cells: int | None = None):
    """Return counts per 10,000 on a natural logarithm, as both peers take them."""
    import anndata
    import scanpy

    if cells is None:
        counts = anndata.read_h5ad(file)
    else:
        counts = anndata.read_h5ad(file, backed="r")[:cells].to_memory()
    scanpy.pp.normalize_total(counts, target_sum=1e4)
    scanpy.pp.log1p(counts)
    return counts


def train(file: str, folder: Path) -> None:
    import celltypist
    import lightgbm
    import numpy as np

    cells = normalised(file, CELLS_TRAINED_ON)
    rng = np.random.default_rng(0)
    labels = rng.integers(0, KINDS, cells.n_obs)
    kinds = np.char.add("SIM-kind", labels.astype(str))
    celltypist.train(cells, kinds, use_SGD=True, max_iter=5).write(str(folder / _CELLTYPIST))
    data = lightgbm.Dataset(cells.X, labels.astype(float))
    trees = lightgbm.train({"verbose": -1, "seed": 0}, data, TREES)
    trees.save_model(folder / _LIGHTGBM)


def annotate(file: str, folder: Path) -> None:
    import celltypist

    celltypist.annotate(normalised(file), model=str(folder / _CELLTYPIST))


def predict(file: str, folder: Path) -> None:
    import lightgbm

    lightgbm.Booster(model_file=folder / _LIGHTGBM).predict(normalised(file).X)


if __name__ == "__main__":
    main(*sys.argv[1:])
