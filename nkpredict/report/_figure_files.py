"""The figures of a result folder, as PNG for slides and SVG for papers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nkpredict.drugs import HIT, REACHABLE
from nkpredict.figures import (
    Scored,
    optional,
    plot_genes,
    plot_lineage,
    plot_ranking,
    plot_survival,
    plot_targets,
    plot_waterfall,
    ranked,
    save_figure,
)
from nkpredict.scoring import FIGURE_ENDINGS

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def write_figures(scores: Scored, folder: Path) -> None:
    """Write the figures that the scores allow, each as PNG and SVG.

    Parameters
    ----------
    scores
        Scores of a cohort.
    folder
        Folder to write into.
    """
    for name, draw in _figures(scores):
        axes = draw()
        for ending in FIGURE_ENDINGS:
            save_figure(axes, folder / f"{name}.{ending}")


def _figures(scores: Scored) -> Iterator[tuple[str, Callable[[], Axes]]]:
    yield "ranking", partial(plot_ranking, scores)
    yield "lineages", partial(plot_lineage, scores)
    if bool((scores.contributions.to_numpy() != 0).any()):
        yield "genes", partial(plot_genes, scores)
    matches: Any = optional(scores, "targets").get("match", ())
    if set(matches) & {HIT, REACHABLE}:
        yield "targets", partial(plot_targets, scores)
    if getattr(scores, "outcome", None) is not None:
        yield "survival", partial(plot_survival, scores)
    samples = ranked(scores).index
    yield "waterfall_highest", partial(plot_waterfall, scores, samples[0])
    if len(samples) > 1:
        yield "waterfall_lowest", partial(plot_waterfall, scores, samples[-1])
