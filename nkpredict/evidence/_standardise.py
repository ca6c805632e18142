"""Bring screens to one scale: signed z, replicates merged, fitness corrected, quality weighed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm, rankdata

from nkpredict.evidence._table import ScreenTable
from nkpredict.types import BoolArray, FloatArray

HIT_P = 1e-4
"""p-value below which the study calls a gene a hit (Dufva et al. 2023, Immunity)."""
HIT_FOLD_CHANGE = 0.75
"""Absolute log2 fold change above which the study calls a gene a hit."""
Z_LIMIT = 6.0
"""Largest |z| of one screen (p about 2e-9), so that no screen outvotes all others; set by hand."""
TAIL_Z = 3.0
"""|z| from which genes count to the tail that shows how much signal a screen has; set by hand."""
WEIGHT_RANGE = (0.5, 2.0)
"""Least and largest weight of a screen in the combination; set by hand."""
CALIBRATED_INFLATION = 1.5
"""Inflation of p-values up to which the study's hit rule is applied to them as published; set by
hand."""
FITNESS_ERRORS = 3.0
"""Standard errors by which core-essential genes must be shifted for a screen to be corrected; set
by hand."""
NOISE_QUANTILE = 0.99
"""Quantile of the differences between replicates that tells their noise: tails are what counts. Set
by hand; others change little, see docs/decisions/001."""

CORE_ESSENTIAL = re.compile(
    r"""^(?: RPL\d+A? | RPS(?:\d+A?|4X|A) | RPLP[0-2]     # ribosome, not the paralogues like RPL3L
      | PSMA[1-7] | PSMB[1-7] | PSMC[1-6] | PSMD\d+       # proteasome, not the immunoproteasome
      | SF3[AB][1-6] | SNRP(?:A1|B|C|D[1-3]|E|F|G) | SNRNP200 | PRPF\d+[AB]? | U2AF[12]  # splicing
      | POLR2[A-L] | EIF2S[1-3] | EIF2B[1-5] | EIF3[A-M] | EIF4A3 | EIF5B | EIF6
    )$""",
    re.VERBOSE,
)
"""Families of genes that nearly every cell needs, by their approved symbols; chosen by hand."""

_CHI2_MEDIAN = 0.4549364  # of the chi-squared distribution with one degree of freedom
# Enough genes for an inflation or a tail to mean something; hand-picked lists are left alone. These
# three are set by hand.
_MIN_GENES = 500
_MIN_ESSENTIAL = 30
_MAX_CORRELATION = 0.95  # replicates nearer than this are copies and show no noise
_REPLICATE = re.compile(r"[_\-. :|](?:replicate|rep|r)[_\-. ]?\d+$", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class StandardisedScreens:
    """Independent screens on one scale, replicates merged.

    Attributes
    ----------
    z
        Signed z, genes × experiments; + = sensitizes, NaN where not measured.
    weights
        Quality weight of each experiment, in `WEIGHT_RANGE`.
    effectors
        Effector type of each experiment.
    hits
        Genes × experiments: a hit of the study's own rule.
    tests_alone
        Whether an experiment has p-values for most genes, so that one gene of it can be
        significant; those of one side, as RRA scores give them, do not suffice.
    notes
        What was estimated for each experiment, plain values.
    """

    z: pd.DataFrame
    weights: FloatArray
    effectors: tuple[str, ...]
    hits: BoolArray
    tests_alone: BoolArray
    notes: tuple[dict[str, Any], ...]


def standardise_screens(
    screens: ScreenTable, *, correct_fitness: bool = True
) -> StandardisedScreens:
    """Bring screens to one scale, with replicates merged and fitness corrected.

    Each screen gives every gene a signed z: from its two-sided p-value, divided by the square
    root of the genomic inflation factor where p-values are too small on the whole (Devlin and
    Roeder 1999, doi 10.1111/j.0006-341X.1999.00997.x); for a gene without p-value from the effect,
    by the smaller of robust z (median and MAD) and normal score of the rank, so that heavy tails
    of noise make no hits. Replicates of a screen are merged, allowing for their correlation, and
    scaled by the noise that their differences show. Several analyses of the same cells
    (``provenance.experiments``) count as one screen, with their mean z; a p-value without sign
    counts where another analysis gives it one.

    Parameters
    ----------
    screens
        Checked screens.
    correct_fitness
        Whether to correct screens in which core-essential genes are shifted; see
        :func:`correct_for_fitness`.

    Returns
    -------
    StandardisedScreens
        Experiments sorted by name.
    """
    table = screens.table
    genes = pd.Index(sorted(table["gene"].unique()), name="gene")
    described = screens.screens.sort_index()
    rows = genes.get_indexer(pd.Index(table["gene"]))
    columns = described.index.get_indexer(pd.Index(table["screen"]))

    def matrix(value: str) -> FloatArray:
        wide = np.full((len(genes), len(described)), np.nan)
        wide[rows, columns] = table[value]
        return wide

    effect, p, lfc = matrix("effect"), matrix("p"), matrix("lfc")
    essential = np.array([CORE_ESSENTIAL.match(gene) is not None for gene in genes])
    if not correct_fitness:
        essential[:] = False
    analysis = [_REPLICATE.sub("", str(screen)) for screen in described.index]
    stated = screens.provenance.experiments or {}
    shared = [stated.get(str(screen)) for screen in described.index]
    described = described.assign(
        analysis=analysis,
        experiment=[one or other for one, other in zip(shared, analysis, strict=True)],
        position=np.arange(len(described)),
    )
    alike = ["experiment", "effector", "cell_line", "perturbation"]
    names, effectors, experiments = [], [], []
    for (name, effector, *_), members in described.groupby(alike):
        names.append(str(name))
        effectors.append(str(effector))
        analyses, sizes = [], []
        for _, replicates in members.groupby("analysis"):
            at = replicates["position"].to_numpy()
            own = [str(screen) for screen in replicates.index]
            analyses.append(_experiment(own, effect[:, at], p[:, at], lfc[:, at], essential))
            sizes.append(_unsigned_z(effect[:, at], p[:, at]))
        experiments.append(
            analyses[0] if len(analyses) == 1 else _merge_analyses(analyses, np.column_stack(sizes))
        )
    return StandardisedScreens(
        z=pd.DataFrame(np.column_stack([e.z for e in experiments]), index=genes, columns=names),
        weights=np.array([e.weight for e in experiments]),
        effectors=tuple(effectors),
        hits=np.column_stack([e.hit for e in experiments]),
        tests_alone=np.array([e.tests_alone for e in experiments]),
        notes=tuple(e.notes for e in experiments),
    )


def correct_for_fitness(z: FloatArray, essential: BoolArray) -> tuple[FloatArray, float | None]:
    """Make core-essential genes the null on the side of a screen to which they are shifted.

    Where a screen compares cells that grew for longer with cells that grew for less, essential
    genes drop out whether NK cells are there or not. If the median z of core-essential genes
    differs from 0 by `FITNESS_ERRORS` standard errors or more, a gene on that side has to differ
    from them: |z| becomes (|z| − their median) / their spread (MAD, at least 1), never below 0 and
    never above the old |z|. The other side stays as it is.

    Parameters
    ----------
    z
        Signed z of one screen, shape (n_genes,), NaN where not measured.
    essential
        Which genes belong to a core-essential family, shape (n_genes,).

    Returns
    -------
    z : numpy.ndarray
        Corrected.
    shift : float or None
        Median z of the core-essential genes where it was corrected for, else None.
    """
    essential_z = z[essential & np.isfinite(z)]
    if len(essential_z) < _MIN_ESSENTIAL:
        return z, None
    shift = float(np.median(essential_z))
    spread = max(1.0, float(1.4826 * np.median(np.abs(essential_z - shift))))
    # the standard error of a median of normal values is 1.2533 sd / sqrt(n)
    if abs(shift) < FITNESS_ERRORS * 1.2533 * spread / np.sqrt(len(essential_z)):
        return z, None
    reduced = np.sign(z) * np.clip((np.abs(z) - abs(shift)) / spread, 0.0, np.abs(z))
    return np.where(np.sign(z) == np.sign(shift), reduced, z) + 0.0, shift


@dataclass(frozen=True)
class _Experiment:
    """One independent screen: its replicates merged."""

    z: FloatArray
    weight: float
    hit: BoolArray
    tests_alone: bool
    notes: dict[str, Any]


def _experiment(
    names: list[str], effect: FloatArray, p: FloatArray, lfc: FloatArray, essential: BoolArray
) -> _Experiment:
    raw, z = np.empty(effect.shape), np.empty(effect.shape)
    hit = np.zeros(len(effect), dtype=bool)
    inflations: dict[str, float | None] = {}
    tested: dict[str, bool] = {}
    shifts: dict[str, float | None] = {}
    for at, screen in enumerate(names):
        raw[:, at], inflation = _signed_z(effect[:, at], p[:, at])
        z[:, at], shifts[screen] = correct_for_fitness(raw[:, at], essential)
        inflations[screen] = inflation
        tested[screen] = np.isfinite(p[:, at]).sum() * 2 > np.isfinite(effect[:, at]).sum()
        if inflation is not None and inflation <= CALIBRATED_INFLATION:
            rule = (p[:, at] < HIT_P) & (np.abs(lfc[:, at]) > HIT_FOLD_CHANGE)
            # what fitness explains is no hit
            hit |= rule & ((z[:, at] == raw[:, at]) | (2 * norm.sf(np.abs(z[:, at])) < HIT_P))
    merged, correlation, noise = _merge_replicates(z, raw)
    return _Experiment(
        z=merged,
        weight=_weight(merged, correlation),
        hit=hit,
        tests_alone=any(tested.values()),
        notes={
            "inflation": inflations,
            "replicate_correlation": correlation,
            "replicate_noise": noise,
            "core_essential_shift": shifts,
        },
    )


def _unsigned_z(effect: FloatArray, p: FloatArray) -> FloatArray:
    """Size of z where the p of a gene is known without its sign, NaN elsewhere."""
    alone = np.where(np.isfinite(effect), np.nan, p)
    known = np.isfinite(alone).any(axis=1)
    size = np.full(len(p), np.nan)
    smallest = np.nanmin(alone[known], axis=1) if known.any() else alone[known, 0]
    size[known] = np.minimum(norm.isf(np.maximum(smallest, 2 * norm.sf(Z_LIMIT)) / 2), Z_LIMIT)
    return size


def _merge_analyses(analyses: list[_Experiment], unsigned: FloatArray) -> _Experiment:
    """Mean z of several analyses of the same cells, which add no independent information.

    A p-value without sign takes that of the other analyses; without them it stays unknown.
    """
    z = np.column_stack([one.z for one in analyses])
    sign = np.sign(np.nansum(z, axis=1))[:, None]
    joined = np.isnan(z) & np.isfinite(unsigned) & (sign != 0)
    z = np.where(joined, sign * np.nan_to_num(unsigned), z)
    n = np.isfinite(z).sum(axis=1)
    merged = np.where(n > 0, np.nansum(z, axis=1) / np.maximum(n, 1), np.nan)
    notes = [one.notes for one in analyses]
    known = [note for note in notes if note["replicate_correlation"] is not None]
    return _Experiment(
        z=merged,
        weight=float(np.mean([one.weight for one in analyses])),
        hit=np.asarray(np.column_stack([one.hit for one in analyses]).any(axis=1)),
        tests_alone=any(one.tests_alone for one in analyses),
        notes={
            **(known or notes)[0],
            **{
                name: {screen: value for note in notes for screen, value in note[name].items()}
                for name in ("inflation", "core_essential_shift")
            },
            "signs_joined": int(joined.sum()),
        },
    )


def _signed_z(effect: FloatArray, p: FloatArray) -> tuple[FloatArray, float | None]:
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
    untested = measured & ~tested
    z[untested] = _z_from_effect(effect[measured])[untested[measured]]
    return z, inflation


def _z_from_effect(effect: FloatArray) -> FloatArray:
    centred = effect - np.median(effect)
    score = norm.ppf((rankdata(effect) - 0.5) / len(effect))
    spread = 1.4826 * np.median(np.abs(centred))
    with np.errstate(over="ignore"):  # beyond the largest number the rank decides
        robust = np.abs(centred) / spread if spread > 0 else np.abs(score)
    size = np.minimum(np.minimum(robust, np.abs(score)), Z_LIMIT)
    return np.asarray(np.sign(centred) * size)


def _merge_replicates(
    z: FloatArray, raw: FloatArray
) -> tuple[FloatArray, float | None, float | None]:
    """Stouffer's z over replicates of one screen, with their mean correlation and noise.

    What replicates share cancels in their differences, so these show the noise of the merged z
    without its signal: they are the null that a published p-value may miss in either direction.
    They are taken before the correction for fitness, which narrows one side only.
    """
    n_replicates = z.shape[1]
    if n_replicates == 1:
        return z[:, 0], None, None
    ranks = pd.DataFrame(z).corr(method="spearman", min_periods=3).to_numpy()
    first, second = np.triu_indices(n_replicates, k=1)
    correlation = float(np.mean(np.nan_to_num(ranks[first, second])))
    shared = max(correlation, 0.0)
    n = np.isfinite(z).sum(axis=1)
    variance = n + n * (n - 1) * shared
    merged = np.where(n > 0, np.nansum(z, axis=1) / np.sqrt(np.maximum(variance, 1)), np.nan)
    noise = None
    differences = np.abs(raw[:, first] - raw[:, second])
    differences = differences[np.isfinite(differences)]
    if len(differences) >= _MIN_GENES and shared < _MAX_CORRELATION:
        tail = float(np.quantile(differences, NOISE_QUANTILE)) / np.sqrt(2 - 2 * shared)
        noise = float(tail / norm.isf((1 - NOISE_QUANTILE) / 2))
        merged = merged / noise
    return np.clip(merged, -Z_LIMIT, Z_LIMIT), correlation, noise


def _weight(z: FloatArray, correlation: float | None) -> float:
    """Weight of a screen: reliability of its replicates, else its excess of large z."""
    low, high = WEIGHT_RANGE
    if correlation is not None:
        # Spearman-Brown, two halves; replicates that contradict each other are worth nothing
        reliability = 2 * correlation / (1 + correlation) if correlation > 0 else 0.0
        return float(np.clip(high * np.sqrt(reliability), low, high))
    known = z[np.isfinite(z)]
    if len(known) < _MIN_GENES:
        return 1.0
    expected = 2 * norm.sf(TAIL_Z)
    return float(np.clip(np.sqrt(np.mean(np.abs(known) > TAIL_Z) / expected), low, high))
