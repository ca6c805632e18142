"""Score guide counts: log2 fold change of each gene, and a permutation test of its guides."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from nkpredict.errors import InputError, name_some
from nkpredict.io.screens._genes import is_control
from nkpredict.io.screens._sample_sheet import CONTROL, TREATED, screen_fields
from nkpredict.types import FloatArray, IndexArray

PSEUDOCOUNT = 1.0
"""Added to normalised counts before the logarithm, as MAGeCK does."""
LEAST_CONTROL_COUNT = 30
"""Mean reads a guide must have in the controls (CRISPRcleanR: Iorio et al. 2018,
doi 10.1186/s12864-018-4989-y); below, its fold change is mostly sampling noise."""
LEAST_GUIDES = 2
"""Guides a gene must have left: a single guide cannot be told from its off-target effects."""
LEAST_CONTROL_GUIDES = 50
"""Control guides from which these alone make up the null distribution."""
LEAST_COMMON_GUIDES = 50
"""Guides with reads in every sample from which the median of ratios is used to normalise."""
PERMUTATIONS = 500_000
"""Random sets of guides for each number of guides a gene; the smallest p is 2 / (this + 1)."""

_CHUNK = 4_000_000  # values drawn at a time, to bound memory


@dataclass(frozen=True)
class ScoredCounts:
    """Gene scores of one count table.

    Attributes
    ----------
    rows
        Columns ``gene, screen, lfc, p, fdr`` and what the sheet says about the screen.
    notes
        How each screen was normalised and tested.
    counts
        Guides and genes dropped, by reason, over all screens.
    """

    rows: pd.DataFrame
    notes: tuple[str, ...]
    counts: dict[str, int] = field(default_factory=dict)


def is_count_table(table: pd.DataFrame) -> bool:
    """Tell whether a table holds counts of guides: sgRNA, gene, then one numeric column a sample.

    MAGeCK's guide summaries begin alike but hold several statistics and text.
    """
    labels = [str(column).lower() for column in table.columns]
    return (
        len(labels) > 2
        and set(labels[:2]) == {"sgrna", "gene"}
        and not {"score", "lfc", "fdr", "eff"} & set(labels)
    )


def score_counts(table: pd.DataFrame, stem: str, sheet: pd.DataFrame, path: Path) -> ScoredCounts:
    """Score a table of guide counts.

    Counts are divided by size factors (median of ratios to the geometric mean: Anders and Huber
    2010, doi 10.1186/gb-2010-11-10-r106; by total reads where too few guides were seen in all
    samples). A guide's log2 fold change is log2((treated + 1) / (control + 1)), replicate by
    replicate where these are paired, and then the mean of replicates; a gene's is the median of
    its guides, less the median of the null guides. Null guides are the control guides, or all
    guides where there are few. The two-sided p compares it with medians of as many guides drawn
    at random from the null, the permutation of MAGeCK (Li et al. 2014,
    doi 10.1186/s13059-014-0554-4), and false discovery rates are Benjamini-Hochberg's.

    Parameters
    ----------
    table
        ``sgRNA``, ``Gene``, then one column of counts a sample.
    stem
        Name of the screen where the sheet gives none.
    sheet
        As :func:`read_sample_sheet` returns it; samples of other tables
        are passed over.
    path
        File of the table, for messages.

    Returns
    -------
    ScoredCounts
        One row per gene and screen.

    Raises
    ------
    InputError
        When counts are text or negative, a screen has samples that the table lacks, or no gene
        of a screen has enough guides and reads.
    """
    samples = [str(column) for column in table.columns[2:]]
    table = table.rename(columns=dict(zip(table.columns, map(str, table.columns), strict=True)))
    table = table.rename(columns={name: name.lower() for name in table.columns[:2]})
    here = sheet[sheet.groupby("screen")["sample"].transform(lambda s: s.isin(samples).any())]
    absent = sorted(set(here["sample"]) - set(samples))
    if absent or here.empty:
        wanted = absent or sorted(sheet["sample"].unique())
        raise InputError(
            f"{path} has no samples {name_some(wanted)} of the sample sheet; it has "
            f"{name_some(samples, 8)}. Name samples as in the header of the counts."
        )
    used = [name for name in samples if name in set(here["sample"])]
    guides, counts = _checked_counts(table, used, path)
    counts["samples_not_in_sample_sheet"] = len(samples) - len(used)
    blocks, notes = [], []
    for screen, members in here.groupby("screen", sort=True):
        name = str(screen) or stem
        rows, note, dropped = _score_screen(guides, members, name, path)
        blocks.append(rows.assign(screen=name, **screen_fields(members, str(path))))
        notes.append(note)
        for reason, number in dropped.items():
            counts[reason] = counts.get(reason, 0) + number
    return ScoredCounts(pd.concat(blocks, ignore_index=True), tuple(notes), counts)


def _checked_counts(
    table: pd.DataFrame, used: list[str], path: Path
) -> tuple[pd.DataFrame, dict[str, int]]:
    values = table[used].apply(pd.to_numeric, errors="coerce").astype(float)
    wrong = (values.isna() & table[used].notna()) | (values < 0) | np.isinf(values)
    if wrong.any(axis=None):
        at = wrong.any(axis=1)
        raise InputError(
            f"{path} has {int(wrong.sum().sum())} counts that are text, negative or infinite "
            f"(guides {name_some(table.loc[at, 'sgrna'])}); expected read counts of 0 or more."
        )
    guides = pd.concat([table[["sgrna", "gene"]], values], axis=1)
    named = guides["gene"].notna() & (guides["gene"].astype(str).str.strip() != "")
    repeated = guides.duplicated(["sgrna", "gene"]) & named
    unseen = values.isna().any(axis=1) & named & ~repeated
    counts = {
        "guides_read": len(guides),
        "guides_without_gene_dropped": int((~named).sum()),
        "guides_repeated_dropped": int(repeated.sum()),
        "guides_without_count_dropped": int(unseen.sum()),
    }
    return guides[named & ~repeated & ~unseen].reset_index(drop=True), counts


def _score_screen(
    guides: pd.DataFrame, members: pd.DataFrame, name: str, path: Path
) -> tuple[pd.DataFrame, str, dict[str, int]]:
    samples = members["sample"].tolist()
    size, how = _size_factors(guides[samples].to_numpy())
    normalised = guides[samples].div(size, axis=1)
    controls = members.loc[members["role"] == CONTROL, "sample"].tolist()
    seen = guides[controls].mean(axis=1) >= LEAST_CONTROL_COUNT
    change, pairing = _fold_changes(normalised, members)
    control = np.array([is_control(str(gene).strip()) for gene in guides["gene"]], dtype=bool)
    null = change[(seen & control).to_numpy()]
    source = f"{len(null)} control guides"
    if len(null) < LEAST_CONTROL_GUIDES:
        null = change[seen.to_numpy()]
        source = f"all {len(null)} guides"
    targeting = pd.DataFrame({"gene": guides["gene"], "change": change})[seen & ~control]
    by_gene = targeting.groupby("gene", sort=True)["change"]
    n_guides = by_gene.size()
    enough = n_guides.index[n_guides >= LEAST_GUIDES]
    dropped = {
        "guides_with_few_reads_dropped": int((~seen).sum()),
        "control_guides": int(control.sum()),
        "genes_with_few_guides_dropped": int(guides["gene"][~control].nunique() - len(enough)),
    }
    if len(enough) == 0:
        raise InputError(
            f"{path} has {int(seen.sum())} of {len(guides)} guides with a mean of "
            f"{LEAST_CONTROL_COUNT} reads or more in the controls of {name}, and no gene with "
            f"{LEAST_GUIDES} of them; expected deeper counts. Add up the reads of lanes, or check "
            "that the controls are the right samples."
        )
    centre = float(np.median(null))
    lfc = by_gene.median()[enough] - centre
    p = _permutation_p(lfc.to_numpy(), np.asarray(n_guides[enough], dtype=np.intp), null - centre)
    rows = pd.DataFrame(
        {"gene": enough, "lfc": lfc.to_numpy(), "p": p, "fdr": false_discovery_control(p)}
    )
    return rows, f"{name}: {how}; {pairing}; p from {source}", dropped


def _size_factors(counts: FloatArray) -> tuple[FloatArray, str]:
    """One factor a sample, their geometric mean 1."""
    common = (counts > 0).all(axis=1)
    if common.sum() >= LEAST_COMMON_GUIDES:
        logs = np.log(counts[common])
        factors = np.exp(np.median(logs - logs.mean(axis=1, keepdims=True), axis=0))
        how = "counts normalised by the median of ratios"
    else:
        factors = np.maximum(counts.sum(axis=0), 1.0)
        how = "counts normalised by total reads"
    return factors / np.exp(np.log(factors).mean()), how


def _fold_changes(normalised: pd.DataFrame, members: pd.DataFrame) -> tuple[FloatArray, str]:
    """Log2 fold change of every guide, replicate by replicate where they are paired."""
    labels = {
        role: members.loc[members["role"] == role].set_index("sample")["replicate"]
        for role in (TREATED, CONTROL)
    }
    treated, controls = labels[TREATED], labels[CONTROL]
    paired = set(treated) == set(controls) and "" not in set(treated)
    pairs = [
        (treated.index[treated == label], controls.index[controls == label])
        for label in (sorted(set(treated)) if paired else [])
    ] or [(treated.index, controls.index)]
    changes = [
        np.log2(
            (normalised[list(above)].mean(axis=1) + PSEUDOCOUNT)
            / (normalised[list(below)].mean(axis=1) + PSEUDOCOUNT)
        )
        for above, below in pairs
    ]
    pairing = (
        f"{len(pairs)} paired replicates"
        if paired and len(pairs) > 1
        else f"{len(treated)} treated against {len(controls)} control samples"
    )
    return np.asarray(np.mean(changes, axis=0)), pairing


def _permutation_p(lfc: FloatArray, n_guides: IndexArray, null: FloatArray) -> FloatArray:
    """Two-sided p: twice the share of random guide sets at least as far out on the gene's side."""
    p = np.empty(len(lfc))
    rng = np.random.default_rng(0)
    for n in np.unique(n_guides):
        group = n_guides == n
        step = max(_CHUNK // int(n), 1)
        sizes = [min(step, PERMUTATIONS - start) for start in range(0, PERMUTATIONS, step)]
        drawn = [np.median(rng.choice(null, (size, int(n))), axis=1) for size in sizes]
        medians = np.sort(np.concatenate(drawn))
        below = np.searchsorted(medians, lfc[group], side="right")
        above = len(medians) - np.searchsorted(medians, lfc[group], side="left")
        p[group] = np.minimum(1.0, 2 * (1 + np.minimum(below, above)) / (len(medians) + 1))
    return p
