from __future__ import annotations

import numpy as np
import pandas as pd

from nkpredict.explain import resistance_genes

PARTS = pd.DataFrame(
    {
        "HLA-E": [-0.30, -0.10, -0.20],
        "CD58": [-0.05, 0.02, -0.01],
        "ULBP1": [0.10, 0.10, 0.10],
        "TP53": [0.0, 0.0, 0.0],
    },
    index=["a", "b", "c"],
)


def test_genes_that_lower_susceptibility_are_ranked() -> None:
    table = resistance_genes(PARTS, np.array([-0.2, 0.05, 0.1, 0.0]))
    assert table["gene"].tolist() == ["HLA-E", "CD58"]
    assert table["direction"].tolist() == ["protects", "sensitizes"]
    assert table["lowest_contribution"].tolist() == [-0.30, -0.05]
    assert table["samples_resisting"].tolist() == [1, 2 / 3]
    assert set(table["evidence_reading"]) == {"no screen"}


def test_screens_agree_or_conflict(evidence_of) -> None:
    table = resistance_genes(
        PARTS, np.array([-0.2, 0.05, 0.1, 0.0]), evidence_of({"HLA-E": -0.8, "CD58": -0.4})
    )
    assert table["evidence_reading"].tolist() == ["agrees", "conflicts"]


def test_one_sample_reads_like_in_its_cohort() -> None:
    effect = np.array([-0.2, 0.05, 0.1, 0.0])
    alone = resistance_genes(PARTS.loc[["a"]], effect)
    assert alone["direction"].tolist() == ["protects", "sensitizes"]
