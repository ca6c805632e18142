"""The figures of scores, drawn with Matplotlib."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nkpredict.errors import InputError
from nkpredict.facts import ModelFacts
from nkpredict.figures import plot_genes, plot_lineage, plot_ranking, plot_targets, plot_waterfall

DRAW = {
    "ranking": plot_ranking,
    "lineage": plot_lineage,
    "genes": plot_genes,
    "targets": plot_targets,
    "waterfall": lambda scores, **options: plot_waterfall(scores, scores.table.index[0], **options),
}


@pytest.mark.slow
@pytest.mark.parametrize("n", [1, 5, 120])
@pytest.mark.parametrize("name", sorted(DRAW))
def test_figures_draw_and_are_marked(make_scores, name, n, tmp_path):
    scores = make_scores(n=n, simulated=True, full=True)
    scores.table.iloc[0, 1:3] = np.nan
    axes = DRAW[name](scores, save=tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 5000
    assert "SIMULATED" in [text.get_text() for text in axes.texts]
    measured = DRAW[name](make_scores(n=n, full=True))
    assert "SIMULATED" not in [text.get_text() for text in measured.texts]


def test_names_are_left_out_of_large_cohorts(make_scores):
    for n in (80, 81):
        assert len(plot_ranking(make_scores(n=n)).get_yticks()) == (n if n <= 80 else 0)


@pytest.mark.slow
def test_a_knowledge_only_model_has_screen_scores_and_no_intervals(make_scores):
    scores = make_scores(full=True)
    scores.provenance = replace(scores.provenance, model=ModelFacts(knowledge_only=True))
    scores.table[["lower", "upper"]] = np.nan
    axes = plot_ranking(scores)
    assert axes.get_xlabel() == "screen score"
    assert len(axes.collections) == 2
    assert plot_ranking(make_scores()).get_xlabel() == "susceptibility"
    assert "reference profiles" in plot_lineage(scores).get_title(loc="left")


def test_hostile_names_on_given_axes(make_scores):
    from matplotlib.figure import Figure

    scores = make_scores(names=["$\\frac$", "=cmd()", "y" * 300, "a\x00\ud800"], full=True)
    for name, draw in DRAW.items():
        axes = Figure().subplots()
        assert draw(scores, ax=axes) is axes, name
        axes.figure.canvas.draw()


@pytest.mark.slow
def test_a_name_in_a_foreign_script_is_saved_without_a_warning(make_scores, tmp_path):
    scores = make_scores(names=["🧬", "שלום", "S1"])
    for ending in ("png", "svg", "pdf"):
        plot_ranking(scores, save=tmp_path / f"ranking.{ending}")


@pytest.mark.slow
def test_files_are_the_same_every_time(make_scores, tmp_path):
    for name, draw in DRAW.items():
        for place in ("a", "b"):
            draw(make_scores(full=True), save=tmp_path / place / f"{name}.svg")
        first, second = ((tmp_path / place / f"{name}.svg").read_bytes() for place in ("a", "b"))
        assert first == second, name


def test_show_hands_the_figure_to_pyplot(make_scores, monkeypatch):
    import matplotlib.pyplot as plt

    shown = []
    monkeypatch.setattr(plt, "show", lambda: shown.append(plt.get_fignums()))
    plot_ranking(make_scores())
    assert plt.get_fignums() == []
    plot_ranking(make_scores(), show=True)
    assert [len(numbers) for numbers in shown] == [1]
    plt.close("all")


def test_what_cannot_be_drawn_is_said(make_scores, tmp_path):
    scores = make_scores()
    with pytest.raises(InputError, match="no sample 'Z'; the scores hold S000"):
        plot_waterfall(scores, "Z")
    with pytest.raises(InputError, match="hold no drug"):
        plot_targets(scores)
    with pytest.raises(InputError, match=r"ends in \.png, \.svg, \.pdf"):
        plot_ranking(scores, save=tmp_path / "figure.gif")
    scores.contributions[:] = 0.0
    with pytest.raises(InputError, match="No gene contributes"):
        plot_genes(scores)


def test_targets_show_a_contrary_action_as_a_warning(make_scores):
    scores = make_scores(full=True)
    # one drug that hits one gene and acts the wrong way on another
    scores.targets.loc[scores.targets["drug"] == "wrongcept", "drug"] = "harmtinib"
    axes = plot_targets(scores)
    words = [text.get_text() for text in axes.get_legend().get_texts()]
    assert "warning: contrary action" in words
    assert "unknown" in [text.get_text() for text in axes.texts]


def test_targets_draw_what_harms_nk_cells_below_a_line(make_scores):
    axes = plot_targets(make_scores(full=True))
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names[-1] == "harmtinib"
    (line,) = (text for text in axes.texts if text.get_text() == "below the line")
    assert line.get_position()[1] == len(names) - 1.5
