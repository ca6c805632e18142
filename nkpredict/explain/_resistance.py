"""Which genes go with lower susceptibility of samples, and what evidence says about them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from nkpredict.errors import InputError
from nkpredict.evidence import (
    GeneEvidence,
    ScreenTable,
    combine_screens,
    evidence_origins,
    gene_categories,
)
from nkpredict.explain._by_gene import by_gene
from nkpredict.explain._stability import Stability
from nkpredict.features import row_blocks
from nkpredict.learn import Evidence, signed_evidence
from nkpredict.types import BoolArray, FloatArray
from nkpredict.vocabulary import EvidenceReading, EvidenceRole, GeneReading

# Set by hand.
TOP_GENES = 20  # a gene counts as resisting in a sample among this many lowest contributions there
LEAST_SEPARATED = 6  # samples without which there is no third to speak of
STANDARD_ERRORS = 2.0  # below 0 by so many is clear
LEAST_SAMPLES_FOR_ERROR = 5  # of fewer, each must be below 0
NO_CATEGORY = "uncategorised"
_ROWS_AT_ONCE = 1024
_LEAST_SHARE = 1e-9  # of the strongest gene; less is rounding


def resistance_genes(
    contributions: pd.DataFrame,
    effect: np.ndarray,
    evidence: Evidence = None,
    drivers: pd.DataFrame | None = None,
    stability: Stability | None = None,
    measured: np.ndarray | None = None,
    *,
    reading: str = GeneReading.AGAINST_REFERENCE,
    role: str = EvidenceRole.USED_IN_TRAINING,
) -> pd.DataFrame:
    """Rank the genes associated with lower predicted susceptibility of samples.

    What is ranked depends on the reading. ``against the reference``: genes whose mean contribution
    is below 0, the average profile that the model was made from; no gene that raises the samples
    on average is among them. ``separating these samples``: genes that lower the least susceptible
    third of the samples, by the sum of the contributions, more than the others; nothing is tested
    by that, it says of which genes the difference is made. ``in single samples``: genes that lower
    one sample at least, by the mean of their lowering parts.

    The score is how much a gene lowers so read, times how far that is to be believed: ½ (1 + b),
    with b the larger of the probability that it drives the response, where `drivers` are given and
    their effect points the way of the model's, and its evidence in the direction of the model's
    effect. Both promote a gene to at most twice its rank without them and demote none: a gene that
    the drivers leave out may be their stand-in's twin, and a screen in one line is no refutation.
    Where evidence is the sole source of the score, b is 1: it has been counted already. With
    `stability` ½ (1 + selection frequency) is multiplied on, and with `measured` this share.

    Parameters
    ----------
    contributions
        Samples × genes, parts of the prediction.
    effect
        Change of the prediction per standard deviation of each gene, shape (n_genes,).
    evidence
        Evidence to compare with: what the model was made with, or other evidence by gene.
    drivers
        Columns ``gene, probability, effect`` as :func:`~nkpredict.explain.driver_scores`
        returns them for the training data.
    stability
        Refits of the same model.
    measured
        Share of the samples in which each gene was measured, shape (n_genes,).
    reading
        See above; a `nkpredict.vocabulary.GeneReading`.
    role
        What the evidence was to the model; a `nkpredict.vocabulary.EvidenceRole`.

    Returns
    -------
    pandas.DataFrame
        One row a gene, ranked by score and then by how much it lowers: ``gene, reading,
        mean_contribution, standard_error`` (of this mean; NaN for one sample), ``clear`` (below 0
        by more than two standard errors; of fewer than 5 samples, in each),
        ``lowest_contribution``, ``samples_resisting`` (share of samples where the gene is among the
        20 lowest), ``direction`` (``protects``: in the model high expression goes with lower
        susceptibility; ``sensitizes``: low expression does; ``unclear``: the model has no slope on
        it), ``evidence`` (+ = sensitizes), ``evidence_reading`` (a
        `nkpredict.vocabulary.EvidenceReading`), ``evidence_lines`` and ``evidence_effectors``
        (tumour lines and killer cells it rests on, empty where they are not on record),
        ``category`` (of the knowledge base) and ``score`` (in the unit of the prediction).
        Separating genes have ``mean_least_susceptible``, ``mean_others`` (these two differ by what
        the gene lowers) and ``share_of_difference`` (of the difference of the mean predictions)
        instead of ``clear`` and ``standard_error``. With drivers also ``driver_probability`` and
        ``driver_effect`` (NaN where they leave the gene out); with stability
        ``selection_frequency`` and ``sign_agreement``; with `measured` this share.

    Raises
    ------
    InputError
        When reading or role are not known, or fewer than 6 samples are to be separated.
    """
    values = contributions.to_numpy(dtype=np.float64)
    reading, role = _checked(reading, role, len(values))
    lowering, told = _lowering(values, reading)
    kept = np.flatnonzero(lowering > _LEAST_SHARE * max(lowering.max(initial=0.0), 0.0))
    genes, sign = contributions.columns[kept], np.sign(np.asarray(effect)[kept])
    known = combine_screens(evidence) if isinstance(evidence, ScreenTable) else evidence
    # an array has no names to look the kept genes up by
    named = isinstance(known, GeneEvidence)
    signed = signed_evidence(known, genes) if named else np.zeros(len(genes))
    categories = gene_categories()
    table = pd.DataFrame(
        {
            "gene": genes,
            "reading": str(reading),
            "mean_contribution": by_gene(values, lambda part: part.mean(axis=0), kept),
            **{name: column[kept] for name, column in told.items()},
            "lowest_contribution": values.min(axis=0)[kept],
            "samples_resisting": _share_among_lowest(values)[kept],
            "direction": np.select([sign > 0, sign < 0], ["sensitizes", "protects"], "unclear"),
            "evidence": signed,
            "evidence_reading": _reading(sign, signed, role),
            **evidence_origins(known, genes),
            "category": [categories.get(str(gene), NO_CATEGORY) for gene in genes],
        }
    )
    table["score"] = lowering[kept] * 0.5 * (1 + _believed(table, sign, drivers, role))
    if stability is not None:
        own = stability.genes.set_index("gene").reindex(genes)
        table["selection_frequency"] = own["selection_frequency"].fillna(0.0).to_numpy()
        table["sign_agreement"] = own["sign_agreement"].to_numpy()
        table["score"] *= 0.5 * (1 + table["selection_frequency"])
    if measured is not None:
        table["measured"] = np.asarray(measured)[kept]
        table["score"] *= table["measured"]
    table["score"] = table.pop("score")  # the last column
    order = np.lexsort((-lowering[kept], -table["score"].to_numpy()))
    return table.iloc[order].reset_index(drop=True)


def _believed(
    table: pd.DataFrame, sign: FloatArray, drivers: pd.DataFrame | None, role: EvidenceRole
) -> FloatArray:
    """How far each gene is to be believed, 0 to 1; what the drivers say is put into the table."""
    if role == EvidenceRole.SOLE_SOURCE:
        believed = np.ones(len(table))
    else:
        believed = np.maximum(sign * table["evidence"].to_numpy(), 0.0)
    if drivers is not None:
        own = drivers.set_index("gene").reindex(table["gene"])
        probability, effect = (own[name].to_numpy(float) for name in ("probability", "effect"))
        table["driver_probability"], table["driver_effect"] = probability, effect
        believed = np.fmax(believed, np.where(np.sign(effect) == sign, probability, 0.0))
    return believed


def _checked(reading: str, role: str, samples: int) -> tuple[GeneReading, EvidenceRole]:
    for value, allowed in ((reading, GeneReading), (role, EvidenceRole)):
        if value not in tuple(allowed):
            what = "reading" if allowed is GeneReading else "role of evidence"
            raise InputError(f"The {what} {value!r} is not known; expected {', '.join(allowed)}.")
    if reading == GeneReading.SEPARATING and samples < LEAST_SEPARATED:
        raise InputError(
            f"Found {samples} samples; genes that separate samples need {LEAST_SEPARATED} at least."
        )
    return GeneReading(reading), EvidenceRole(role)


def _lowering(
    values: FloatArray, reading: GeneReading
) -> tuple[FloatArray, Mapping[str, FloatArray | BoolArray]]:
    """How much each gene lowers under a reading, and the columns that tell it."""
    if reading == GeneReading.SEPARATING:
        total = values.sum(axis=1)
        least = np.argsort(total, kind="stable")[: round(len(values) / 3)]
        resisting = np.isin(np.arange(len(values)), least)
        low = by_gene(values, lambda part: part[resisting].mean(axis=0))
        others = by_gene(values, lambda part: part[~resisting].mean(axis=0))
        whole = total[~resisting].mean() - total[resisting].mean()
        share = (others - low) / whole if whole > 0 else np.zeros(len(low))
        columns = {"mean_least_susceptible": low, "mean_others": others}
        return others - low, columns | {"share_of_difference": share}
    mean, samples = values.mean(axis=0), len(values)
    error = np.full(len(mean), np.nan)
    if samples > 1:
        error = by_gene(values, lambda part: part.std(axis=0, ddof=1)) / np.sqrt(samples)
    clear: BoolArray = np.asarray(
        (values < 0).all(axis=0)
        if samples < LEAST_SAMPLES_FOR_ERROR
        else mean + STANDARD_ERRORS * error < 0
    )
    if reading == GeneReading.AGAINST_REFERENCE:
        lowering = -mean
    else:
        lowering = by_gene(values, lambda part: -np.minimum(part, 0).mean(axis=0))
    return lowering, {"standard_error": error, "clear": clear}


def _share_among_lowest(values: FloatArray) -> FloatArray:
    """Share of the samples in which each gene is among those that lower most."""
    top, found = min(TOP_GENES, values.shape[1]), np.zeros(values.shape[1], dtype=np.intp)
    for rows in row_blocks(len(values), _ROWS_AT_ONCE):
        part = values[rows]
        lowest = np.argpartition(part, top - 1, axis=1)[:, :top]
        below = np.take_along_axis(part, lowest, axis=1) < 0
        found += np.bincount(lowest[below], minlength=len(found))
    return found / len(values)


def _reading(sign: FloatArray, signed: FloatArray, role: EvidenceRole) -> np.ndarray:
    product = sign * np.sign(signed)
    agrees, conflicts = {
        EvidenceRole.SOLE_SOURCE: (EvidenceReading.TAKEN_OVER, EvidenceReading.CONFLICTS),
        EvidenceRole.USED_IN_TRAINING: (
            EvidenceReading.AGREES_BUILT_IN,
            EvidenceReading.CONFLICTS_BUILT_IN,
        ),
    }.get(role, (EvidenceReading.AGREES, EvidenceReading.CONFLICTS))
    reading: np.ndarray = np.select(
        [signed == 0, product > 0, product < 0],
        [str(EvidenceReading.NO_EVIDENCE), str(agrees), str(conflicts)],
        str(EvidenceReading.UNCLEAR),
    )
    return reading
