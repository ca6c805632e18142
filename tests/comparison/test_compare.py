"""Two cohorts on one scale: ways in, what comes out, and when it means nothing."""

from __future__ import annotations

import json
from dataclasses import replace

import anndata
import numpy as np
import pandas as pd
import pytest

from nkpredict import CohortComparison, NKSusceptibilityModel, compare, explain_scores, score
from nkpredict.comparison import COMPARABLE, MEANINGLESS, WITH_CARE
from nkpredict.comparison._verdict import verdict_of
from nkpredict.errors import InputError
from nkpredict.facts import CohortFacts, ComparisonFacts, ModelFacts, Verdict
from nkpredict.registry import Bundle, save_bundle
from nkpredict.report import write_results
from nkpredict.testing import toy_panel
from nkpredict.vocabulary import VerdictLevel

pytestmark = pytest.mark.slow

PANEL = toy_panel()
NEW = np.arange(60) % 2 == 0
COHORT = PANEL.profiles[NEW]
SENSITIVE = PANEL.susceptibility[NEW] > PANEL.susceptibility[NEW].median()
A, B = COHORT[SENSITIVE], COHORT[~SENSITIVE]
LINEAGES = (PANEL.lineage[A.index], PANEL.lineage[B.index])


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    model = NKSusceptibilityModel(evidence=PANEL.evidence).fit(
        PANEL.profiles[~NEW], PANEL.susceptibility[~NEW]
    )
    folder = tmp_path_factory.mktemp("compare") / "bundle"
    return save_bundle(model, folder, ModelFacts(name="toy"))


@pytest.fixture(scope="module")
def comparison(bundle) -> CohortComparison:
    return compare(A, B, bundle, lineage=LINEAGES, names=("sensitive", "resistant"))


def test_cohorts_that_differ_are_told_apart_with_the_genes_that_do_it(comparison) -> None:
    table = comparison.differences
    assert list(table.index) == ["all samples", "within lineages", "AML", "BCL", "MM"]
    assert table.loc["all samples", "superiority_lower"] > 0.5
    assert table.loc["within lineages", "p"] < 0.05
    assert comparison.genes.head(3)["gene"].isin(PANEL.drivers).sum() >= 2
    difference = comparison.genes["difference"].sum()
    means = comparison.samples.groupby("cohort")["score"].mean()
    assert difference == pytest.approx(means["sensitive"] - means["resistant"])
    words = " ".join(comparison.sentences())
    assert "sensitive (15 samples): median" in words
    assert "Within lineages" in words
    assert "Genes that make the difference" in words


def test_it_is_shown_in_a_notebook_without_markup_of_names(bundle) -> None:
    shown = compare(A, B, bundle, names=("<b>x</b>", "other"))._repr_html_()
    assert "<b>x</b>" not in shown
    assert "&lt;b&gt;x" in shown
    assert "Verdict" in shown


def test_what_is_saved_is_whole_and_the_same_every_time(comparison, tmp_path) -> None:
    one, two = comparison.save(tmp_path / "one"), comparison.save(tmp_path / "two")
    names = {path.name for path in one.iterdir()}
    assert names == {
        "differences.csv",
        "genes.csv",
        "samples.csv",
        "comparison.json",
        "cohorts.png",
        "cohorts.svg",
        "genes.png",
        "genes.svg",
    }
    assert all((one / name).read_bytes() == (two / name).read_bytes() for name in names)
    content = json.loads((one / "comparison.json").read_text("utf-8"))
    facts = ComparisonFacts.from_json(content)
    assert facts.verdict == comparison.facts.verdict
    assert len(pd.read_csv(one / "samples.csv")) == 30
    comparison.save(one)
    (one / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match=r"no comparison \(mine.txt\).*nothing was written"):
        comparison.save(one)
    with pytest.raises(InputError, match="is a file"):
        comparison.save(one / "mine.txt")


def test_files_folders_of_results_and_scores_are_the_same_cohort(bundle, tmp_path) -> None:
    A.to_csv(tmp_path / "a.csv")
    results = write_results(explain_scores(score(A, bundle)), tmp_path / "scored")
    expected = compare(A, B, bundle).differences
    for source in (
        tmp_path / "a.csv",
        str(results),
        score(A, bundle),
        explain_scores(score(A, bundle)),
    ):
        found = compare(source, B, bundle).differences
        pd.testing.assert_frame_equal(found, expected, rtol=1e-4)
    again = compare(results, results)
    assert again.facts.first.name == "scored (first)"
    assert again.facts.differences[0].superiority == 0.5
    assert "15 samples are in both cohorts" in " ".join(again.facts.reasons)


def test_the_reference_of_the_model_is_the_second_cohort(bundle) -> None:
    found = compare(A, "reference", bundle)
    assert found.facts.second.name == "training samples, held out"
    assert found.facts.second.samples == 30
    assert (found.genes["mean_b"] == 0).all()
    with pytest.raises(InputError, match="turn the two round"):
        compare("reference", A, bundle)


def test_simulated_cohorts_are_marked_everywhere(bundle, tmp_path) -> None:
    simulated = A.set_axis([f"SIM-{name}" for name in A.index])
    found = compare(simulated, B, bundle)
    assert found.simulated
    assert found.sentences()[0].startswith("SIMULATED")
    folder = found.save(tmp_path / "marked")
    for name in ("differences", "genes", "samples"):
        assert (pd.read_csv(folder / f"{name}.csv")["note"] == "SIMULATED").all()
    assert "SIMULATED" in (folder / "cohorts.svg").read_text("utf-8")


def test_profiles_under_the_names_of_other_genes_are_said_to_mean_nothing() -> None:
    levels = np.linspace(0, 40, len(B.columns))  # as genes have, each its own
    model = NKSusceptibilityModel().fit(PANEL.profiles[~NEW] + levels, PANEL.susceptibility[~NEW])
    other = (B + levels).set_axis(np.random.default_rng(0).permutation(B.columns), axis=1)
    found = compare(A + levels, other, Bundle(model, ModelFacts(name="m")), names=("a", "b"))
    assert found.facts.verdict == MEANINGLESS
    assert "lies outside the domain of the model" in found.facts.reasons[0]


def verdict(level: VerdictLevel, reason: str) -> Verdict:
    return Verdict(level=level, sentence="", reasons=(reason, "Another reason."))


ARRAY, RNA_SEQ = "arrays", "RNA-seq"
GOOD = CohortFacts(
    name="A",
    samples=20,
    technology=ARRAY,
    verdict=verdict(VerdictLevel.ABSOLUTE, ""),
    outside=0.0,
    novelty=0.8,
    weight_coverage=1.0,
)
WEAK = verdict(VerdictLevel.GROUPS, "The model is weak.")
USELESS = verdict(VerdictLevel.NOT_AT_ALL, "Only force gives them a score.")


@pytest.mark.parametrize(
    ("first", "second", "expected", "words"),
    [
        ({}, {}, COMPARABLE, ""),
        ({"technology": None}, {"technology": None}, COMPARABLE, ""),
        ({"technology": RNA_SEQ}, {}, MEANINGLESS, "A was measured by RNA-seq and B was measured"),
        ({"technology": None}, {}, MEANINGLESS, "A is of no known platform and B was measured by"),
        ({"technology": RNA_SEQ, "bridged": True}, {}, WITH_CARE, "moved to one platform"),
        ({"relative": True}, {}, MEANINGLESS, "A was mapped as a whole"),
        ({"outside": 0.9}, {}, MEANINGLESS, "90% of A lies outside"),
        ({}, {"outside": 0.9}, MEANINGLESS, "90% of B lies outside"),
        ({"verdict": WEAK}, {"verdict": WEAK}, WITH_CARE, "A and B: The model is weak."),
        ({"outside": 0.4}, {}, COMPARABLE, ""),
        ({}, {"verdict": USELESS}, MEANINGLESS, "B: Only force gives them a score."),
        ({"weight_coverage": 0.7}, {}, WITH_CARE, "70% of the model's weight"),
        ({"own_reference": 3}, {}, WITH_CARE, "3 of the 20 samples of A"),
    ],
)  # fmt: skip
def test_the_verdict_follows_what_scoring_knows(first, second, expected, words) -> None:
    found, reasons = verdict_of(
        replace(GOOD, **first),
        replace(GOOD, name="B", **second),
        knowledge_only=False,
        by_lineage=False,
    )
    assert found == expected
    assert words in " ".join(reasons)
    assert bool(reasons) == (expected != COMPARABLE)


def test_knowledge_alone_asks_for_lineages() -> None:
    both = GOOD, replace(GOOD, name="B")
    assert verdict_of(*both, knowledge_only=True, by_lineage=False)[0] == WITH_CARE
    assert verdict_of(*both, knowledge_only=True, by_lineage=True)[0] == COMPARABLE


def test_lineages_that_one_cohort_lacks_are_named(bundle) -> None:
    labels = LINEAGES[0].rename("lineage").to_frame()
    profiles = anndata.AnnData(A, obs=labels)
    found = compare(profiles, "reference", bundle, lineage="lineage")
    assert "The lineages of training samples, held out are not known" in " ".join(
        found.facts.reasons
    )
    assert "within lineages" not in found.differences.index
    with pytest.raises(InputError, match="no 'lineage' among the annotations"):
        compare(profiles, B, bundle, lineage="lineage")


def test_what_cannot_be_compared_is_refused(bundle, tmp_path) -> None:
    with pytest.raises(InputError, match="has 2 samples; a comparison needs 3"):
        compare(A[:2], B, bundle)
    other = NKSusceptibilityModel().fit(PANEL.profiles, PANEL.susceptibility)
    results = write_results(
        explain_scores(score(A, Bundle(other, ModelFacts(name="other")))), tmp_path / "scored"
    )
    with pytest.raises(InputError, match=r"was scored with other .* with toy .* one model"):
        compare(results, B, bundle)
    with pytest.raises(InputError, match="a folder of results holds none"):
        compare(results, B, bundle, lineage=LINEAGES)
    (results / "contributions.parquet").unlink()
    with pytest.raises(InputError, match="does not hold whole results"):
        compare(results, B, bundle)
