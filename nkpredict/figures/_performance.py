"""Figures of a training run."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nkpredict.evaluate import OUR_MODEL, CrossValidation, Split
from nkpredict.figures._style import SENSITIZES, finished, save_figure

# Blue and orange of Okabe and Ito, see the style.
_COLOURS = {Split.RANDOM: SENSITIZES, Split.LINEAGE_HELD_OUT: "#E69F00"}


def write_performance_figure(
    cv: CrossValidation, path: Path, *, simulated: bool, ceiling: float | None = None
) -> None:
    """Draw the rank correlation of every model in both splits.

    Parameters
    ----------
    cv
        Result of nested cross-validation.
    path
        PNG file to write.
    simulated
        Whether to mark the figure.
    ceiling
        Highest Spearman correlation the replicates allow.
    """
    from matplotlib.figure import Figure

    table = cv.table()
    splits = [split for split in _COLOURS if split in table]
    figure = Figure(figsize=(7, 1.2 + 0.45 * len(table)), layout="constrained")
    axes = figure.add_subplot()
    at = np.arange(len(table))[::-1]
    height = 0.8 / len(splits)
    for number, split in enumerate(splits):
        offset = (len(splits) - 1) / 2 * height - number * height
        axes.barh(at + offset, table[split], height, color=_COLOURS[split], label=split)
    if ceiling is not None and np.isfinite(ceiling):
        axes.axvline(ceiling, color="0.4", linestyle="--", label="noise ceiling")
    axes.set_yticks(at, table.index)
    axes.axvline(0, color="0.2", linewidth=0.8)
    axes.set_xlabel("Spearman correlation on unseen samples")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    finished(axes, simulated, save=path)


def write_prediction_figure(cv: CrossValidation, path: Path, *, simulated: bool) -> None:
    """Draw observed against predicted susceptibility of unseen samples, one panel a split."""
    from matplotlib.figure import Figure

    ours = cv.predictions[cv.predictions["model"] == OUR_MODEL]
    splits = list(ours["split"].unique())
    figure = Figure(figsize=(4.2 * len(splits), 4), layout="constrained")
    for number, split in enumerate(splits, start=1):
        part = ours[ours["split"] == split]
        axes = figure.add_subplot(1, len(splits), number)
        axes.scatter(part["predicted"], part["observed"], s=14, color=_COLOURS[split], alpha=0.7)
        axes.set(title=split, xlabel="predicted susceptibility", ylabel="observed susceptibility")
        axes.spines[["top", "right"]].set_visible(False)
        finished(axes, simulated)
    save_figure(axes, path)
