"""Files of made-up cells, and models that score them."""

from __future__ import annotations

from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from nkpredict.learn import (
    EvidenceBoosting,
    EvidenceRidge,
    NKSusceptibilityModel,
    PartialLeastSquares,
    ScreenPrior,
)


def cells_of(genes, count: int, seed: int = 0, depth: float = 1.0) -> anndata.AnnData:
    """Cells × genes (and some that no model knows) as counts, most of them zero."""
    rng = np.random.default_rng(seed)
    names = [*genes, *(f"LINC{number:05d}" for number in range(30))]
    level = rng.lognormal(-1.5, 1.6, len(names)) * depth
    level = level * rng.lognormal(0, 0.5, (count, 1)) * rng.lognormal(0, 0.5, (count, len(names)))
    values = rng.poisson(level).astype(np.float32)
    values[3 % count] = 0
    obs = pd.DataFrame(
        {
            "patient": pd.Categorical(rng.choice(["P1", "P2", "P3"], count, p=[0.5, 0.45, 0.05])),
            "kind": pd.Categorical(rng.choice(["malignant", "T cell"], count)),
            "plate": rng.integers(0, 2, count),
        },
        index=[f"cell{number:05d}" for number in range(count)],
    )
    return anndata.AnnData(sparse.csr_matrix(values), obs, pd.DataFrame(index=names))


@pytest.fixture(scope="session")
def cell_genes():
    from nkpredict.io import approved_symbols

    return sorted(approved_symbols())[::170][:120]


@pytest.fixture(scope="session")
def cell_models(cell_genes):
    """Every kind of model that is scored with, on 120 genes."""
    rng = np.random.default_rng(5)
    X = pd.DataFrame(rng.normal(5, 2, (60, 120)), columns=cell_genes)
    X.index = [f"S{number}" for number in X.index]
    y = X.iloc[:, :3].sum(axis=1) * 0.1 + rng.normal(0, 0.2, 60)
    sets = {"first": cell_genes[:12], "second": cell_genes[20:30]}
    missing = X.copy()
    missing.iloc[30:, 100:] = np.nan  # genes that one platform lacks
    # some genes with evidence, and genes that move with them
    for gene, near in ((100, 0), (101, 1), (5, 6)):
        missing.iloc[:, near] = X.iloc[:, gene] + rng.normal(0, 0.2, 60)
    from nkpredict.evidence import GeneEvidence

    rows = pd.DataFrame(
        {"evidence": 0.5, "confidence": 1.0, "n_screens": 1, "agreement": 1.0, "conflict": False},
        index=pd.Index([cell_genes[place] for place in (5, 100, 101, 50, 60)], name="gene"),
    )
    platform = np.repeat(["a", "b"], 30)
    return {
        "ridge and trees": NKSusceptibilityModel().fit(X, y),
        "partial least squares": NKSusceptibilityModel(learners=[PartialLeastSquares()]).fit(X, y),
        "modules": NKSusceptibilityModel(
            learners=[EvidenceRidge(), EvidenceBoosting()], modules=sets
        ).fit(X, y),
        "prior": ScreenPrior(evidence=GeneEvidence(rows)).fit(missing, platform=platform),
    }


@pytest.fixture(scope="session")
def cell_adata(cell_genes):
    return cells_of(cell_genes, 300)


@pytest.fixture
def cell_file(cell_adata, tmp_path: Path) -> Path:
    path = tmp_path / "cells.h5ad"
    cell_adata.write_h5ad(path)
    return path
