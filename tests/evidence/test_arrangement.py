"""How genes and screens are grouped, ordered and scaled."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nkpredict.errors import InputError
from nkpredict.evidence import (
    ScreenTable,
    described_experiments,
    genes_by_category,
    scaled_effects,
    standardise_screens,
    top_overlaps,
)

N_GENES = 400


def effects(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=N_GENES)


@pytest.fixture
def screens() -> ScreenTable:
    frames = []
    for name, effector, perturbation, seed in (
        ("b_r1", "primary NK", "loss", 1),
        ("b_r2", "primary NK", "loss", 2),
        ("a", "primary NK", "gain", 3),
        ("c", "NK-92", "loss", 4),
    ):
        lfc = effects(seed) * 3 + 1
        frames.append(
            pd.DataFrame(
                {
                    "gene": [f"G{i}" for i in range(N_GENES)],
                    "screen": name,
                    "cell_line": "K562",
                    "perturbation": perturbation,
                    "effector": effector,
                    "effect": -lfc if perturbation == "gain" else lfc,
                    "lfc": lfc,
                    "p": np.nan,
                    "fdr": np.nan,
                    "source": "made up",
                }
            )
        )
    return ScreenTable(pd.concat(frames, ignore_index=True))


def test_experiments_are_sorted_by_effector_perturbation_and_name(screens) -> None:
    standardised = standardise_screens(screens)
    experiments = described_experiments(screens, standardised)
    assert experiments["name"].tolist() == ["c", "a", "b"]
    assert experiments["members"].tolist() == [("c",), ("a",), ("b_r1", "b_r2")]
    assert standardised.z.columns[experiments["at"]].tolist() == ["c", "a", "b"]


def test_effects_are_scaled_by_their_screen_and_replicates_averaged(screens) -> None:
    experiments = described_experiments(screens, standardise_screens(screens))
    genes = pd.Index([*(f"G{i}" for i in range(N_GENES)), "NOWHERE"])
    scaled = scaled_effects(screens, experiments, genes)
    assert np.isnan(scaled[-1]).all()
    single = scaled[:-1, 0]
    assert np.median(single) == pytest.approx(0, abs=1e-9)
    assert np.median(np.abs(single)) * 1.4826 == pytest.approx(1)
    assert scaled[:-1, 2].std() == pytest.approx(np.sqrt(0.5), abs=0.1)


def test_known_genes_are_grouped_and_the_strongest_come_first() -> None:
    z = pd.DataFrame(
        {"a": [3.0, -4.0, 1.0, 5.0, 0.1], "b": [0.0, 1.0, 1.5, np.nan, 0.2]},
        index=["B2M", "HLA-E", "ULBP1", "CD58", "NOWHERE"],
    )
    groups = genes_by_category(z)
    assert {gene for genes in groups.values() for gene in genes} == {"B2M", "HLA-E", "CD58"}
    for genes in groups.values():
        assert list(genes) == sorted(genes, key=lambda gene: -z.loc[gene].abs().max())
    named = genes_by_category(z, ["NOWHERE", "ULBP1", "CD58"])
    assert list(named)[-1] == "uncategorised"
    assert named["uncategorised"] == ("NOWHERE",)
    with pytest.raises(InputError, match="hold 5 genes"):
        genes_by_category(z, ["TP53"])


def test_overlap_is_one_by_chance_and_large_between_equals() -> None:
    screens = np.column_stack([np.random.default_rng(seed).normal(size=20000) for seed in range(3)])
    screens = np.column_stack([screens, screens[:, 0], -screens[:, 0]])
    ratio = top_overlaps(screens)
    assert np.isnan(np.diag(ratio)).all()
    assert ratio[0, 1] == pytest.approx(1, abs=1)
    assert ratio[0, 3] == pytest.approx(100)
    assert ratio[0, 4] == 0
    np.testing.assert_array_equal(ratio, ratio.T)


def test_screens_that_share_a_few_genes_are_not_compared() -> None:
    screens = np.column_stack([effects(1), effects(1)])
    screens[20:, 1] = np.nan
    assert np.isnan(top_overlaps(screens)).all()
    screens[:200, 1] = screens[:200, 0]
    assert top_overlaps(screens)[0, 1] > 1
