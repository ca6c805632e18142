"""RRA scores of negative selection, read as the p-values of the fold changes they belong to.

The score of robust rank aggregation says how far up a gene's guides stand in a ranking that begins
with the most depleted guide (Kolde et al. 2012, doi 10.1093/bioinformatics/btr709; MAGeCK: Li et
al. 2014, doi 10.1186/s13059-014-0554-4). It is a one-sided p before any correction, speaks of
depletion alone, and gives no size of effect. So it is read beside the matrix of log2 fold changes
only: twice the score is the two-sided p of a gene that is depleted, both against the control and
against the median gene of the screen. Nothing is said of the other genes, whose p stays unknown.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from nkpredict.errors import InputError, name_some
from nkpredict.io.screens._formats import SCORE_LAYOUT, RawScreens

_ASSUMED = (
    "p is twice the RRA score of negative selection where a gene is depleted, unknown elsewhere; "
    "scores are not corrected for the number of guides, so p may be too small on the whole"
)


def is_scores(raw: RawScreens) -> bool:
    """Tell whether a file holds RRA scores only, which need the fold changes of another file."""
    return raw.layout == SCORE_LAYOUT


def join_scores(
    scores: RawScreens, others: dict[Path, RawScreens], path: Path
) -> tuple[dict[Path, RawScreens], dict[str, int]]:
    """Give fold changes without p-values the RRA scores of the same screens.

    Parameters
    ----------
    scores
        Columns ``gene, screen, score``.
    others
        The other files; those that hold one of the screens without p-values are joined.
    path
        File of the scores, for messages.

    Returns
    -------
    others : dict
        With ``p`` filled in where the scores speak of depletion. A score outside 0 to 1 is handed
        on as an impossible p, so that its row is dropped and counted there.
    counts : dict
        Scores read, used, left aside and rejected.

    Raises
    ------
    InputError
        When no other file holds fold changes of these screens, or one gives p-values of its own.
    """
    rows = scores.rows.dropna(subset=["gene", "score"])
    values = pd.to_numeric(rows["score"], errors="coerce")
    # Of a gene given twice the larger score counts: the more cautious choice.
    best = values.fillna(np.inf).groupby([rows["screen"], rows["gene"]]).max()
    counts = {
        "rows_read": len(scores.rows),
        "not_measured": len(scores.rows) - len(rows),
        "repeated_scores": len(rows) - len(best),
    }
    screens = set(rows["screen"])
    joined: dict[Path, RawScreens] = {}
    used = rejected = matched = 0
    for other, raw in others.items():
        ours = raw.rows["screen"].isin(screens)
        if not ours.any():
            joined[other] = raw
            continue
        if raw.rows.loc[ours, "p"].notna().any():
            shared = name_some(sorted(raw.rows.loc[ours, "screen"].unique()))
            raise InputError(
                f"{path} holds RRA scores of {shared}, of which {other} has p-values "
                f"already; expected one or the other. Leave {path} out."
            )
        keys = pd.MultiIndex.from_frame(raw.rows[["screen", "gene"]])
        score = pd.Series(best.reindex(keys).to_numpy(), index=raw.rows.index)
        lfc = pd.to_numeric(raw.rows["lfc"], errors="coerce")
        median = lfc.groupby(raw.rows["screen"]).transform("median")
        depleted = lfc < np.minimum(median, 0.0)
        impossible = score.notna() & ~score.between(0, 1)
        p = (2 * score).clip(upper=1.0).where(depleted).where(~impossible, np.inf)
        joined[other] = replace(
            raw,
            rows=raw.rows.assign(p=p.where(ours)),
            assumptions=(*(a for a in raw.assumptions if "p-values" not in a), _ASSUMED),
        )
        matched += int(score.notna().sum())
        rejected += int(impossible.sum())
        used += int((depleted & score.notna() & ~impossible).sum())
    if not matched:
        raise InputError(
            f"{path} holds only RRA scores of negative selection "
            f"({name_some(sorted(screens), 3)}), which are neither p-values nor effects with a "
            "direction: they speak of depletion alone. Give the matrix of log2 fold changes of "
            "the same screens (columns ending in _LFC) in the same call."
        )
    counts |= {
        "scores_used_as_p": used,
        "scores_of_genes_not_depleted": matched - used - rejected,
        "rejected_outside_0_to_1": rejected,
        "without_fold_change": len(best) - matched,
    }
    return joined, counts
