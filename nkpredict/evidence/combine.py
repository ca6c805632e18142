"""Combine screens into one signed, sourced evidence per gene."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control, norm, rankdata

from nkpredict.errors import InputError, name_some
from nkpredict.evidence.table import GeneEvidence, ScreenTable

HIT_P = 1e-4
"""p-value below which the study calls a gene a hit (Dufva et al. 2023, Immunity)."""
HIT_FOLD_CHANGE = 0.75
"""Absolute log2 fold change above which the study calls a gene a hit."""
HIT_CONFIDENCE = 0.3
"""Least confidence of a gene that is a hit of the study's rule in one calibrated screen."""
FDR_CERTAIN = 0.001
"""False discovery rate at and below which confidence is 1."""
FDR_NONE = 0.25
"""False discovery rate at and above which confidence is 0; the usual lenient limit of screens."""
CONFLICT_P = 1e-3
"""Combined p-value an effector type must reach for its sign to count in a conflict; a single
screen must reach `HIT_P`."""
CONFLICT_FACTOR = 0.5
"""What remains of the confidence when effector types contradict each other."""
Z_LIMIT = 6.0
"""Largest |z| of one screen (p about 2e-9), so that no screen outvotes all others."""
TAIL_Z = 3.0
"""|z| from which genes count to the tail that shows how much signal a screen has."""
WEIGHT_RANGE = (0.5, 2.0)
"""Least and largest weight of a screen in the combination."""
CALIBRATED_INFLATION = 1.5
"""Inflation of p-values up to which the study's hit rule is applied to them as published."""

_CHI2_MEDIAN = 0.4549364
# Enough genes for an inflation or a tail to mean something; hand-picked lists are left alone.
_MIN_GENES = 500
_REPLICATE = re.compile(r"[_\-. :|](?:replicate|rep|r)[_\-. ]?\d+$", re.IGNORECASE)
_T_CELL = re.compile(r"\bt[- ]?cells?\b", re.IGNORECASE)


@dataclass(frozen=True)
class _Experiment:
    """One independent screen: its replicates merged."""

    name: str
    effector: str
    z: np.ndarray
    weight: float
    hit: np.ndarray
    tests_alone: bool
    notes: dict[str, Any]


def combine_screens(screens: ScreenTable) -> GeneEvidence:
    """Combine screens into one evidence per gene.

    Each screen gives every gene a signed z: from its two-sided p-value, divided by the square
    root of the genomic inflation factor where p-values are too small on the whole (Devlin and
    Roeder 1999, doi 10.1111/j.0006-341X.1999.00997.x); without p-values from the effect, by the
    smaller of robust z (median and MAD) and normal score of the rank, so that heavy tails of
    noise make no hits. Replicates of a screen are merged, allowing for their correlation. Screens
    are combined with weights by Stouffer's method (Stouffer 1949; weights after Liptak 1958), and
    each gene keeps the better of the combination and its best single screen with p-values, after
    Bonferroni's correction for the screens tried and the two ways. Confidence falls smoothly with
    the Benjamini-Hochberg false discovery rate of that p-value, from 1 at `FDR_CERTAIN` to 0 at
    `FDR_NONE`; a hit of the study's own rule has at least `HIT_CONFIDENCE`.

    Screens against T cells are left out: antigen presentation works the other way there.

    Parameters
    ----------
    screens
        Checked screens; loss and gain of function are alike after signing.

    Returns
    -------
    GeneEvidence
        One row for every gene of the screens, sorted.

    Raises
    ------
    InputError
        When every screen is against T cells.
    """
    described = screens.screens
    t_cell = described["effector"].str.contains(_T_CELL)
    if t_cell.all():
        raise InputError(
            f"All screens are against T cells ({name_some(described.index)}); expected at least "
            "one against NK cells."
        )
    described = described[~t_cell].sort_index()
    kept = screens.table[screens.table["screen"].isin(described.index)]
    genes = pd.Index(sorted(kept["gene"].unique()), name="gene")

    def matrix(value: str) -> pd.DataFrame:
        wide = kept.pivot(index="gene", columns="screen", values=value)  # noqa: PD010
        return wide.reindex(index=genes, columns=described.index)

    effect, p, lfc = matrix("effect"), matrix("p"), matrix("lfc")
    experiments = []
    described = described.assign(experiment=[_REPLICATE.sub("", str(s)) for s in described.index])
    alike = ["experiment", "effector", "cell_line", "perturbation"]
    for (name, effector, *_), members in described.groupby(alike):
        columns = list(members.index)
        experiments.append(
            _experiment(str(name), str(effector), effect[columns], p[columns], lfc[columns])
        )
    table, notes = _combine(experiments, genes)
    provenance = {
        "method": "weighted Stouffer combination, best single screen after Bonferroni",
        "screens": [
            {"experiment": e.name, "effector": e.effector, "weight": e.weight, **e.notes}
            for e in experiments
        ],
        "left_out_effector_is_t_cell": sorted(t_cell.index[t_cell]),
        "constants": {
            "hit_p": HIT_P,
            "hit_fold_change": HIT_FOLD_CHANGE,
            "hit_confidence": HIT_CONFIDENCE,
            "fdr_certain": FDR_CERTAIN,
            "fdr_none": FDR_NONE,
            "conflict_p": CONFLICT_P,
            "z_limit": Z_LIMIT,
        },
        "simulated": screens.simulated,
        "source": screens.provenance,
        **notes,
    }
    return GeneEvidence(table, provenance)


def _experiment(
    name: str, effector: str, effect: pd.DataFrame, p: pd.DataFrame, lfc: pd.DataFrame
) -> _Experiment:
    z, hit = np.empty(effect.shape), np.zeros(len(effect), dtype=bool)
    inflations: dict[str, float | None] = {}
    for position, screen in enumerate(effect.columns):
        values, inflation = _signed_z(effect[screen].to_numpy(), p[screen].to_numpy())
        z[:, position] = values
        inflations[str(screen)] = inflation
        if inflation is not None and inflation <= CALIBRATED_INFLATION:
            rule = (p[screen] < HIT_P) & (lfc[screen].abs() > HIT_FOLD_CHANGE)
            hit |= rule.to_numpy()
    merged, correlation = _merge_replicates(z)
    weight = _weight(merged, correlation)
    return _Experiment(
        name=name,
        effector=effector,
        z=merged,
        weight=weight,
        hit=hit,
        tests_alone=any(inflation is not None for inflation in inflations.values()),
        notes={"inflation": inflations, "replicate_correlation": correlation},
    )


def _signed_z(effect: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, float | None]:
    """Return z signed like the effect, and the inflation of p (None without p-values)."""
    z = np.full(len(effect), np.nan)
    measured = np.isfinite(effect)
    tested = measured & np.isfinite(p)
    if not tested.any():
        z[measured] = _z_from_effect(effect[measured])
        return z, None
    # A permutation p-value of 0 means "below the resolution": half the smallest one seen.
    positive = p[tested & (p > 0)]
    floor = positive.min() / 2 if len(positive) else norm.sf(Z_LIMIT) * 2
    size = norm.isf(np.maximum(p[tested], floor) / 2)
    inflation = 1.0
    if tested.sum() >= _MIN_GENES:
        inflation = max(1.0, float(np.median(size) ** 2 / _CHI2_MEDIAN))
    z[tested] = np.sign(effect[tested]) * np.minimum(size / np.sqrt(inflation), Z_LIMIT)
    return z, inflation


def _z_from_effect(effect: np.ndarray) -> np.ndarray:
    centred = effect - np.median(effect)
    score = norm.ppf((rankdata(effect) - 0.5) / len(effect))
    spread = 1.4826 * np.median(np.abs(centred))
    robust = np.abs(centred) / spread if spread > 0 else np.abs(score)
    return np.sign(centred) * np.minimum(np.minimum(robust, np.abs(score)), Z_LIMIT)


def _merge_replicates(z: np.ndarray) -> tuple[np.ndarray, float | None]:
    """Stouffer's z over replicates of one screen, their mean correlation taken into account."""
    n_replicates = z.shape[1]
    if n_replicates == 1:
        return z[:, 0], None
    ranks = pd.DataFrame(z).corr(method="spearman", min_periods=3).to_numpy()
    pairs = ranks[np.triu_indices(n_replicates, k=1)]
    correlation = float(np.mean(np.nan_to_num(pairs)))
    n = np.isfinite(z).sum(axis=1)
    variance = n + n * (n - 1) * max(correlation, 0.0)
    merged = np.where(n > 0, np.nansum(z, axis=1) / np.sqrt(np.maximum(variance, 1)), np.nan)
    return np.clip(merged, -Z_LIMIT, Z_LIMIT), correlation


def _weight(z: np.ndarray, correlation: float | None) -> float:
    """Weight of a screen: reliability of its replicates, else its excess of large z."""
    low, high = WEIGHT_RANGE
    if correlation is not None:
        reliability = max(0.0, 2 * correlation / (1 + correlation))  # Spearman-Brown, two halves
        return float(np.clip(high * np.sqrt(reliability), low, high))
    known = z[np.isfinite(z)]
    if len(known) < _MIN_GENES:
        return 1.0
    expected = 2 * norm.sf(TAIL_Z)
    return float(np.clip(np.sqrt(np.mean(np.abs(known) > TAIL_Z) / expected), low, high))


def _stouffer(z: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Combine columns, leaving out what was not measured; 0 where nothing was."""
    known = np.isfinite(z)
    norms = np.sqrt((known * weights**2).sum(axis=1))
    total = (np.where(known, z, 0.0) * weights).sum(axis=1)
    return np.divide(total, norms, out=np.zeros(len(z)), where=norms > 0)


def _combine(
    experiments: list[_Experiment], genes: pd.Index
) -> tuple[pd.DataFrame, dict[str, Any]]:
    z = np.column_stack([e.z for e in experiments])
    weights = np.array([e.weight for e in experiments])
    alone = np.array([e.tests_alone for e in experiments])
    known = np.isfinite(z)
    filled = np.where(known, z, 0.0)

    combined = _stouffer(z, weights)
    p_combined = 2 * norm.sf(np.abs(combined))
    single = np.where(alone, filled, 0.0)
    rows = np.arange(len(genes))
    best = single[rows, np.abs(single).argmax(axis=1)]
    n_alone = (known & alone).sum(axis=1)
    p_single = np.minimum(1.0, 2 * norm.sf(np.abs(best)) * np.maximum(n_alone, 1))
    # with one screen both ways are the same test, and there is nothing to correct for
    ways = np.where((n_alone > 0) & (known.sum(axis=1) > 1), 2, 1)
    p_gene = np.minimum(1.0, ways * np.minimum(p_combined, p_single))
    fdr = false_discovery_control(p_gene)
    confidence = confidence_from_fdr(fdr)
    sign = np.sign(np.where(p_single < p_combined, best, combined))

    hits = np.column_stack([e.hit for e in experiments])
    hit_z = np.where(hits, filled, 0.0)
    strongest = hit_z[rows, np.abs(hit_z).argmax(axis=1)]
    by_rule = (confidence < HIT_CONFIDENCE) & (strongest != 0)
    confidence = np.where(by_rule, HIT_CONFIDENCE, confidence)
    sign = np.where(by_rule, np.sign(strongest), sign)

    conflict = _conflict(experiments, filled, z, weights, alone)
    confidence = np.where(conflict, CONFLICT_FACTOR * confidence, confidence)
    total = np.abs(filled).sum(axis=1)
    along = np.where(np.sign(filled) == sign[:, None], np.abs(filled), 0.0).sum(axis=1)
    table = pd.DataFrame(
        {
            "evidence": sign * confidence + 0.0,
            "confidence": np.where(sign == 0, 0.0, confidence),
            "n_screens": known.sum(axis=1),
            "agreement": np.divide(along, total, out=np.zeros(len(genes)), where=total > 0),
            "conflict": conflict,
        },
        index=genes,
    )
    notes = {
        "genes": len(genes),
        "genes_with_evidence": int((table["evidence"] != 0).sum()),
        "genes_by_hit_rule_only": int(by_rule.sum()),
        "genes_in_conflict": int(conflict.sum()),
    }
    return table, notes


def confidence_from_fdr(fdr: np.ndarray) -> np.ndarray:
    """Turn false discovery rates into confidence in [0, 1].

    A cubic step (3t² − 2t³) on the logarithmic scale: 1 up to `FDR_CERTAIN`, 0 from `FDR_NONE`.

    Parameters
    ----------
    fdr
        False discovery rates in [0, 1].

    Returns
    -------
    numpy.ndarray
        Confidence, same shape.
    """
    span = np.log10(FDR_NONE) - np.log10(FDR_CERTAIN)
    t = (np.log10(FDR_NONE) - np.log10(np.maximum(fdr, FDR_CERTAIN))) / span
    t = np.clip(t, 0.0, 1.0)
    return t**2 * (3 - 2 * t)


def _conflict(
    experiments: list[_Experiment],
    filled: np.ndarray,
    z: np.ndarray,
    weights: np.ndarray,
    alone: np.ndarray,
) -> np.ndarray:
    """Whether two known effector types are each significant, with opposite signs."""
    effectors = np.array([e.effector for e in experiments])
    limit, limit_alone = norm.isf(CONFLICT_P / 2), norm.isf(HIT_P / 2)
    up = np.zeros(len(filled), dtype=bool)
    down = np.zeros(len(filled), dtype=bool)
    for effector in sorted(set(effectors) - {"unknown"}):
        own = effectors == effector
        together = _stouffer(z[:, own], weights[own])
        single = np.where(alone & own, filled, 0.0)
        up |= (together > limit) | (single.max(axis=1) > limit_alone)
        down |= (together < -limit) | (single.min(axis=1) < -limit_alone)
    return up & down
