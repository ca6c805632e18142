from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from nkpredict.errors import InputError
from nkpredict.evidence import (
    AS_SHIPPED,
    METHODS,
    ScreenTable,
    compare_methods,
    describe_gene,
    judge,
    mean_auprc,
)
from nkpredict.evidence._comparison import COMPARISON_COLUMNS
from nkpredict.io import approved_symbols

NAMES = sorted(approved_symbols())[:600]


def screens_of(effectors: dict[str, str], shared: float = 3.0) -> ScreenTable:
    """Screens that share ten strong genes, the rest noise; JAK1 goes against NK-92."""
    genes = [*NAMES, "JAK1"]
    blocks = []
    for number, (screen, effector) in enumerate(effectors.items()):
        effect = np.random.default_rng(number).normal(0, 0.5, len(genes))
        effect[:10] -= shared
        effect[-1] = 4.0 if effector == "NK-92" else -4.0
        blocks.append(
            pd.DataFrame(
                {
                    "gene": genes,
                    "screen": screen,
                    "cell_line": "K562",
                    "perturbation": "loss",
                    "effector": effector,
                    "effect": effect,
                    "lfc": effect,
                    "p": np.clip(10.0 ** (-2 * np.abs(effect)), 1e-12, 1),
                    "fdr": np.nan,
                    "source": "made up",
                }
            )
        )
    return ScreenTable(pd.concat(blocks, ignore_index=True))


def test_each_screen_is_predicted_from_the_others_by_every_method() -> None:
    screens = screens_of({"a": "primary NK", "b": "primary NK", "c": "KHYG-1", "t": "T cell"})
    steps: list[tuple[int, int]] = []
    table = compare_methods(screens, bootstrap=20, progress=lambda stage, *step: steps.append(step))
    assert tuple(table.columns) == COMPARISON_COLUMNS
    assert set(table["held_out"]) == {"a", "b", "c"}
    assert set(table["method"]) == {*METHODS, AS_SHIPPED}
    assert steps == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert (table["auroc_low"] <= table["auroc_high"]).all()
    stouffer = table[table["method"] == "weighted-stouffer"]
    assert (stouffer["auroc"] > 0.8).all()
    assert (stouffer["same_sign"] > 0.8).all()
    pd.testing.assert_frame_equal(table, compare_methods(screens, bootstrap=20))
    assert mean_auprc(table).is_monotonic_decreasing


def test_further_scores_are_judged_beside_the_methods() -> None:
    screens = screens_of({"a": "primary NK", "b": "primary NK"})
    truth = screens.table.set_index(["screen", "gene"])["effect"]
    table = compare_methods(
        screens, bootstrap=0, further=lambda held, genes: {"truth": truth[held][genes].to_numpy()}
    )
    perfect = table[table["method"] == "truth"]
    assert (perfect["auroc"] > 0.99).all()
    assert table["auroc_low"].isna().all()


def test_two_independent_screens_are_needed() -> None:
    with pytest.raises(InputError, match="one independent screen"):
        compare_methods(screens_of({"a_r1": "primary NK", "a_r2": "primary NK", "t": "T cell"}))


def test_areas_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    for decimals in (0, 1, 8):
        score = rng.normal(size=300).round(decimals)
        hit = rng.random(300) < 0.2
        judged = judge(score, np.ones(300), hit)
        assert judged["auroc"] == pytest.approx(roc_auc_score(hit, np.abs(score)))
        assert judged["auprc"] == pytest.approx(average_precision_score(hit, np.abs(score)))
        assert judged["same_sign"] == (score[hit] > 0).mean()


def test_a_gene_is_described_from_the_knowledge_base_alone() -> None:
    described = describe_gene("B7H6")
    assert described.gene == "NCR3LG1"
    assert "B7H6" in described.note
    assert described.category == "activating-receptor ligand"
    assert described.modules["activating_receptor_ligands"].startswith("10.")
    assert {row["study"] for row in described.published} >= {"Zhuang 2019", "Dufva 2023"}
    assert (described.screens, described.combined, described.by_effector) == ([], {}, {})


def test_a_gene_is_described_in_screens_and_their_combination() -> None:
    screens = screens_of({"a_r1": "primary NK", "a_r2": "primary NK", "b": "NK-92"})
    described = describe_gene("JAK1", screens)
    assert [row["screen"] for row in described.screens] == ["a_r1", "a_r2", "b"]
    assert [row["side"] for row in described.screens] == ["protects", "protects", "sensitizes"]
    assert [row["rank"] for row in described.screens if row["side"] == "sensitizes"] == [1]
    assert [own["name"] for own in described.experiments] == ["b", "a"]
    assert described.combined["conflict"] is True
    assert described.combined["n_screens"] == 2
    assert described.by_effector["NK-92"]["side"] == "sensitizes"
    assert described.by_effector["primary NK"]["side"] == "protects"
    assert described.to_json_dict()["gene"] == "JAK1"


def test_a_gene_outside_the_screens_has_no_evidence() -> None:
    described = describe_gene("STAT1", screens_of({"a": "primary NK"}))
    assert (described.screens, described.combined) == ([], {})
