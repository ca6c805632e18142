"""The HTML report and its figures, through their public doors."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from nkpredict.errors import InputError
from nkpredict.report import plot_ranking, plot_waterfall, write_report

HOSTILE = [
    "<script>alert(1)</script>",
    "=cmd()",
    "x" * 300,
    '🧬 O\'Neil "the" & co',
    '" onload="alert(1)',
    "a\x00b\ud800",
    "$\\frac$",
]


def make_scores(n=6, genes=30, names=None, simulated=False, seed=0, **changes):
    rng = np.random.default_rng(seed)
    names = [f"S{i:03d}" for i in range(n)] if names is None else names
    n = len(names)
    parts = pd.DataFrame(
        rng.normal(0, 0.2 / np.sqrt(genes), (n, genes)) * rng.gamma(0.4, 2, genes),
        index=pd.Index(names, dtype=object),
        columns=[f"GENE{i}" for i in range(genes)],
    )
    base = 0.41
    value = base + parts.sum(axis=1)
    in_domain = np.arange(n) % 7 != 3
    table = pd.DataFrame(
        {
            "susceptibility": value,
            "lower": value - 0.17,
            "upper": value + 0.17,
            "percentile": 100 * value.rank(pct=True),
            "novelty": np.where(in_domain, 0.8, 1.4),
            "in_domain": in_domain,
            "gene_coverage": 0.93,
            "flags": np.where(in_domain, "", "out_of_domain;low_gene_coverage"),
            "original_scale": 1 - value,
            "lineage": np.resize(["AML", "T-ALL", "B-ALL"], n),
        },
        index=pd.Index(names, name="sample", dtype=object),
    )
    mean = parts.mean().sort_values()
    resistance = pd.DataFrame(
        {
            "gene": mean.index,
            "mean_contribution": mean.to_numpy(),
            "lowest_contribution": parts.min()[mean.index].to_numpy(),
            "samples_resisting": (parts < 0).mean()[mean.index].to_numpy(),
            "direction": np.resize(["protects", "sensitizes", "unclear"], genes),
            "evidence": np.resize([-0.7, 0.4, np.nan], genes),
            "evidence_reading": np.resize(["agrees", "conflicts", "no screen"], genes),
        }
    )
    performance = [
        {"split": split, "model": model, "spearman": r, "spearman_within_lineage": w, "rmse": e}
        for split, model, r, w, e in (
            ("random", "mean", 0.0, 0.0, 0.21),
            ("random", "lineage mean", 0.44, 0.0, 0.18),
            ("random", "nkpredict", 0.61, 0.37, 0.16),
            ("lineage-held-out", "mean", -0.3, float("nan"), 0.22),
            ("lineage-held-out", "lineage mean", -0.28, None, 0.22),
            ("lineage-held-out", "nkpredict", 0.33, 0.31, 0.2),
        )
    ]
    provenance = {
        "simulated": simulated,
        "profiles": {
            "file": "patients.csv",
            "sha256": "ab" * 32,
            "samples": n,
            "orientation": "genes-by-samples",
            "orientation_given": False,
            "identifiers": "symbol",
            "unit_words": "log2(TPM + 1)",
            "unit_given": True,
            "transform": "none",
            "genes_in_file": 12814,
            "genes_renamed": 214,
            "genes_merged": 3,
            "gene_names_ambiguous": 2,
            "gene_names_unknown": 41,
            "genes_without_symbol_dropped": 0,
            "missing_values": 0,
        },
        "genes": {
            "in_model": 5778,
            "found": 5374,
            "missing": 404,
            "missing_examples": ["HLA-E", "MICA"],
            "weight_missing": 0.061,
        },
        "model": {
            "name": "nk-heme",
            "version": "3",
            "simulated": simulated,
            "training": {
                "samples": 63,
                "lineages": {"AML": 20, "T-ALL": 9},
                "response": {"unit": "viability AUC", "susceptibility": "1 - viability_auc"},
            },
            "skill": {"spearman": 0.52, "p": 1e-5},
            "performance": performance,
            "random_state": 0,
        },
        "warnings": ["404 of 5,778 genes of the model are missing."],
    }
    return SimpleNamespace(
        **{
            "table": table,
            "contributions": parts,
            "base_value": base,
            "resistance_genes": resistance,
            "provenance": provenance,
            **changes,
        }
    )


class Page(HTMLParser):
    """Elements and visible text of a page."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.text = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def report(tmp_path):
    def make(scores):
        path = write_report(scores, tmp_path / "report.html")
        return path.read_text(encoding="utf-8")

    return make


def number(text):
    return float(text.replace("−", "-"))


def test_returns_the_path_and_writes_the_same_bytes_again(tmp_path):
    first, second = tmp_path / "a" / "one.html", tmp_path / "two.html"
    assert write_report(make_scores(), first) == first
    write_report(make_scores(), str(second))
    assert first.read_bytes() == second.read_bytes()
    assert [file.name for file in first.parent.iterdir()] == ["one.html"]


def test_needs_no_network(report):
    page = Page(report(make_scores()))
    for tag, attributes in page.elements:
        assert tag not in ("img", "iframe", "object", "embed", "base")
        for name, value in attributes.items():
            if name in ("src", "href", "xlink:href", "action", "srcset"):
                doi = tag == "a" and value.startswith("https://doi.org/")
                assert doi or value.startswith("#") or value == "data:,", (tag, value)
    assert [list(script) for script in page.all("script")] == [[]]
    style = "".join(page.text)
    assert "@import" not in style
    assert "url(" not in style


def test_hostile_names_are_text(report):
    scores = make_scores(names=HOSTILE)
    scores.provenance["profiles"]["file"] = "</title><script>alert(2)</script>.csv"
    scores.provenance["warnings"] = ["<img src=x onerror=alert(3)>"]
    scores.contributions = scores.contributions.rename(columns={"GENE0": "<b>G</b>"})
    html = report(scores)
    page = Page(html)
    assert len(page.all("script")) == 1
    assert not page.all("img")
    assert not page.all("b")
    handlers = [name for _, attributes in page.elements for name in attributes if name[:2] == "on"]
    assert handlers == []
    text = "".join(page.text)
    for name in HOSTILE[:5]:
        assert name in text
    assert "a�b�" in text
    ids = [attributes["id"] for _, attributes in page.elements if attributes.get("id")]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z-]+[0-9]*", name) for name in ids)


def test_anchors_lead_somewhere(report):
    page = Page(report(make_scores(n=9)))
    ids = {attributes.get("id") for _, attributes in page.elements}
    used = {a["href"][1:] for _, a in page.elements if a.get("href", "").startswith("#")}
    labels = {i for _, a in page.elements for i in a.get("aria-labelledby", "").split()}
    assert used | labels <= ids


def test_headings_in_order_and_language(report):
    page = Page(report(make_scores()))
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert page.all("html") == [{"lang": "en"}]


@pytest.mark.parametrize("where", ["scores", "model", "nowhere"])
def test_simulated_data_are_marked_and_only_they(report, where):
    scores = make_scores()
    scores.provenance["simulated"] = where == "scores"
    scores.provenance["model"]["simulated"] = where == "model"
    html = report(scores)
    body = html[html.index("<body") :]
    assert ("SIMULATED" in body) == (where != "nowhere")
    if where != "nowhere":
        assert '<p class="simulated-banner"' in body
        # every waterfall and the histogram carry the mark inside the figure
        assert body.count('class="watermark"') == len(scores.table) + 1
        assert "<title>SIMULATED – NK susceptibility report</title>" in html


def test_research_notice_is_always_there(report):
    assert report(make_scores()).count("For research use only. Not a medical device") == 2
    assert report(make_scores(provenance={})).count("For research use only. Not a medical") == 2


def test_bare_provenance_one_sample_no_resistance_genes(report):
    scores = make_scores(n=1, provenance={})
    scores.resistance_genes = scores.resistance_genes.head(0)
    html = report(scores)
    assert "1 sample was scored" in html
    assert "no record of its performance" in html
    assert html.count("<details") == 1
    assert not re.search(r"\bnan\b", html, re.IGNORECASE)


def test_infinite_intervals_and_missing_numbers(report):
    scores = make_scores(n=3)
    scores.table.loc["S000", ["lower", "upper"]] = [-np.inf, np.inf]
    scores.table.loc["S001", ["lower", "upper", "original_scale", "percentile"]] = np.nan
    html = report(scores)
    assert "−∞ to ∞" in html
    assert "no finite prediction interval can be given" in html
    assert "unbounded" in html
    for attribute in re.findall(r'(?:x1|x2|cx|width)="([^"]*)%"', html):
        assert 0 <= float(attribute) <= 100


def test_numbers_of_a_waterfall_add_up(report):
    scores = make_scores(n=4, genes=200)
    html = report(scores)
    figures = re.findall(r'<svg class="waterfall".*?prediction</text>.*?</text>', html, re.DOTALL)
    assert len(figures) == 4
    for figure, shown in zip(
        figures, sorted(scores.table["susceptibility"], reverse=True), strict=True
    ):
        values = [number(v) for v in re.findall(r'class="value[^>]*>([^<]*)<', figure)]
        assert len(values) == 1 + 12 + 1 + 1
        assert sum(values[:-1]) == pytest.approx(values[-1], abs=0.0005 * len(values))
        assert values[-1] == pytest.approx(shown, abs=0.00051)
        sizes = np.abs(values[1:13])
        assert (np.diff(sizes) <= 0).all()


def test_waterfall_bars_point_the_way_of_their_sign(report):
    scores = make_scores(n=1, genes=3)
    scores.contributions.iloc[0] = [0.1, -0.2, 0.0]
    scores.table["susceptibility"] = scores.base_value - 0.1
    html = report(scores)
    bars = re.findall(r'<rect class="(raises|lowers)" x="([\d.]+)%" y="\d+" width="([\d.]+)%', html)
    (first, x1, w1), (second, x2, w2), *rest = bars
    assert (first, second) == ("lowers", "raises")
    assert float(w1) == pytest.approx(2 * float(w2), abs=0.02)
    assert float(x1) == pytest.approx(float(x2), abs=0.02)
    assert all(float(width) == 0 for _, _, width in rest)


def test_words_of_the_summary(report):
    html = report(make_scores(n=40))
    text = " ".join("".join(Page(html).text).split())
    assert "40 samples were scored with nk-heme" in text
    assert "0.61 with samples held out at random (best comparison: lineage mean, 0.44)" in text
    assert "0.33 with whole lineages held out (best comparison: lineage mean, −0.28)" in text
    assert "34 of 40 profiles resemble the training profiles; 6 lie outside" in text
    assert "Orientation</dt><dd>genes-by-samples (detected)" in html
    assert "log2(TPM + 1) (as told)" in text
    assert "weight on missing genes</dt><dd>6 %" in html


def test_says_so_when_no_better_than_baselines_across_lineages(report):
    scores = make_scores()
    scores.provenance["model"]["performance"][4]["spearman"] = 0.5
    assert "does not beat the best comparison" in report(scores)


def test_chance_skill_is_said_for_each_sample(report):
    scores = make_scores(n=3)
    scores.table["flags"] = "chance_skill"
    assert report(scores).count("ranks unseen samples no better than chance") == 3


def test_resistance_genes_are_listed_up_to_a_limit(report):
    html = report(make_scores(genes=80))
    assert "The first 30 of 80 genes." in html
    assert "protects" in html
    assert "conflicts" in html


def test_size_for_a_large_cohort(report):
    assert len(report(make_scores(n=500)).encode()) < 8_000_000


def test_no_sample_is_an_error(tmp_path):
    scores = make_scores()
    scores.table = scores.table.head(0)
    with pytest.raises(InputError, match="no sample"):
        write_report(scores, tmp_path / "r.html")
    assert not (tmp_path / "r.html").exists()


@pytest.mark.parametrize("n", [1, 5, 120])
def test_plots_draw(n, tmp_path):
    scores = make_scores(n=n, simulated=True)
    scores.table.iloc[0, 1:3] = [-np.inf, np.inf]
    ranking = plot_ranking(scores)
    waterfall = plot_waterfall(scores, scores.table.index[0])
    for axes in (ranking, waterfall):
        axes.figure.savefig(tmp_path / "figure.png")
        assert axes.get_xlabel() == "susceptibility"
        assert "SIMULATED" in [text.get_text() for text in axes.texts]
    assert len(ranking.get_yticks()) == (n if n <= 80 else 0)


def test_plots_on_given_axes_with_hostile_names():
    from matplotlib.figure import Figure

    scores = make_scores(names=["$\\frac$", "=cmd()", "y" * 300])
    axes = Figure().subplots(1, 2)
    assert plot_ranking(scores, axes[0]) is axes[0]
    assert plot_waterfall(scores, "$\\frac$", axes[1]) is axes[1]
    axes[0].figure.canvas.draw()
    assert "SIMULATED" not in [text.get_text() for text in axes[0].texts]


def test_plot_of_an_unknown_sample():
    with pytest.raises(InputError, match="no sample 'Z'; the scores hold S000"):
        plot_waterfall(make_scores(), "Z")
