"""Tables and a figure of the benchmark for the documentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from experiments.benchmark.peers import FAIR_PEERS
from experiments.benchmark.run import ALL_SAMPLES, BenchmarkRun
from experiments.benchmark.summary import against_best_peer, compare, score_tasks
from nkpredict.errors import InputError
from nkpredict.evaluate import OUR_MODEL
from nkpredict.figures import finished, save_figure
from nkpredict.io import write_text

BEGIN, END = "<!-- benchmark: begin -->", "<!-- benchmark: end -->"

# Two colours that colour-blind readers tell apart; the shape differs as well.
_OURS, _OTHERS, _GREY = "#D55E00", "#0072B2", "#6B7280"


def references(predictions: pd.DataFrame) -> dict[str, str]:
    """Name the entrant that others are compared with in each family: our model, best informed."""
    chosen: dict[str, str] = {}
    for family, part in predictions.groupby("family", sort=False):
        ours = part.loc[part["model"] == OUR_MODEL, "entrant"].unique()
        informed = [name for name in ours if name.endswith("true evidence")]
        if len(ours):
            chosen[str(family)] = str((informed or list(ours))[0])
    return chosen


def benchmark_markdown(
    run: BenchmarkRun,
    comparison: pd.DataFrame,
    *,
    absent: Mapping[str, str] | None = None,
    facts: Sequence[str] = (),
) -> str:
    """Return all tables as Markdown.

    Parameters
    ----------
    run
        The results.
    comparison
        What `compare` returned for them.
    absent
        Model that did not take part → reason.
    facts
        Sentences about how the run was made.
    """
    scores = score_tasks(run.predictions)
    compared_with = references(run.predictions)
    blocks = ["\n".join(f"- {fact}" for fact in facts)] if facts else []
    for place, part in comparison.groupby(["family", "split", "size"], sort=False):
        family, split, size = place
        here = scores.query("family == @family and split == @split and size == @size")
        fits = run.fits[run.fits["task"].isin(here["task"])].query(
            "split == @split and size == @size"
        )
        trained = "" if size == ALL_SAMPLES else f", trained on {size} samples"
        blocks.append(f"### {str(family)[0].upper()}{str(family)[1:]}, {split}{trained}")
        seconds = fits.groupby("entrant")["seconds"].mean()
        blocks.append(_table(part, here, seconds, compared_with.get(str(family))))
    blocks.append(_best_peers(scores))
    blocks.append(_left_out(run, absent or {}))
    return "\n\n".join(block for block in blocks if block)


def update_document(path: str | Path, block: str) -> None:
    """Put the tables into a Markdown document; what is written around them stays.

    Parameters
    ----------
    path
        The document; made with a heading when missing.
    block
        What stands between the markers afterwards.

    Raises
    ------
    InputError
        When the document does not have both markers once.
    """
    path = Path(path)
    text = path.read_text("utf-8") if path.exists() else f"# Benchmark\n\n{BEGIN}\n{END}\n"
    begin, end = text.find(BEGIN), text.find(END)
    if text.count(BEGIN) != 1 or text.count(END) != 1 or end < begin:
        raise InputError(
            f"{path} does not hold the lines {BEGIN} and {END} once and in this order; expected "
            "them around the tables. Add them."
        )
    write_text(path, f"{text[: begin + len(BEGIN)]}\n\n{block}\n\n{text[end:]}")


def draw_benchmark(comparison: pd.DataFrame, scores: pd.DataFrame, path: str | Path) -> None:
    """Draw the mean skill of each model with its interval, and each task as a small dot.

    Parameters
    ----------
    comparison
        What `compare` returned; only whole training sets are drawn.
    scores
        What `score_tasks` returned.
    path
        PNG file to write.
    """
    from matplotlib.figure import Figure

    whole = comparison[comparison["size"] == ALL_SAMPLES]
    families, splits = list(whole["family"].unique()), list(whole["split"].unique())
    heights = [int(whole[whole["family"] == f]["entrant"].nunique()) for f in families]
    figure = Figure(
        figsize=(1.8 + 4.2 * len(splits), 1.0 + 0.27 * sum(heights) + 0.9 * len(families)),
        layout="constrained",
    )
    axes = figure.subplots(
        len(families), len(splits), squeeze=False, sharex=True, sharey="row", height_ratios=heights
    )
    for row, family in enumerate(families):
        shown = whole[whole["family"] == family]
        order = shown[shown["split"] == splits[0]].sort_values("spearman")["entrant"].tolist()
        order = [e for e in shown["entrant"].unique() if e not in order] + order
        for column, split in enumerate(splits):
            ax = axes[row, column]
            points = shown[shown["split"] == split].set_index("entrant")
            tasks = scores.query("family == @family and split == @split and size == @ALL_SAMPLES")
            _draw_panel(ax, points, tasks, order, _is_simulated(family))
            ax.set_title(f"{family}, {split}", loc="left", fontsize=10)
        axes[row, 0].set_yticks(range(len(order)), order, fontsize=8)
    for ax in axes[-1]:
        ax.set_xlabel(
            "Spearman on unseen samples: mean, 95 % interval, single tasks (|)", fontsize=8
        )
    save_figure(axes[0, 0], path)


def _draw_panel(
    ax: Any, points: pd.DataFrame, tasks: pd.DataFrame, order: list[str], simulated: bool
) -> None:
    ax.axvline(0, color=_GREY, linewidth=0.8, linestyle=":")
    for position, entrant in enumerate(order):
        if entrant not in points.index:
            continue
        ours = entrant.startswith(OUR_MODEL)
        colour, marker = (_OURS, "D") if ours else (_OTHERS, "o")
        point = points.loc[entrant]
        single = tasks.loc[tasks["entrant"] == entrant, "spearman"]
        ax.plot(single, np.full(len(single), position), "|", color=_GREY, markersize=5, alpha=0.6)
        ax.hlines(position, point["lower"], point["upper"], color=colour, linewidth=1.6)
        ax.plot(point["spearman"], position, marker, color=colour, markersize=5)
    ax.tick_params(labelsize=8)
    ax.grid(axis="x", linewidth=0.4, alpha=0.5)
    ax.spines[["top", "right"]].set_visible(False)
    finished(ax, simulated)


def _table(
    part: pd.DataFrame, scores: pd.DataFrame, seconds: pd.Series, reference: str | None
) -> str:
    """Return one row an entrant: skill, difference, within lineages, RMSE, groups, seconds."""
    groups = list(scores["group"].unique())
    by_group = scores.pivot_table(index="entrant", columns="group", values="spearman")
    measures = ["spearman_within_folds", "spearman_within_lineage", "rmse"]
    means = scores.groupby("entrant")[measures].mean()
    heading = [
        "model",
        "mean Spearman (95 %)",
        *([f"minus {reference} (95 %)"] if reference else []),
    ]
    heading += ["within folds", "within lineage", "RMSE", *groups, "s per fit"]
    rows = []
    for row in part.sort_values("spearman", ascending=False, kind="stable").to_dict("records"):
        entrant = str(row["entrant"])
        cells = [entrant, _interval(row["spearman"], row["lower"], row["upper"])]
        if entrant == reference:
            cells.append("reference")
        elif reference:
            names = ("difference", "difference_lower", "difference_upper")
            value, low, high = (float(row[name]) for name in names)
            cells.append(_interval(value, low, high, sign="+"))
        cells += [_number(float(value)) for value in means.loc[entrant].to_numpy()]
        cells += [_number(by_group.loc[entrant].get(group, np.nan)) for group in groups]
        rows.append([*cells, f"{seconds[entrant]:.2f}"])
    return _markdown(heading, rows)


def _best_peers(scores: pd.DataFrame) -> str:
    """Return our model beside the best peer of each split and measure."""
    table = against_best_peer(scores, OUR_MODEL, FAIR_PEERS)
    if table.empty:
        return ""
    heading = ["tasks", "split", "measure", OUR_MODEL, "best peer", "difference (95 %)", "ahead on"]
    rows = []
    for row in table.to_dict("records"):
        measure = "pooled" if row["measure"] == "spearman" else "within folds"
        trained = "" if row["size"] == ALL_SAMPLES else f", {row['size']} samples"
        rows.append(
            [
                f"{row['family']}{trained}",
                str(row["split"]),
                measure,
                _number(row["ours"]),
                f"{_number(row['best'])} ({row['peer']})",
                _interval(row["difference"], row["lower"], row["upper"], sign="+"),
                f"{row['ahead']} of {row['tasks']}",
            ]
        )
    words = "Intervals of this table: 95 %, tasks drawn with replacement."
    return "\n\n".join(["### Against the best peer", _markdown(heading, rows), words])


def _left_out(run: BenchmarkRun, absent: Mapping[str, str]) -> str:
    lines = [f"- {name} did not take part: {reason}." for name, reason in absent.items()]
    if len(run.failures):
        for (entrant, reason), part in run.failures.groupby(["entrant", "reason"], sort=False):
            lines.append(
                f"- {entrant} failed in {len(part)} fits ({reason}); it is left out of "
                f"{', '.join(part['task'].unique())}."
            )
    warned = run.fits[run.fits["warnings"] != ""]
    for (entrant, kind), part in warned.groupby(["entrant", "warnings"], sort=False):
        lines.append(f"- {entrant}: {kind} in {len(part)} fits.")
    return "\n".join(["### Notes", "", *lines]) if lines else ""


def _markdown(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    ruler = ["---", *["---:"] * (len(heading) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heading, ruler, *rows))


def _interval(value: float, low: float, high: float, sign: str = "") -> str:
    if np.isnan(value):
        return "–"
    return f"{value:{sign}.3f} ({low:{sign}.3f} to {high:{sign}.3f})"


def _number(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.3f}"


def _is_simulated(family: str) -> bool:
    return family.startswith("SIMULATED")


def write_benchmark(
    run: BenchmarkRun,
    *,
    document: str | Path,
    figure: str | Path,
    absent: Mapping[str, str] | None = None,
    facts: Sequence[str] = (),
    resamples: int = 1000,
    random_state: int = 0,
) -> pd.DataFrame:
    """Write the tables into a document and draw the figure.

    Parameters
    ----------
    run
        The results.
    document, figure
        Markdown and PNG file.
    absent, facts
        See `benchmark_markdown`.
    resamples, random_state
        See `compare`.

    Returns
    -------
    pandas.DataFrame
        The comparison.
    """
    comparison = compare(
        run.predictions,
        references(run.predictions),
        resamples=resamples,
        random_state=random_state,
    )
    draw_benchmark(comparison, score_tasks(run.predictions), figure)
    update_document(document, benchmark_markdown(run, comparison, absent=absent, facts=facts))
    return comparison
