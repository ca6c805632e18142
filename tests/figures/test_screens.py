from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from nkpredict.errors import InputError
from nkpredict.evidence import (
    ScreenTable,
    gene_categories,
    genes_by_category,
    read_screens,
    top_overlaps,
)
from nkpredict.figures import plot_agreement, plot_dots, plot_volcano, save_figure

KNOWN = {"JAK1": -2.0, "STAT1": -1.8, "B2M": -1.6, "NCR3LG1": 2.2}
SCREENS = {
    "K562_r1": ("K562", "loss", "primary NK"),
    "K562_r2": ("K562", "loss", "primary NK"),
    "MM1S_GOF": ("MM1S", "gain", "primary NK"),
    "KHYG": ("K562", "loss", "KHYG-1"),
}


@pytest.fixture(scope="module")
def make(tmp_path_factory, request):
    genes: list[str] = request.getfixturevalue("genes")

    def _make(prefix: str = "", with_p: bool = True) -> ScreenTable:
        rng = np.random.default_rng(3)
        names = [*KNOWN, *sorted(set(genes) - set(KNOWN))]
        blocks = []
        for screen, (line, perturbation, effector) in SCREENS.items():
            effect = np.concatenate([[*KNOWN.values()], rng.normal(0, 0.3, len(names) - 4)])
            block = pd.DataFrame(
                {
                    "gene": names,
                    "screen": prefix + screen,
                    "cell_line": line,
                    "perturbation": perturbation,
                    "effector": effector,
                    "lfc": effect * (-1 if perturbation == "gain" else 1),
                }
            )
            if with_p:
                block["p"] = np.minimum(10.0 ** (-3 * np.abs(effect)), 1.0)
            blocks.append(block if screen != "KHYG" else block.iloc[:60])
        path = tmp_path_factory.mktemp("screens") / "screens.csv"
        pd.concat(blocks).to_csv(path, index=False)
        return read_screens(path)

    return _make


@pytest.fixture(scope="module")
def screens(make) -> ScreenTable:
    return make()


def texts(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def boxes(ax, names: set[str]):
    figure = ax.figure
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    # of the words alone: the extent of an annotation includes its line
    return [Text.get_window_extent(t, renderer) for t in ax.texts if t.get_text() in names]


def test_a_volcano_names_hits_and_no_name_covers_another(screens: ScreenTable) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    ax = plot_volcano(screens, "K562_r1", labels=12)
    FigureCanvasAgg(ax.figure)
    said = texts(ax)
    assert {"JAK1", "STAT1", "B2M", "NCR3LG1"} <= set(said)
    assert any("1 sensitizing, 3 protecting" in text for text in said)
    assert any("K562, primary NK, loss of function" in text for text in said)
    names = set(said) & set(screens.table["gene"])
    assert len(names) == 24
    found = boxes(ax, names)
    for i, one in enumerate(found):
        for other in found[:i]:
            assert not one.overlaps(other)


def test_a_volcano_is_signed_by_what_the_gene_does(screens: ScreenTable) -> None:
    ax = plot_volcano(screens, "MM1S_GOF", labels=1)
    places = {t.get_text(): t.xyann[0] for t in ax.texts if t.get_text() in KNOWN}
    assert places["NCR3LG1"] > 0 > places["JAK1"]


@pytest.mark.parametrize(
    ("screen", "message"),
    [(None, "There are 4 screens with p-values"), ("nowhere", "no screen nowhere.*K562_r1")],
)
def test_a_volcano_needs_one_screen(screens: ScreenTable, screen, message: str) -> None:
    with pytest.raises(InputError, match=message):
        plot_volcano(screens, screen)


def test_a_volcano_needs_p_values(make) -> None:
    with pytest.raises(InputError, match=r"has no p-values.*none"):
        plot_volcano(make(with_p=False), "K562_r1")


def test_dots_group_genes_by_category_and_screens_by_effector(screens: ScreenTable) -> None:
    ax = plot_dots(screens, ["JAK1", "B7H6", "STAT1", "B2M", "TP53BP1"])
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == ["JAK1", "STAT1", "NCR3LG1", "B2M"] or labels[0] in KNOWN
    assert set(labels) == set(KNOWN)
    assert {"interferon gamma", "activating-receptor ligand", "antigen presentation"} <= set(
        texts(ax)
    )
    # replicates are merged; KHYG-1 comes before primary NK, gain before loss
    assert [t.get_text() for t in ax.get_xticklabels()] == ["KHYG", "MM1S_GOF", "K562"]
    assert {"KHYG-1", "primary NK", "gain", "loss"} <= set(texts(ax))
    dots = ax.collections[0]
    assert len(dots.get_offsets()) == len(KNOWN) * 3


def test_dots_choose_the_known_genes_that_respond(screens: ScreenTable) -> None:
    ax = plot_dots(screens)
    shown = {label.get_text() for label in ax.get_yticklabels()}
    assert set(KNOWN) <= shown <= set(gene_categories())


def test_dots_of_unmeasured_genes_are_refused(screens: ScreenTable) -> None:
    with pytest.raises(InputError, match="None of the genes asked for"):
        plot_dots(screens, ["HLA-DRB9"])


def test_agreement_shows_correlation_below_and_overlap_above(screens: ScreenTable) -> None:
    ax = plot_agreement(screens)
    numbers = texts(ax)
    assert sum("×" in text for text in numbers) == 6
    assert {"124", "60"} & set(numbers)
    names = [label.get_text().split("\n")[0] for label in ax.get_yticklabels()]
    assert sorted(names) == sorted(SCREENS)


def test_agreement_needs_two_screens(screens: ScreenTable) -> None:
    one = screens.table[screens.table["screen"] == "KHYG"]
    with pytest.raises(InputError, match="one screen only"):
        plot_agreement(ScreenTable(one))


def test_overlap_is_one_by_chance_and_largest_for_the_same() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 20000))
    few = np.where(np.arange(20000) < 30, first, np.nan)
    ratio = top_overlaps(np.column_stack([first, first, second, few]))
    assert ratio[0, 1] == 100
    assert ratio[0, 2] == pytest.approx(1, abs=1.2)
    assert np.isnan(ratio[0, 3])


def test_genes_without_category_come_last() -> None:
    z = pd.DataFrame({"a": [3.0, -2.0, 9.0]}, index=["JAK1", "B2M", "TP53BP1"])
    groups = genes_by_category(z, list(z.index))
    assert list(groups) == ["interferon gamma", "antigen presentation", "uncategorised"]


@pytest.mark.parametrize("draw", [plot_dots, plot_agreement, lambda s: plot_volcano(s, "SIM-KHYG")])
def test_simulated_screens_are_marked(make, draw) -> None:
    assert "SIMULATED" in texts(draw(make("SIM-")))


def test_measured_screens_are_not_marked(screens: ScreenTable) -> None:
    assert "SIMULATED" not in texts(plot_agreement(screens))


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_figures_are_written_with_the_same_bytes(
    screens: ScreenTable, tmp_path: Path, ending: str
) -> None:
    for name in "ab":
        save_figure(plot_dots(screens), tmp_path / f"{name}.{ending}")
    assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()
    with pytest.raises(InputError, match=r"\.png, \.svg, \.pdf"):
        save_figure(plot_dots(screens), tmp_path / "a.gif")
