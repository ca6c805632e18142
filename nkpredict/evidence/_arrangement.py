"""How genes and screens are grouped, ordered and scaled for tables and figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from nkpredict.errors import InputError, name_some
from nkpredict.evidence._knowledge import gene_categories
from nkpredict.evidence._standardise import StandardisedScreens
from nkpredict.evidence._table import ScreenTable
from nkpredict.io import approve_gene_names
from nkpredict.types import FloatArray

SHOWN_Z = 2.0
"""Of the known genes, those whose |z| reaches this in any screen are worth showing; set by hand."""
TOP_SHARE = 0.01
"""Strongest genes on each side of a screen that are looked for in another; set by hand."""
LEAST_GENES = 50
"""Genes two screens must share to be compared; set by hand."""

_UNKNOWN = "uncategorised"
_LATER = ("other", _UNKNOWN)


def described_experiments(screens: ScreenTable, standardised: StandardisedScreens) -> pd.DataFrame:
    """Describe independent screens, in the order to show them.

    Parameters
    ----------
    screens
        Checked screens.
    standardised
        The same screens, replicates merged.

    Returns
    -------
    pandas.DataFrame
        One row per experiment, sorted by effector, perturbation and name: ``name, cell_line,
        effector, perturbation, members`` (names of its screens) and ``at`` (column of z).
    """
    rows = []
    for at, (name, note) in enumerate(zip(standardised.z.columns, standardised.notes, strict=True)):
        members = tuple(note["inflation"])
        first = screens.screens.loc[members[0]]
        rows.append(
            {
                "name": str(name),
                "cell_line": str(first["cell_line"]),
                "effector": str(first["effector"]),
                "perturbation": str(first["perturbation"]),
                "members": members,
                "at": at,
            }
        )
    table = pd.DataFrame(rows)
    return table.sort_values(["effector", "perturbation", "name"], ignore_index=True)


def wide_effects(screens: ScreenTable) -> pd.DataFrame:
    """Return signed effects as genes × screens, NaN where not measured."""
    return screens.table.pivot_table(
        index="gene", columns="screen", values="effect", aggfunc="first"
    )


def scaled_effects(screens: ScreenTable, experiments: pd.DataFrame, genes: pd.Index) -> FloatArray:
    """Return signed effects in robust standard deviations of their screen, replicates averaged.

    Parameters
    ----------
    screens
        Checked screens.
    experiments
        As :func:`described_experiments` returns them.
    genes
        Genes wanted.

    Returns
    -------
    numpy.ndarray
        Shape (n_genes, n_experiments), NaN where not measured.
    """
    wide = wide_effects(screens)
    median = wide.median()
    spread = 1.4826 * (wide - median).abs().median()
    scaled = ((wide - median) / spread.where(spread > 0)).reindex(genes)
    return np.column_stack([scaled[list(m)].mean(axis=1) for m in experiments["members"]])


def genes_by_category(
    z: pd.DataFrame, genes: Sequence[str] | None = None
) -> dict[str, tuple[str, ...]]:
    """Group genes by the categories of the knowledge base.

    Parameters
    ----------
    z
        Standardised z, genes × screens.
    genes
        Genes wanted, old symbols too; without them the genes of the published categories that
        reach `SHOWN_Z` in any screen.

    Returns
    -------
    dict
        Category → its genes; the largest |z| first, in both. Genes without a category come last.

    Raises
    ------
    InputError
        When none of the genes was measured.
    """
    categories = gene_categories()
    if genes is None:
        strongest = z.reindex(sorted(set(categories) & set(z.index))).abs().max(axis=1)
        named = list(strongest.index[strongest >= SHOWN_Z])
        requested: Sequence[str] = named
    else:
        requested = genes
        named = [g for g in dict.fromkeys(approve_gene_names(list(genes)).approved) if g in z.index]
    if not named:
        raise InputError(
            f"None of the genes asked for ({name_some(requested) or 'those of the categories'}) is "
            f"in the screens, which hold {len(z):,} genes; expected gene symbols that they "
            "measured."
        )
    size = z.loc[named].abs().max(axis=1)
    groups = size.groupby([categories.get(gene, _UNKNOWN) for gene in named], sort=True)
    order = sorted(
        groups, key=lambda item: (str(item[0]) in _LATER, str(item[0]) == _UNKNOWN, -item[1].max())
    )
    return {
        str(category): tuple(group.sort_values(ascending=False, kind="stable").index)
        for category, group in order
    }


def top_overlaps(effects: FloatArray) -> FloatArray:
    """Compare the strongest genes of screens.

    Parameters
    ----------
    effects
        Signed effects, genes × screens, NaN where not measured.

    Returns
    -------
    numpy.ndarray
        Screens × screens, symmetric: how many times more of the strongest genes (`TOP_SHARE` on
        each side) two screens share on the same side than expected by chance among the genes both
        measured; NaN where these are fewer than `LEAST_GENES`.
    """
    n_screens = effects.shape[1]
    ratio = np.full((n_screens, n_screens), np.nan)
    for i in range(n_screens):
        for j in range(i):
            both = np.isfinite(effects[:, [i, j]]).all(axis=1)
            if both.sum() < LEAST_GENES:
                continue
            n_top = max(round(TOP_SHARE * both.sum()), 1)
            shared = 0
            for sign in (1, -1):
                first, second = (
                    set(np.argsort(-sign * effects[both, k], kind="stable")[:n_top]) for k in (i, j)
                )
                shared += len(first & second)
            ratio[i, j] = ratio[j, i] = shared * both.sum() / (2 * n_top**2)
    return ratio
