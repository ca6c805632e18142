"""The HTML report and its figures, through their public doors."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from nkpredict import outcome_association
from nkpredict.drugs import rank_drugs, rank_drugs_by_sample
from nkpredict.errors import InputError
from nkpredict.facts import (
    CoverageFacts,
    CurveErrorFacts,
    CurveFacts,
    ModelFacts,
    ScoringFacts,
    SkillFacts,
    ViabilityFacts,
)
from nkpredict.figures import plot_survival
from nkpredict.registry import KNOWLEDGE_ONLY_NOTICE
from nkpredict.report import write_report
from tests.scored import pages_of, provenance_of

BARE = ScoringFacts(
    samples=1,
    genes=CoverageFacts(in_model=30, found=30, missing=0, weight_missing=0.0),
    model=ModelFacts(),
)

HOSTILE = [
    "<script>alert(1)</script>",
    "=cmd()",
    "x" * 300,
    '🧬 O\'Neil "the" & co',
    '" onload="alert(1)',
    "a\x00b\ud800",
    "$\\frac$",
]


# Where a reader may be led by a click; nothing of it is loaded.
SOURCES = (
    "https://doi.org/",
    "https://clinicaltrials.gov/study/",
    "https://pmc.ncbi.nlm.nih.gov/",
    "https://pubmed.ncbi.nlm.nih.gov/",
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


def test_returns_the_path_and_writes_the_same_bytes_again(tmp_path, make_scores):
    first, second = tmp_path / "a" / "one.html", tmp_path / "two.html"
    assert write_report(make_scores(), first) == first
    write_report(make_scores(), str(second))
    assert first.read_bytes() == second.read_bytes()
    assert [file.name for file in first.parent.iterdir()] == ["one.html"]


def test_needs_no_network(report, make_scores):
    page = Page(report(make_scores(full=True)))
    for tag, attributes in page.elements:
        assert tag not in ("img", "iframe", "object", "embed", "base")
        for name, value in attributes.items():
            if name in ("src", "href", "xlink:href", "action", "srcset"):
                assert (
                    (tag == "a" and value.startswith(SOURCES))
                    or value.startswith("#")
                    or value == "data:,"
                ), (tag, value)
    scripts = [script for script in page.all("script") if "type" not in script]
    assert scripts == [{}] * 4
    style = "".join(page.text)
    assert "@import" not in style
    assert "url(" not in style


def test_hostile_names_are_text(report, make_scores):
    scores = make_scores(names=HOSTILE)
    scores.provenance = replace(
        provenance_of(len(HOSTILE), file="</title><script>alert(2)</script>.csv"),
        warnings=("<img src=x onerror=alert(3)>",),
    )
    scores.contributions = scores.contributions.rename(columns={"GENE0": "<b>G</b>"})
    html = report(scores)
    page = Page(html)
    assert len(page.all("script")) == 6
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


def test_anchors_lead_somewhere(report, make_scores):
    page = Page(report(make_scores(n=9)))
    ids = {attributes.get("id") for _, attributes in page.elements}
    used = {a["href"][1:] for _, a in page.elements if a.get("href", "").startswith("#")}
    labels = {i for _, a in page.elements for i in a.get("aria-labelledby", "").split()}
    assert used | labels <= ids


def test_headings_in_order_and_language(report, make_scores):
    page = Page(report(make_scores()))
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert page.all("html") == [{"lang": "en"}]


@pytest.mark.parametrize("where", ["profiles", "model", "nowhere"])
def test_simulated_data_are_marked_and_only_they(report, where, make_scores):
    scores = make_scores(n=40)
    model = replace(scores.provenance.model, simulated=where == "model")
    scores.provenance = replace(
        scores.provenance, profiles_simulated=where == "profiles", model=model
    )
    html = report(scores)
    body = re.sub("<script>.*?</script>", "", html[html.index("<body") :], flags=re.DOTALL)
    assert ("SIMULATED" in body) == (where != "nowhere")
    if where != "nowhere":
        assert '<p class="simulated-banner"' in body
        # the ranking and the map carry the mark inside the figure
        assert body.count('class="watermark"') == 1
        assert body.count('class="map-watermark"') == 1
        assert "<title>SIMULATED – NK susceptibility report</title>" in html


def test_research_notice_is_always_there(report, make_scores):
    assert report(make_scores()).count("For research use only. Not a medical device") == 3
    assert report(make_scores(provenance=BARE)).count("For research use only. Not a medical") == 3


def test_bare_provenance_one_sample_no_resistance_genes(report, make_scores):
    scores = make_scores(n=1, provenance=BARE)
    scores.resistance_genes = scores.resistance_genes.head(0)
    html = report(scores)
    assert "1 sample was scored" in html
    assert "no record of its performance" in html
    assert list(pages_of(html)) == ["S000"]
    assert not re.search(r"\bnan\b", html, re.IGNORECASE)


def test_missing_intervals_and_numbers(report, make_scores):
    scores = make_scores(n=3)
    scores.table.loc["S000", ["lower", "upper"]] = np.nan
    scores.table.loc["S001", ["lower", "upper", "original_scale", "percentile"]] = np.nan
    html = report(scores)
    assert "no prediction interval can be given" in html
    for attribute in re.findall(r'(?:x1|x2|cx|width)="([^"]*)%"', html):
        assert 0 <= float(attribute) <= 100


def test_numbers_of_a_sample_add_up(report, make_scores):
    scores = make_scores(n=4, genes=200)
    pages = pages_of(report(scores))
    ranked = scores.table["susceptibility"].sort_values(ascending=False)
    assert list(pages) == list(ranked.index)
    for page, shown in zip(pages.values(), ranked, strict=True):
        assert number(page.score) == pytest.approx(shown, abs=0.00051)
        assert len(page.parts) == 12
        total = page.base + sum(page.parts.values()) + page.rest
        assert total == pytest.approx(shown, abs=1e-4)
        assert (np.diff(np.abs(list(page.parts.values()))) <= 0).all()
    few = make_scores(n=1, genes=3)
    (page,) = pages_of(report(few)).values()
    assert page.rest is None
    assert page.parts == pytest.approx(few.contributions.iloc[0].to_dict(), abs=1e-5)


def test_words_of_the_summary(report, make_scores):
    html = report(make_scores(n=40))
    text = " ".join("".join(Page(html).text).split())
    assert "40 samples were scored with nk-heme" in text
    assert "0.61 with samples held out at random (best comparison: lineage mean, 0.44)" in text
    assert "0.33 with whole lineages held out (best comparison: lineage mean, −0.28)" in text
    assert "34 of 40 profiles resemble the training profiles; 6 lie outside" in text
    assert "Orientation</dt><dd>genes-by-samples (detected)" in html
    assert "log2(TPM + 1) (as told)" in text
    assert "weight on missing genes</dt><dd>6 %" in html


def test_says_so_when_no_better_than_baselines_across_lineages(report, make_scores):
    scores = make_scores()
    model = scores.provenance.model
    performance = [
        replace(row, spearman=0.5) if row.split != "random" and row.model == "lineage mean" else row
        for row in model.performance
    ]
    model = replace(model, performance=tuple(performance))
    scores.provenance = replace(scores.provenance, model=model)
    assert "does not beat the best comparison" in report(scores)


def test_chance_skill_is_said_for_each_sample(report, make_scores):
    scores = make_scores(n=3)
    scores.table["flags"] = "chance_skill"
    for page in pages_of(report(scores)).values():
        assert "ranks unseen samples no better than chance" in page.words


def test_genes_are_listed_up_to_a_limit(report, make_scores):
    html = report(make_scores(genes=180))
    assert "The first 40 of 180; all are in the files" in html
    # what no experiment supports is associated and no more
    assert "goes with resistance" in html
    assert "conflicts" in html


@pytest.mark.slow
def test_size_for_a_large_cohort(report, make_scores):
    html = report(make_scores(n=500, genes=20_000, full=True))
    assert len(html.encode()) < 8_000_000
    # of 20,000 genes only those that are shown are embedded
    assert len(embedded(html)["genes"]) == 40


def embedded(html):
    return json.loads(re.search(r'id="gene-map-data">(.*?)</script>', html, re.DOTALL)[1])


def test_the_map_holds_the_contributions_of_the_strongest_genes(report, make_scores):
    scores = make_scores(n=9, genes=60)
    shown = embedded(report(scores))
    assert scores.table.loc[shown["samples"], "susceptibility"].is_monotonic_decreasing
    strongest = scores.contributions.abs().mean().nlargest(40).index
    assert set(shown["genes"]) == set(strongest)
    values = np.array(shown["values"]) * shown["unit"]
    expected = scores.contributions.loc[shown["samples"], shown["genes"]].T
    np.testing.assert_allclose(values, expected, atol=shown["unit"])


def test_a_knowledge_only_model_is_named_for_what_it_is(report, make_scores):
    scores = make_scores(full=True)
    scores.provenance = replace(
        scores.provenance,
        model=ModelFacts(name="screen-prior", knowledge_only=True),
        warnings=(KNOWLEDGE_ONLY_NOTICE,),
    )
    scores.table[["lower", "upper"]] = np.nan
    scores.table["flags"] = "knowledge_only"
    scores.viability = None
    html = report(scores)
    body = re.sub("<(script|style).*?</(script|style)>", "", html, flags=re.DOTALL)
    assert '<p class="knowledge-banner">' in body
    words = body.lower()
    for wrong in (
        "susceptib",
        "training sample",
        "training profile",
        "training domain",
        "90 %",
        "∞",
    ):
        assert wrong not in words, wrong
    assert "screen score" in words
    assert "reference profiles" in words
    assert 'class="knowledge-banner"' not in report(make_scores())


def test_drugs_hits_and_warnings_stay_apart(report, make_scores):
    html = report(make_scores(full=True))
    drugs, below, targets, contrary = (
        re.search(rf'<table id="{name}-table".*?</table>', html, re.DOTALL)[0]
        for name in ("drug", "below", "target", "contrary")
    )
    assert "harmtinib" not in drugs
    assert "helpmab" not in below
    assert "wrongcept" not in drugs + targets
    assert "wrongcept" in contrary
    assert contrary.count("<tr>") == 2
    assert "raisetinib" in targets
    for name, liability, listed in (
        ("helpmab", "helps", drugs),
        ("harmtinib", "harms", below),
        ("depletumab", "unknown", drugs),
    ):
        row = re.search(rf"<tr>(?:(?!<tr>).)*{name}.*?</tr>", listed, re.DOTALL)[0]
        assert f">{liability}</span>" in row
    assert 'href="https://doi.org/10.1016/j.x"' in drugs
    assert 'href="https://clinicaltrials.gov/study/NCT01234567"' in targets
    assert "Below the line, because they harm NK cells: 1." in html
    assert "these act on such genes too, but harm NK cells" in html
    assert "These scores hold no drugs" in report(make_scores())


def test_no_drug_found_is_said_in_words(report, make_scores):
    scores = make_scores(full=True)
    harms = scores.targets["drug"] == "harmtinib"
    scores.targets = scores.targets[harms]
    scores.drugs = rank_drugs(scores.targets)
    scores.sample_drugs = rank_drugs_by_sample(scores.targets, scores.contributions)
    html = report(scores)
    assert html.count("No drug found: none listed acts against these genes") >= 3
    assert 'id="drug-table"' not in html
    assert 'id="below-table"' in html


def test_screen_evidence_names_studies_with_their_doi(report, make_scores):
    scores = make_scores(full=True)
    found = scores.resistance_genes["gene"] == "HLA-E"
    scores.resistance_genes.loc[found, ["evidence", "evidence_reading"]] = [-0.6, "agrees"]
    html = report(scores)
    table = re.search(r'<table id="evidence-table".*?</table>', html, re.DOTALL)[0]
    row = re.search(r"<tr>(?:(?!<tr>).)*HLA-E.*?</tr>", table, re.DOTALL)[0]
    assert "✓ agrees" in row
    assert 'href="https://doi.org/10.1016/j.immuni.2023.11.008"' in row
    assert "antigen presentation" in row


def test_lineages_stand_beside_the_reference(report, make_scores):
    html = report(make_scores(n=9, full=True))
    table = re.search(r'<table class="ranking spread-table".*?</table>', html, re.DOTALL)[0]
    names = re.findall(r'<bdi class="name">([^<]*)</bdi>', table)
    assert names == ["All samples", "AML", "MM", "BCL"]
    numbers = [
        re.findall(r'class="number[^>]*>([^<]*)<', row) for row in table.split("</tr>")[1:-1]
    ]
    assert [(row[0], row[2]) for row in numbers] == [
        ("9", "40"),
        ("3", "20"),
        ("3", "0"),
        ("0", "20"),
    ]
    assert "Lineages are not known here" in report(make_scores())


def test_covariates_stand_beside_the_lineage(report, make_scores):
    scores = make_scores(n=40, full=True)
    index = scores.table.index
    scores.covariates = pd.DataFrame(
        {"<sex>": np.resize(["M", "F", None], 40), "age": np.arange(40)}, index=index
    )
    html = report(scores)
    table = re.search(r'<table class="ranking spread-table".*?</table>', html, re.DOTALL)[0]
    assert re.findall(r'scope="rowgroup"[^>]*>([^<]*)<', table) == ["lineage", "&lt;sex&gt;", "age"]
    rows = re.findall(r'<bdi class="name">([^<]*)</bdi>.*?class="number">(\d+)<', table, re.DOTALL)
    # numbers are cut into thirds; who has no label stands in no group
    assert rows[4:] == [
        ("M", "14"),
        ("F", "13"),
        ("up to 12", "13"),
        ("12 to 25", "13"),
        ("over 25", "14"),
    ]
    bars = re.findall(r'<p class="bar-name"[^>]*>([^<]*)<', html)
    assert bars == ["lineage", "&lt;sex&gt;", "age"]
    page = pages_of(html)[index[1]]
    assert page.facts["&lt;sex&gt;".replace("&lt;", "<").replace("&gt;", ">")] == "F"


@pytest.mark.slow
def test_of_a_very_large_cohort_the_ends_are_listed_and_every_page_is_there(report, make_scores):
    html = report(make_scores(n=1300, genes=20))
    table = re.search(r'<table id="ranking-table".*?</table>', html, re.DOTALL)[0]
    ranks = [int(rank) for rank in re.findall(r'class="number rank">(\d+)<', table)]
    assert ranks == [*range(1, 101), *range(1201, 1301)]
    assert "all 1,300 are in scores.csv" in html
    assert len(pages_of(html)) == 1300
    shown = embedded(html)
    assert len(shown["samples"]) == len(shown["ranks"]) == 1000
    assert (shown["ranks"][0], shown["ranks"][-1]) == (1, 1300)


def test_killing_curves_are_shown_where_they_were_predicted(report, make_scores):
    plain = report(make_scores())
    assert "killing curves" not in plain
    assert "Viability at E:T" not in plain
    scores = make_scores(full=True, simulated=True)
    errors = CurveErrorFacts(
        ratio=(0.625, 5.0), samples=(60, 60), rmse=(11.2, 21.4), rmse_mean_curve=(13.1, 24.9)
    )
    curves = CurveFacts(
        ratios=(0.625, 5.0), errors=errors, component_used=False, component_skill=SkillFacts()
    )
    scores.provenance = replace(
        scores.provenance,
        model=replace(scores.provenance.model, curves=curves),
        viability=ViabilityFacts(
            effector_target_ratios=(0.625, 5.0), samples_without_a_curve_of_their_area=2
        ),
    )
    html = report(scores)
    section = re.search(r'<section aria-labelledby="curves">.*?</section>', html, re.DOTALL)[0]
    assert "but for 2 samples whose susceptibility no curve can show" in section
    assert section.count('class="watermark"') == 1
    rows = [re.findall(r'class="number[^>]*>([^<]*)<', row) for row in section.split("<tr>")[2:]]
    assert [row[0] for row in rows] == ["0", "0.625", "1.25", "2.5", "5"]
    medians = scores.viability.median()
    assert [row[1] for row in rows] == [f"{value:.0f}" for value in medians]
    assert [row[3:] for row in rows[1:3]] == [["11.2", "13.1"], ["–", "–"]]
    points = re.search(r'<polyline points="([^"]*)"/>\n</svg>', section)[1].split()
    places = np.array([point.split(",") for point in points], dtype=float)
    assert (np.diff(places, axis=0) > 0).all()  # to the right, and down
    name = scores.table["susceptibility"].idxmax()
    own = f"{scores.viability.loc[name, 5]:.0f} %"
    assert pages_of(html)[name].facts["Viability at E:T 5"] == own
    alone = report(make_scores(n=1, full=True))
    section = re.search(r'<section aria-labelledby="curves">.*?</section>', alone, re.DOTALL)[0]
    assert "<polygon" not in section


def test_columns_the_scores_lack_are_left_out(report, make_scores):
    heads = re.findall(r"<th scope=.col.[^>]*>([^<]*)</th>", report(make_scores()))
    assert not {"Score", "Virtual change", "Stability"} & set(heads)
    heads = re.findall(r"<th scope=.col.[^>]*>([^<]*)</th>", report(make_scores(full=True)))
    assert {"Score", "Virtual change", "Driver probability"} <= set(heads)


def test_every_table_says_what_it_shows(report, make_scores):
    html = report(make_scores(full=True))
    for name in re.findall(r'<table id="([a-z-]+)-table"', html):
        before = html[: html.index(f'<table id="{name}-table"')]
        assert before.rfind('<p class="hint">') > max(before.rfind("<h2"), before.rfind("<h3"))


def test_empty_tables_are_as_good_as_none(report, make_scores):
    full = make_scores(full=True)
    fields = ("targets", "drugs", "sample_drugs", "reference")
    for value in (None, "head"):
        scores = make_scores(full=True)
        for name in fields:
            table = getattr(full, name)
            setattr(scores, name, table.head(0) if value == "head" else None)
        scores.lineage = None
        # looked for and not found is an answer, not looked for is none
        said = "No drug found" if value == "head" else "These scores hold no drugs"
        assert said in report(scores)


def test_no_sample_is_an_error(tmp_path, make_scores):
    scores = make_scores()
    scores.table = scores.table.head(0)
    with pytest.raises(InputError, match="no sample"):
        write_report(scores, tmp_path / "r.html")
    assert not (tmp_path / "r.html").exists()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_an_outcome_is_shown_with_its_curves_and_tests(make_scores, tmp_path, seed):
    pytest.importorskip("statsmodels", reason="the extra 'outcome' is not installed")
    scores = make_scores(n=30, simulated=bool(seed))
    rng = np.random.default_rng(seed)
    time = pd.Series(rng.exponential(100, 30), scores.table.index, name="<days>")
    event = pd.Series(np.arange(30) % 3 > 0, scores.table.index, name="relapse & death")
    lineage = scores.table["lineage"]
    scores.outcome = outcome_association(
        scores.table["susceptibility"], time, event, lineage=lineage, permutations=50
    )
    html = write_report(scores, tmp_path / "report.html").read_text(encoding="utf-8")
    text = " ".join(Page(html).text)
    assert scores.outcome.facts.conclusion in " ".join(text.split())
    assert "relapse & death = True" in " ".join(text.split())
    assert html.count('<polyline class="lowest-third"') == 2  # the key and the curve
    assert "score within lineages" in text
    assert "lineage alone" in text
    assert "<days>" not in html
    axes = plot_survival(scores, save=tmp_path / "survival.svg")
    assert axes.get_xlabel() == "<days>"
    assert len(axes.get_legend().get_texts()) == 3
    assert ("SIMULATED" in (tmp_path / "survival.svg").read_text()) == bool(seed)
    plain = make_scores(n=30)
    with pytest.raises(InputError, match="hold no outcome"):
        plot_survival(plain)
    html = write_report(plain, tmp_path / "plain.html").read_text(encoding="utf-8")
    assert 'id="outcome"' not in html
