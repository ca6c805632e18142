"""What report and card claim hangs on rows of evidence: a sign turned changes what rests on it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

import nkpredict.evidence._experiments as experiments
from nkpredict import ScreenPrior, score
from nkpredict.explain import explain_scores
from nkpredict.report import write_patient_card, write_report
from tests.scored import pages_of

KNOWN = ["HLA-E", "B2M", "ICAM1", "CD58", "FAS", "HLA-C"]
TURNED = {"protects": "sensitizes", "sensitizes": "protects"}
BLOCKS = {"p", "li", "td", "th", "dt", "dd", "h1", "h2", "h3", "summary", "caption", "footer"}
# Sentences that claim nothing: how to read the page, and what it must not be used for.
READING = re.compile(
    r"For research use only|Compare a sample with|Percentile of this cohort|Lineages are not known|"
    r"Score ranks samples by|How reliable is it|\* An experiment|Hypotheses for the laboratory|"
    r"A shift between platforms|inside the reference domain|"
    # advice of the verdict, whose reasons stand below it
    r"Compare these samples with each other|Each number may be read|Compare the averages of groups|"
    r"Draw no conclusion|The score rests on published experiments alone"
)


class Sentences(HTMLParser):
    """Text of each block of a page, in order, with its links; the details apart."""

    def __init__(self, html):
        super().__init__()
        self.blocks, self.first_look, self._silent = [""], None, 0
        self.links = [[]]
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        if tag in ("script", "style", "svg"):
            self._silent += 1
        if dict(attrs).get("id") == "details":
            self.first_look = len(self.blocks)
        if tag in BLOCKS:
            self.blocks.append("")
            self.links.append([])
        if tag == "a":
            self.links[-1].append(dict(attrs)["href"])

    def handle_endtag(self, tag):
        if tag in ("script", "style", "svg"):
            self._silent -= 1

    def handle_data(self, data):
        if not self._silent:
            self.blocks[-1] += data

    def texts(self):
        return [" ".join(block.split()) for block in self.blocks]


@pytest.fixture(scope="module")
def scores():
    rng = np.random.default_rng(4)
    genes = [*KNOWN, *(f"GENE{i}" for i in range(60))]
    shared = rng.normal(size=(80, 4)) @ rng.normal(size=(4, len(genes)))
    values = 5 + 0.5 * shared + rng.normal(size=(80, len(genes)))
    cohort = pd.DataFrame(values, columns=genes, index=[f"P{i}" for i in range(80)])
    prior = ScreenPrior().fit(cohort.iloc[:40])
    lower = cohort.iloc[40:].copy()
    lower[["HLA-E", "B2M", "HLA-C"]] += 1.5
    lower[["ICAM1", "CD58"]] -= 1.5
    return explain_scores(score(lower, prior))


def turn(monkeypatch, row):
    """Turn the sign of one row of the experiments, as another edition of the table would."""
    table = experiments.known_experiments()
    table.loc[row, "direction"] = TURNED[table.loc[row, "direction"]]
    monkeypatch.setattr(experiments, "_experiments", lambda: table)


def changed(before, after):
    assert len(before) == len(after)
    return [(one, other) for one, other in zip(before, after, strict=True) if one != other]


@pytest.mark.slow
@pytest.mark.parametrize("gene", ["ICAM1", "HLA-E"])
def test_one_sign_turned_changes_the_report_where_it_rests_on_it(
    scores, gene, monkeypatch, tmp_path
):
    first = write_report(scores, tmp_path / "one.html").read_text()
    table = experiments.known_experiments()
    rows = table[table["gene"] == gene]
    turn(monkeypatch, rows.index[0])
    second = write_report(scores, tmp_path / "two.html").read_text()
    before, after = Sentences(first).texts(), Sentences(second).texts()
    ((said, now),) = changed(before, after)
    place = before.index(said)
    # the cell stands in the row of this gene, beside the study whose sign was turned
    assert gene in before[place - len(KNOWN) - 1 : place]
    assert rows.iloc[0]["study"] in said
    words = [re.findall("protects|sensitizes", text) for text in (said, now)]
    assert len(changed(*words)) == 1
    assert re.sub("protects|sensitizes", "", said) == re.sub("protects|sensitizes", "", now)
    assert pages_of(first) == pages_of(second)


@pytest.mark.slow
@pytest.mark.parametrize("gene", ["ICAM1", "HLA-E"])
def test_one_sign_turned_changes_the_card_where_it_rests_on_it(scores, gene, monkeypatch, tmp_path):
    name = scores.table.index[0]
    first = write_patient_card(scores.sample(name), tmp_path / "one.html").read_text()
    table = experiments.known_experiments()
    for row in table.index[table["gene"] == gene]:
        turn(monkeypatch, row)
    second = write_patient_card(scores.sample(name), tmp_path / "two.html").read_text()
    before, after = Sentences(first).texts(), Sentences(second).texts()
    lost = [text for text in before if text not in after]
    new = [text for text in after if text not in before]
    (cell,) = (text for text in lost if re.match(r"(protects|sensitizes) \(", text))
    assert before[before.index(cell) - 4] == gene
    # every other one names the gene, or gave its place to a sentence that does
    naming = [text for text in (*lost, *new) if gene in text]
    for text in (*lost, *new):
        if not re.match(r"(protects|sensitizes) \(", text):
            assert any(one.split()[:3] == text.split()[:3] for one in naming), text


def test_every_sentence_of_the_first_look_has_a_number_or_a_source(scores, tmp_path):
    page = Sentences(write_report(scores, tmp_path / "r.html").read_text())
    ids = set(re.findall(r'id="([^"]+)"', (tmp_path / "r.html").read_text()))
    for text, links in zip(
        page.texts()[1 : page.first_look], page.links[1 : page.first_look], strict=True
    ):
        if not text.endswith("."):
            continue  # a heading or a cell
        assert all(link[1:] in ids for link in links)
        if not links:
            sentences = re.split(r"(?<=[.?]) (?=[A-Z])", text)
            assert any(re.search(r"\d", one) or READING.search(one) for one in sentences), text


def test_the_first_look_is_short(scores, tmp_path):
    page = Sentences(write_report(scores, tmp_path / "r.html").read_text())
    words = " ".join(page.texts()[1 : page.first_look]).split()
    assert len(words) <= 600
