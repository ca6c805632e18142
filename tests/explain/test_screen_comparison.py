from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nkpredict import NKSusceptibilityModel, ScreenTable
from nkpredict.errors import InputError
from nkpredict.explain import compare_with_screens, knockout_against_screens

HITS = {"ICAM1": 2.0, "CD58": 1.5, "HLA-E": -2.0, "GENE7": -1.5, "GENE8": 1.5}


def screen(genes, name, perturbation="loss", effector="primary NK", seed=0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    effect = pd.Series(rng.normal(0, 0.2, len(genes)), index=genes)
    p = pd.Series(rng.uniform(0.01, 1, len(genes)), index=genes)
    for gene, value in HITS.items():
        effect[gene], p[gene] = value, 1e-6
    return pd.DataFrame(
        {
            "gene": genes,
            "screen": name,
            "cell_line": "K562",
            "perturbation": perturbation,
            "effector": effector,
            "effect": effect.to_numpy(),
            "lfc": (-effect if perturbation == "gain" else effect).to_numpy(),
            "p": p.to_numpy(),
            "fdr": np.nan,
            "source": "made up",
        }
    )


@pytest.fixture
def screens(study) -> ScreenTable:
    genes = list(study.profiles.columns)
    tables = [
        screen(genes, "first_r1"),
        screen(genes, "first_r2", seed=1),
        screen(genes, "second", "gain", seed=2),
    ]
    return ScreenTable(pd.concat(tables, ignore_index=True))


def test_effects_like_the_screen_score_high_and_turned_ones_low(study, screens):
    effects = pd.Series(0.0, index=study.profiles.columns)
    effects[list(HITS)] = list(HITS.values())
    table = compare_with_screens(effects, screens)
    assert table["screen"].tolist() == ["second", "first"]
    assert table["hit_rule"].tolist() == ["study", "study"]
    assert table["hits"].tolist() == [5, 5]
    for column in ("auroc", "auroc_sensitizing", "auroc_protecting", "same_sign"):
        np.testing.assert_allclose(table[column], 1)
    assert (table["spearman"] > 0).all()
    turned = compare_with_screens(-effects, screens)
    np.testing.assert_allclose(turned["auroc"], 1)
    np.testing.assert_allclose(turned["auroc_sensitizing"], 0)
    np.testing.assert_allclose(turned["same_sign"], 0)
    assert compare_with_screens(effects, screens, top=10)["hits"].tolist() == [10, 10]
    nothing = compare_with_screens(effects * 0, screens)
    assert nothing[["same_sign", "spearman"]].isna().all(axis=None)


@pytest.mark.slow
def test_screens_are_held_out_with_their_replicates(study, screens):
    steps = []
    table = knockout_against_screens(
        NKSusceptibilityModel(),
        study.profiles,
        study.target,
        screens,
        progress=lambda stage, done, total: steps.append((done, total)),
    )
    assert steps == [(1, 2), (2, 2)]
    assert set(table["hidden_screens"]) == {"second", "first_r1; first_r2"}
    assert table.groupby("screen")["predictor"].nunique().tolist() == [3, 3]
    ours = table[table["predictor"] == "virtual perturbation"]
    assert (ours["auroc"] > 0.7).all()


def test_too_few_shared_genes_are_named(screens):
    with pytest.raises(InputError, match="shares 1 genes"):
        compare_with_screens(pd.Series({"ICAM1": 1.0, "OTHER": 0.0}), screens)
