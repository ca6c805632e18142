"""Virtual perturbations held against measured screens, also screens the model has not seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import mannwhitneyu, spearmanr
from sklearn.base import clone

from nkpredict.errors import InputError
from nkpredict.evidence import (
    GeneEvidence,
    ScreenTable,
    combine_screens,
    described_experiments,
    standardise_screens,
)
from nkpredict.explain._knockout import Perturbation, knockout
from nkpredict.features import ProfilesLike
from nkpredict.learn import NKSusceptibilityModel
from nkpredict.types import Progress

LEAST_HITS = 5
"""Hits of the study's rule, among the genes compared, below which the strongest genes are taken;
set by hand."""
TOP_HITS = 50
"""How many of the strongest genes stand for hits then; set by hand."""
LEAST_GENES = 20
"""Genes that effects and a screen must share to be compared; set by hand."""


def compare_with_screens(
    effects: pd.Series, screens: ScreenTable, top: int | None = None
) -> pd.DataFrame:
    """Say how well predicted effects of genes agree with each measured screen.

    Parameters
    ----------
    effects
        Predicted effect of each gene, + = sensitizes; for example
        ``knockout(...).effects``.
    screens
        Measured screens; replicates count as one.
    top
        Take this many genes with the largest |z| as the hits of every screen. When not given, the
        hits of the study's rule (p < 1e-4 and |log2 fold change| > 0.75), or the 50 strongest
        genes where fewer than 5 genes meet it.

    Returns
    -------
    pandas.DataFrame
        One row a screen: ``screen, cell_line, effector, perturbation, genes`` (shared),
        ``hits, hit_rule``; ``auroc`` (the size of the effect ranks hits before other genes) with
        its two-sided ``auroc_p`` (Mann-Whitney); ``auroc_sensitizing`` and ``auroc_protecting``
        (the signed effect ranks the hits of one direction first and last); ``same_sign`` (share of
        hits with a predicted effect that point the same way); ``spearman`` with ``spearman_p``
        over all shared genes. NaN where it cannot be told.

    Raises
    ------
    InputError
        When a screen shares fewer than 20 genes with the effects.
    """
    standardised = standardise_screens(screens)
    rows = []
    for experiment in described_experiments(screens, standardised).to_dict("records"):
        at = experiment["at"]
        z = standardised.z.iloc[:, at]
        shared = z.index[z.notna()].intersection(effects.index[effects.notna()])
        if len(shared) < LEAST_GENES:
            raise InputError(
                f"The screen {experiment['name']} shares {len(shared)} genes with the predicted "
                f"effects; expected {LEAST_GENES} at least. Check the gene symbols."
            )
        by_rule = pd.Series(standardised.hits[:, at], index=z.index)
        hit, rule = _hits(z[shared].to_numpy(), by_rule[shared].to_numpy(), top)
        described = {
            "screen": experiment["name"],
            **{name: experiment[name] for name in ("cell_line", "effector", "perturbation")},
        }
        agreement = _agreement(effects[shared].to_numpy(float), z[shared].to_numpy(), hit)
        rows.append({**described, "genes": len(shared), "hit_rule": rule, **agreement})
    return pd.DataFrame(rows)


def knockout_against_screens(
    model: NKSusceptibilityModel,
    profiles: ProfilesLike,
    target: Any,
    screens: ScreenTable,
    groups: Any = None,
    *,
    top: int | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Predict each screen with a model that has not seen it.

    Each independent screen is left out in turn, with its replicates: the evidence is combined
    from the others, the model is fitted anew and each gene is perturbed in the training profiles
    in the way of the screen left out.

    Parameters
    ----------
    model
        Settings of the model to fit; its evidence is replaced.
    profiles, target, groups
        Training data, as for ``model.fit``.
    screens
        All screens.
    top
        See `compare_with_screens`.
    progress
        Called with what is being done, steps done and steps in all.

    Returns
    -------
    pandas.DataFrame
        The columns of `compare_with_screens` and, first, ``predictor``: ``virtual perturbation``
        of the refitted model, ``without evidence`` (the same without any screen) and
        ``other screens`` (the evidence alone). ``hidden_screens`` names what was left out.

    Raises
    ------
    InputError
        As the model's ``fit`` and `compare_with_screens`.
    """
    standardised = standardise_screens(screens)
    experiments = described_experiments(screens, standardised).to_dict("records")
    bare = _fitted(model, None, profiles, target, groups)
    tables = []
    for number, experiment in enumerate(experiments):
        hidden = screens.table["screen"].isin(experiment["members"])
        own = ScreenTable(screens.table[hidden], screens.provenance)
        others = _combined(screens.table[~hidden], screens)
        kind: Perturbation = "gain" if experiment["perturbation"] == "gain" else "loss"
        predictors = {"without evidence": knockout(bare, profiles, kind=kind).effects}
        if others is not None:
            fitted = _fitted(model, others, profiles, target, groups)
            predictors["virtual perturbation"] = knockout(fitted, profiles, kind=kind).effects
            predictors["other screens"] = others.table["evidence"].reindex(
                pd.Index(fitted.feature_names_in_), fill_value=0.0
            )
        for name, effects in predictors.items():
            table = compare_with_screens(effects, own, top)
            table.insert(0, "predictor", name)
            tables.append(table.assign(hidden_screens="; ".join(experiment["members"])))
        if progress is not None:
            progress("screens", number + 1, len(experiments))
    return pd.concat(tables, ignore_index=True)


def _fitted(
    model: NKSusceptibilityModel,
    evidence: GeneEvidence | None,
    profiles: ProfilesLike,
    target: Any,
    groups: Any,
) -> NKSusceptibilityModel:
    unfitted: NKSusceptibilityModel = clone(model)
    return unfitted.set_params(evidence=evidence).fit(profiles, target, groups)


def _combined(rows: pd.DataFrame, screens: ScreenTable) -> GeneEvidence | None:
    if rows.empty:
        return None
    try:
        return combine_screens(ScreenTable(rows, screens.provenance))
    except InputError:  # nothing but T cells is left
        return None


def _hits(z: np.ndarray, by_rule: np.ndarray, top: int | None) -> tuple[np.ndarray, str]:
    if top is None and by_rule.sum() >= LEAST_HITS:
        return by_rule, "study"
    count = min(TOP_HITS if top is None else top, len(z) // 2)
    hit = np.zeros(len(z), dtype=bool)
    hit[np.argsort(-np.abs(z), kind="stable")[:count]] = True
    return hit, f"top {count}"


def _agreement(effect: np.ndarray, z: np.ndarray, hit: np.ndarray) -> dict[str, float]:
    pointed = hit & (effect != 0)
    varies = np.ptp(effect) > 0 and np.ptp(z) > 0
    correlation = spearmanr(effect, z) if varies else None
    auroc, auroc_p = _auroc(np.abs(effect), hit)
    return {
        "hits": int(hit.sum()),
        "auroc": auroc,
        "auroc_p": auroc_p,
        "auroc_sensitizing": _auroc(effect, hit & (z > 0))[0],
        "auroc_protecting": _auroc(-effect, hit & (z < 0))[0],
        "same_sign": float(np.mean(np.sign(effect[pointed]) == np.sign(z[pointed])))
        if pointed.any()
        else np.nan,
        "spearman": float(correlation.statistic) if correlation is not None else np.nan,
        "spearman_p": float(correlation.pvalue) if correlation is not None else np.nan,
    }


def _auroc(score: np.ndarray, label: np.ndarray) -> tuple[float, float]:
    """Probability that a labelled gene scores above another one, and its p value."""
    if not label.any() or label.all():
        return np.nan, np.nan
    test = mannwhitneyu(score[label], score[~label])
    return float(test.statistic / (label.sum() * (~label).sum())), float(test.pvalue)
