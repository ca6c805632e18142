"""What report and command line say about genes: no more than is known."""

from __future__ import annotations

import re
from html import unescape

import numpy as np
import pandas as pd
import pytest

from nkpredict import GeneEvidence, NKSusceptibilityModel, ScreenPrior, score
from nkpredict.evidence import gene_evidence
from nkpredict.explain import explain_scores
from nkpredict.facts import ModelFacts, ResponseFacts, ScoringFacts, TrainingFacts
from nkpredict.registry import Bundle
from nkpredict.report import gene_sentences, write_report
from nkpredict.report._gene_tables import resistance_table
from tests.scored import pages_of

KNOWN = ["HLA-E", "B2M", "ICAM1", "CD58", "JAK1", "HLA-C"]


@pytest.fixture(scope="module")
def cohort() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    genes = [*KNOWN, *(f"GENE{i}" for i in range(60))]
    shared = rng.normal(size=(80, 4)) @ rng.normal(size=(4, len(genes)))
    values = 5 + 0.5 * shared + rng.normal(size=(80, len(genes)))
    return pd.DataFrame(values, columns=genes, index=[f"P{i}" for i in range(80)])


@pytest.fixture(scope="module")
def response(cohort: pd.DataFrame) -> pd.Series:
    rng = np.random.default_rng(5)
    signal = cohort["ICAM1"] + cohort["CD58"] - cohort["HLA-E"] + cohort["GENE7"]
    return (0.5 + 0.05 * (signal - signal.mean()) + rng.normal(0, 0.03, 80)).rename("response")


@pytest.fixture(scope="module")
def prior(cohort: pd.DataFrame) -> ScreenPrior:
    return ScreenPrior().fit(cohort.iloc[:50])


@pytest.fixture(scope="module")
def others(cohort: pd.DataFrame) -> pd.DataFrame:
    """Samples that are low against the reference: much HLA class I, little ICAM1 and CD58."""
    shifted = cohort.iloc[50:].copy()
    shifted[["HLA-E", "B2M", "HLA-C"]] += 1.5
    shifted[["ICAM1", "CD58"]] -= 1.5
    return shifted


def text_of(scores, tmp_path) -> str:
    html = write_report(scores, tmp_path / "r.html").read_text()
    body = re.sub("<(script|style).*?</(script|style)>", "", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub("<[^>]*>", " ", body)).split())


def section(scores, tmp_path, name: str) -> str:
    html = write_report(scores, tmp_path / "r.html").read_text()
    return re.search(rf'<section aria-labelledby="{name}">.*?</section>', html, re.DOTALL)[0]


def test_two_lists_named_for_what_they_compare(prior, others, tmp_path) -> None:
    scores = explain_scores(score(others, prior))
    assert set(scores.resistance_genes["reading"]) == {"against the reference"}
    assert set(scores.separating_genes["reading"]) == {"separating these samples"}
    assert (scores.resistance_genes["mean_contribution"] < 0).all()
    told = scores.provenance.explanation
    assert told.against_reference.genes == len(scores.resistance_genes)
    assert told.separating.reading == "separating these samples"
    genes = section(scores, tmp_path, "resistance")
    assert "Against the reference" in genes
    assert "What separates these samples" in genes
    against, separating, _ = gene_sentences(scores)
    assert "associated with a lower screen score of this cohort, against the average" in against
    assert "HLA-E*" in against
    own = (scores.resistance_genes.query("clear")["evidence"] != 0).sum()
    assert re.search(rf"{own} of the \d+ genes listed have evidence of their own", against)
    assert "separate the third of these samples with the lowest screen score" in separating


def test_a_score_from_evidence_alone_shows_no_agreement(prior, others, tmp_path) -> None:
    scores = explain_scores(score(others, prior))
    text = text_of(scores, tmp_path)
    assert "taken from published experiments" in text
    assert not re.search(r"screens agree|✓ agrees|agrees, used", text)
    assert "that genes agree with them proves nothing" in text
    # the sources are those of the evidence, and its line is told
    rest = gene_sentences(scores)[-1]
    first, *more = gene_evidence().provenance.studies
    assert first in rest
    assert f"and {len(more) - 3} more studies" in rest
    assert "Dufva" not in rest
    assert "tumour lines, against" in rest
    table = section(scores, tmp_path, "resistance")
    assert '<th scope="col" >Tumour line' in table.replace("  ", " ")
    assert "goes with" not in table


@pytest.mark.slow
def test_training_with_evidence_is_said_to_build_agreement_in(
    cohort, response, others, tmp_path
) -> None:
    model = NKSusceptibilityModel(gene_evidence()).fit(cohort.iloc[:50], response.iloc[:50])
    scores = explain_scores(score(others, model))
    told = scores.provenance.explanation
    assert told.evidence_role == "used in training"
    assert 0 < told.genes_agreeing <= told.genes_compared <= len(KNOWN)
    text = text_of(scores, tmp_path)
    assert f"its way for {told.genes_agreeing} of the {told.genes_compared} that it uses" in text
    assert "agreement is partly built in" in text
    assert "agrees, used in training" in text
    bare = NKSusceptibilityModel().fit(cohort.iloc[:50], response.iloc[:50])
    bare = explain_scores(score(others, bare))
    assert set(bare.resistance_genes["evidence_reading"]) == {"no evidence"}
    sentences = " ".join(gene_sentences(bare))
    assert "none is shown to cause it" in sentences
    assert "evidence of their own" not in sentences
    assert "*" not in sentences
    assert "goes with resistance" in section(bare, tmp_path, "resistance")


def test_the_reference_itself_is_not_compared_with_itself(prior, cohort, tmp_path) -> None:
    own = explain_scores(score(cohort.iloc[:50], prior))
    assert own.provenance.own_reference == 50
    text = text_of(own, tmp_path)
    assert "model's own reference: novelty and percentiles say nothing about them" in text
    assert "All profiles are of the model's own reference profiles" in text
    assert "resemble the reference" not in text
    assert "on average no gene lowers them against it" in text
    html = (tmp_path / "r.html").read_text()
    for page in pages_of(html).values():
        assert "percentile and its novelty say nothing" in page.words
    assert resistance_table(own) is None
    assert len(own.separating_genes)
    # a part of the reference may differ from all of it
    part = explain_scores(score(cohort.iloc[:20], prior))
    assert "on average no gene lowers" not in " ".join(gene_sentences(part))


@pytest.mark.slow
def test_few_samples_are_not_separated(prior, others, tmp_path) -> None:
    scores = explain_scores(score(others.iloc[:5], prior))
    assert scores.separating_genes.empty
    assert scores.provenance.explanation.separating is None
    assert "they are fewer than six" in text_of(scores, tmp_path)
    one = explain_scores(score(others.iloc[[0]], prior))
    against, *_ = gene_sentences(one)
    assert "of this sample, against" in against


def test_missing_genes_are_told_by_the_kind_of_model(prior, cohort, response, tmp_path) -> None:
    lacking = cohort.iloc[50:].drop(columns=["ICAM1", "GENE3"])
    known = text_of(explain_scores(score(lacking, prior)), tmp_path)
    assert "counts as average" not in known
    assert "count as average" not in known
    assert "spoken for by the genes it moves with" in known
    assert "genes they move with in the reference speak for those that have evidence" in known
    model = NKSusceptibilityModel().fit(cohort.iloc[:50], response.iloc[:50])
    assert "counts as average" in text_of(explain_scores(score(lacking, model)), tmp_path)


def test_another_platform_is_named_as_a_cause_of_the_list(cohort, others) -> None:
    levels = np.random.default_rng(0).normal(0, 8, cohort.shape[1])
    prior = ScreenPrior().fit(cohort.iloc[:50] + levels)
    scores = explain_scores(score(others + levels[::-1], prior))
    assert scores.table["in_domain"].mean() < 0.5
    assert "a shift between platforms alone can make such a list" in gene_sentences(scores)[0]


def test_a_response_of_a_table_is_not_called_killing(cohort, response, others, tmp_path) -> None:
    model = NKSusceptibilityModel().fit(cohort.iloc[:50], response.iloc[:50])
    facts = ResponseFacts(format="simple table", target="Venetoclax", offset=1.0, slope=-1.0)
    bundle = Bundle(model, ModelFacts(name="m", training=TrainingFacts(response=facts)))
    text = text_of(explain_scores(score(others, bundle)), tmp_path)
    assert "Susceptibility report: Venetoclax" in text
    assert "killed more easily than" not in text
    assert "is predicted to be more sensitive" in text or "less sensitive" in text
    assert "natural killer cells are predicted to kill" not in text


def test_drugs_of_a_sample_go_by_what_lowers_this_sample(prior, cohort) -> None:
    scores = explain_scores(score(cohort.iloc[:50], prior))
    assert len(scores.sample_drugs)
    for row in scores.sample_drugs.itertuples():
        for gene in row.genes.split("; "):
            assert scores.contributions.loc[row.sample, gene] < 0


def test_lines_of_evidence_are_counted_where_there_are_several(cohort, others) -> None:
    evidence = gene_evidence()
    table = evidence.table.assign(lines="K562", effectors="primary NK")
    table.loc[["HLA-E", "CD58"], "lines"] = "K562; MM1S"
    table.loc["ICAM1", "lines"] = "NALM6"
    prior = ScreenPrior(GeneEvidence(table, evidence.provenance)).fit(cohort.iloc[:50])
    scores = explain_scores(score(others, prior))
    told = scores.provenance.explanation
    assert told.genes_of_one_line["NALM6"] == 1
    rest = gene_sentences(scores)[-1]
    assert "comes from 3 tumour lines, against primary NK" in rest
    one = sum(told.genes_of_one_line.values())
    assert f"for {one} of {told.genes_with_lines} genes it comes from one line alone" in rest
    assert ScoringFacts.from_json(scores.provenance.to_json()).explanation == told
