"""Combine screens into one signed, sourced evidence per gene."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control, norm

from nkpredict.errors import InputError, name_some
from nkpredict.evidence._methods import combine_matrix, heterogeneity, stouffer_z
from nkpredict.evidence._standardise import (
    HIT_FOLD_CHANGE,
    HIT_P,
    Z_LIMIT,
    StandardisedScreens,
    standardise_screens,
)
from nkpredict.evidence._table import GeneEvidence, ScreenTable
from nkpredict.facts import CombinationFacts, ExperimentFacts
from nkpredict.types import BoolArray, FloatArray
from nkpredict.vocabulary import UNKNOWN

DEFAULT_METHOD = "weighted-stouffer"
"""Chosen by leaving screens out in turn; see docs/decisions/001."""

HIT_CONFIDENCE = 0.3
"""Least confidence of a gene that is a hit of the study's rule in one calibrated screen; set by
hand."""
FDR_CERTAIN = 0.001
"""False discovery rate at and below which confidence is 1; set by hand."""
FDR_NONE = 0.25
"""False discovery rate at and above which confidence is 0; the usual lenient limit of screens, set
by hand."""
CONFLICT_P = 1e-3
"""Combined p-value an effector type must reach for its sign to count in a conflict; a single
screen must reach `HIT_P`. Set by hand."""
CONFLICT_FDR = 0.05
"""False discovery rate at which another effector type contradicts a gene that has evidence; set by
hand after results were seen, see docs/decisions/001."""
CONFLICT_FACTOR = 0.5
"""What remains of the confidence when effector types contradict each other; set by hand."""

# T cells under the names that screens give them: by kind, and by the receptor of mouse strains.
_T_CELL = re.compile(
    r"\bt[- ]?(?:cells?|lymphocytes?)\b|\bcar[- ]?ts?\b|\bctls?\b|\bot[- ]?i{1,2}\b"
    r"|\bpmel(?:[- ]?1)?\b",
    re.IGNORECASE,
)


def combine_screens(
    screens: ScreenTable, method: str = DEFAULT_METHOD, *, correct_fitness: bool = True
) -> GeneEvidence:
    """Combine screens into one evidence per gene.

    Screens are brought to one scale by :func:`standardise_screens` and combined by ``method``, all
    together and each effector type by itself; single screens with p-values are tested besides. A
    gene keeps the most significant of these ways, after Bonferroni's correction for their number,
    so that a clear finding in one effector type survives the contradiction of another. Confidence
    falls smoothly with the false discovery rate, from 1 at `FDR_CERTAIN` to 0 at `FDR_NONE`; a hit
    of the study's own rule has at least `HIT_CONFIDENCE`; where effector types contradict each
    other, `CONFLICT_FACTOR` of it is left.

    Screens against T cells are left out: antigen presentation works the other way there.

    Parameters
    ----------
    screens
        Checked screens; loss and gain of function are alike after signing.
    method
        A name of :data:`nkpredict.evidence.METHODS`.
    correct_fitness
        Whether to correct screens in which core-essential genes are shifted.

    Returns
    -------
    GeneEvidence
        One row for every gene of the screens, sorted. Beside the columns of the contract,
        ``heterogeneity`` (I² between screens), ``score`` (signed z of the most significant way,
        which ranks genes whose confidence is 0) and ``p`` (its two-sided p, corrected for the
        number of ways but not for that of genes).

    Raises
    ------
    InputError
        When every screen is against T cells, or the method is not known.
    """
    return GeneEvidence(*combination(screens, method, correct_fitness=correct_fitness))


def combination(
    screens: ScreenTable, method: str, *, correct_fitness: bool = True
) -> tuple[pd.DataFrame, CombinationFacts]:
    """Return table and provenance of :func:`combine_screens`."""
    nk_screens, left_out = without_t_cells(screens)
    standardised = standardise_screens(nk_screens, correct_fitness=correct_fitness)
    table, notes = _combine(standardised, method)
    provenance = CombinationFacts(
        method=f"{method}, all screens and each effector type, and best single screen",
        screens=tuple(
            ExperimentFacts(experiment=name, effector=effector, weight=float(weight), **note)
            for name, effector, weight, note in zip(
                standardised.z.columns,
                standardised.effectors,
                standardised.weights,
                standardised.notes,
                strict=True,
            )
        ),
        left_out_effector_is_t_cell=tuple(left_out),
        constants={
            "hit_p": HIT_P,
            "hit_fold_change": HIT_FOLD_CHANGE,
            "hit_confidence": HIT_CONFIDENCE,
            "fdr_certain": FDR_CERTAIN,
            "fdr_none": FDR_NONE,
            "conflict_p": CONFLICT_P,
            "conflict_fdr": CONFLICT_FDR,
            "z_limit": Z_LIMIT,
        },
        simulated=screens.simulated,
        source=screens.provenance,
        **notes,
    )
    return table, provenance


def combine_by_effector(
    screens: ScreenTable, method: str = DEFAULT_METHOD, *, correct_fitness: bool = True
) -> dict[str, GeneEvidence]:
    """Combine the screens of each effector type by themselves.

    Parameters
    ----------
    screens, method, correct_fitness
        As in :func:`combine_screens`.

    Returns
    -------
    dict
        Effector type → evidence, sorted by name.

    Raises
    ------
    InputError
        As :func:`combine_screens`.
    """
    nk_screens, _ = without_t_cells(screens)
    return {
        str(effector): combine_screens(
            ScreenTable(rows, nk_screens.provenance), method, correct_fitness=correct_fitness
        )
        for effector, rows in nk_screens.table.groupby("effector", sort=True)
    }


def without_t_cells(screens: ScreenTable) -> tuple[ScreenTable, list[str]]:
    """Leave out screens against T cells, where antigen presentation works the other way.

    Parameters
    ----------
    screens
        Checked screens.

    Returns
    -------
    kept : ScreenTable
        The other screens.
    left_out : list of str
        Names of those against T cells, sorted.

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
    left_out = sorted(t_cell.index[t_cell])
    if not left_out:
        return screens, []
    nk_rows = screens.table[~screens.table["screen"].isin(left_out)]
    return ScreenTable(nk_rows, screens.provenance), left_out


def _combine(screens: StandardisedScreens, method: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    z, weights, genes = screens.z.to_numpy(), screens.weights, screens.z.index
    known = np.isfinite(z)
    filled = np.where(known, z, 0.0)
    rows = np.arange(len(genes))
    score, fdr, p = _most_significant(screens, method)
    confidence, sign = confidence_from_fdr(fdr), np.sign(score)

    hit_z = np.where(screens.hits, filled, 0.0)
    strongest = hit_z[rows, np.abs(hit_z).argmax(axis=1)]
    by_rule = (confidence < HIT_CONFIDENCE) & (strongest != 0)
    confidence = np.where(by_rule, HIT_CONFIDENCE, confidence)
    sign = np.where(by_rule, np.sign(strongest), sign)

    conflict = _conflict(screens, sign, confidence)
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
            "heterogeneity": heterogeneity(z, weights),
            "score": score,
            "p": np.where(known.any(axis=1), p, np.nan),
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


def _most_significant(
    screens: StandardisedScreens, method: str
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Score, false discovery rate and p of the best way to look at a gene, ways corrected for."""
    z, weights = screens.z.to_numpy(), screens.weights
    effectors = np.array(screens.effectors)
    every = np.ones(len(effectors), dtype=bool)
    ways = [(method, every)]
    ways += [(method, effectors == e) for e in sorted(set(effectors)) if (effectors != e).any()]
    if screens.tests_alone.any() and len(effectors) > 1:
        ways.append(("best-screen", screens.tests_alone))
    results = [combine_matrix(z[:, columns], weights[columns], name) for name, columns in ways]
    # a way that measured nothing of a gene is no way, so it need not be corrected for
    n_ways = np.sum([np.isfinite(z[:, columns]).any(axis=1) for _, columns in ways], axis=0)
    scores = np.column_stack([result.score for result in results])
    rates = np.minimum(1.0, np.column_stack([r.fdr for r in results]) * n_ways[:, None])
    # among ways that show no evidence, the one with the larger score
    rates = np.where((scores == 0) | (rates >= FDR_NONE), 1.0, rates)
    best = np.lexsort((-np.abs(scores), rates), axis=1)[:, 0]
    rows = np.arange(len(z))
    score = scores[rows, best]
    return score, rates[rows, best], np.minimum(1.0, n_ways * 2 * norm.sf(np.abs(score)))


def confidence_from_fdr(fdr: FloatArray) -> FloatArray:
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
    return np.asarray(t**2 * (3 - 2 * t))


def _conflict(screens: StandardisedScreens, sign: FloatArray, confidence: FloatArray) -> BoolArray:
    """Whether known effector types contradict each other on a gene.

    Either two types are each significant with opposite signs; or a gene with evidence, carried by
    one type, points the other way in another, at a false discovery rate of `CONFLICT_FDR` among
    the genes with evidence. The second is the test of a replication: few genes are asked, so a
    single screen without p-values can answer.
    """
    z, weights = screens.z.to_numpy(), screens.weights
    filled = np.where(np.isfinite(z), z, 0.0)
    effectors = np.array(screens.effectors)
    limit, limit_alone = norm.isf(CONFLICT_P / 2), norm.isf(HIT_P / 2)
    types = sorted(set(effectors) - {UNKNOWN})
    if len(types) < 2:
        return np.zeros(len(z), dtype=bool)
    together = np.column_stack(
        [stouffer_z(z[:, effectors == e], weights[effectors == e]) for e in types]
    )
    alone = np.where(screens.tests_alone, filled, 0.0)
    highest = np.column_stack([alone[:, effectors == e].max(axis=1) for e in types])
    lowest = np.column_stack([alone[:, effectors == e].min(axis=1) for e in types])
    up = (together > limit) | (highest > limit_alone)
    down = (together < -limit) | (lowest < -limit_alone)
    conflict = up.any(axis=1) & down.any(axis=1)

    tested = np.flatnonzero((confidence > 0) & np.where(sign[:, None] > 0, up, down).any(axis=1))
    if len(tested):
        against = np.maximum(-sign[tested, None] * together[tested], 0.0).max(axis=1)
        p = np.minimum(1.0, (len(types) - 1) * 2 * norm.sf(against))
        conflict[tested] |= false_discovery_control(p) <= CONFLICT_FDR
    return np.asarray(conflict)
