"""Every cohort gets a verdict in words, with its reasons."""

from __future__ import annotations

import json
from copy import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nkpredict import NKSusceptibilityModel, score
from nkpredict.errors import InputError
from nkpredict.explain import explain_scores
from nkpredict.facts import ScoringFacts
from nkpredict.learn import EvidenceRidge
from nkpredict.report import write_report
from nkpredict.scoring import inspect_profiles
from nkpredict.shipped import shipped_path
from nkpredict.vocabulary import Platform, VerdictLevel


@pytest.fixture(scope="module")
def levels() -> pd.DataFrame:
    """Four hundred genes of the shipped table that every platform has."""
    table = pd.read_csv(shipped_path("reference", "platform_levels.csv.gz"))
    times = table["gene"].value_counts()
    genes = sorted(times.index[times == table["platform"].nunique()])[::7][:400]
    return table[table["gene"].isin(genes)].set_index("gene")


def cohort(
    levels: pd.DataFrame,
    platform: str,
    seed: int,
    n: int = 12,
    spread: float = 1.0,
    on: str = "",
) -> pd.DataFrame:
    """Profiles as a platform, or ``on="array_"`` an array, reads them, around published levels."""
    own = levels[levels["platform"] == platform]
    noise = np.random.default_rng(seed).normal(size=(n, len(own)))
    values = own[f"{on}level"].to_numpy() + spread * noise * own[f"{on}spread"].to_numpy()
    return pd.DataFrame(8 + 2 * values, [f"P{i}" for i in range(n)], own.index)


@pytest.fixture(scope="module")
def model(levels: pd.DataFrame) -> NKSusceptibilityModel:
    other = cohort(levels, Platform.RNA_SEQ, 10, 20, on="array_")
    lines = pd.concat([cohort(levels, Platform.ARRAY, 0, 60), other])
    lines.index = [f"L{number}" for number in range(len(lines))]
    response = lines.iloc[:, [3, 40, 77]].sum(axis=1)
    return NKSusceptibilityModel(learners=[EvidenceRidge()], folds=3).fit(
        lines, 0.5 + 0.1 * (response - response.mean()) / response.std()
    )


def with_skill(model: NKSusceptibilityModel, spearman: float, p: float) -> NKSusceptibilityModel:
    other = copy(model)
    other.skill_ = {"spearman": spearman, "p": p}
    return other


@pytest.fixture
def skilled(model: NKSusceptibilityModel) -> NKSusceptibilityModel:
    return with_skill(model, 0.6, 1e-6)


def test_samples_of_the_models_own_platform_may_be_read_by_themselves(levels, skilled) -> None:
    scores = score(cohort(levels, Platform.ARRAY, 1), skilled)
    assert scores.verdict.level is VerdictLevel.ABSOLUTE
    assert "by itself" in scores.verdict.sentence
    assert (scores.table["platform"] == Platform.ARRAY).all()
    assert not scores.table["flags"].str.contains("other_platform").any()


@pytest.mark.parametrize(
    ("platform", "said"),
    [
        (Platform.RNA_SEQ, "moved to the model's platform"),
        (Platform.RNA_SEQ_PATIENTS, "12 profiles are of patients"),
        (Platform.OLD_ARRAY_PATIENTS, "no sample is known that was measured by both"),
    ],
)
def test_another_platform_is_no_other_biology(levels, skilled, platform: str, said: str) -> None:
    profiles = cohort(levels, platform, 2, spread=0.3)
    scores = score(profiles, skilled)
    assert (scores.table["platform"] == platform).all()
    assert scores.table["flags"].str.contains("other_platform").all()
    assert scores.table["in_domain"].mean() > 0.5
    without = copy(skilled)
    without.platforms_ = None
    assert (without.novelty(profiles) > scores.table["novelty"]).all()
    assert scores.verdict.level is VerdictLevel.RANKING
    assert said in " ".join(scores.verdict.reasons)


def test_another_biology_on_the_models_platform_is_refused_in_words(levels, skilled) -> None:
    own = levels[levels["platform"] == Platform.ARRAY]
    foreign = cohort(levels, Platform.ARRAY, 3)
    moved = np.random.default_rng(4).random(len(own)) < 0.15
    foreign.loc[:, moved] += 8 * np.sign(np.random.default_rng(5).normal(size=moved.sum()))
    scores = score(foreign, skilled)
    assert (scores.table["platform"] == Platform.ARRAY).all()
    assert scores.verdict.level is VerdictLevel.NOT_AT_ALL
    assert "another tissue, wrong gene names or damaged data" in scores.verdict.reasons[0]


def test_one_patient_of_another_platform_cannot_be_ranked(levels, skilled) -> None:
    company = score(cohort(levels, Platform.RNA_SEQ_PATIENTS, 6), skilled)
    alone = score(cohort(levels, Platform.RNA_SEQ_PATIENTS, 6).iloc[[4]], skilled)
    pd.testing.assert_frame_equal(alone.table, company.table.iloc[[4]], check_exact=True)
    assert alone.verdict.level is VerdictLevel.NOT_AT_ALL
    assert alone.verdict.reasons[0].startswith("One sample cannot be ranked")


@pytest.mark.parametrize(
    ("spearman", "p", "level", "said"),
    [
        (0.05, 0.4, VerdictLevel.NOT_AT_ALL, "no better than chance"),
        (0.2, 0.01, VerdictLevel.GROUPS, "The model is weak"),
    ],
)
def test_a_model_is_worth_its_skill(levels, model, spearman, p, level, said) -> None:
    scores = score(cohort(levels, Platform.ARRAY, 1), with_skill(model, spearman, p))
    assert scores.verdict.level is level
    assert said in scores.verdict.reasons[0]
    few = score(cohort(levels, Platform.ARRAY, 1, n=3), with_skill(model, spearman, p))
    assert few.verdict.level is VerdictLevel.NOT_AT_ALL


def test_force_and_the_models_own_samples_are_told(levels, skilled) -> None:
    own = score(cohort(levels, Platform.ARRAY, 0, 60), skilled)
    assert own.verdict.level is VerdictLevel.RANKING
    assert "this is no test of it" in own.verdict.reasons[0]
    few = cohort(levels, Platform.ARRAY, 1).iloc[:, ::9]
    forced = score(few, skilled, force=True)
    assert forced.verdict.level is VerdictLevel.NOT_AT_ALL
    assert "only force gives them a score" in forced.verdict.reasons[0]


def test_knowledge_alone_ranks(levels) -> None:
    verdict = score(
        pd.read_parquet(shipped_path("reference").parent / "examples" / "chiaretti_all.parquet"),
        "screen-prior",
    ).verdict
    assert verdict.level is VerdictLevel.RANKING
    assert "published experiments alone" in verdict.reasons[0]


def test_the_verdict_is_written_and_read(levels, skilled, tmp_path: Path) -> None:
    profiles = cohort(levels, Platform.RNA_SEQ, 7)
    facts = score(profiles, skilled).provenance
    again = ScoringFacts.from_json(json.loads(json.dumps(facts.to_json())))
    assert again.verdict == facts.verdict
    assert again.platform == facts.platform
    assert facts.platform.bridged == len(profiles)
    profiles.to_csv(tmp_path / "p.csv")
    looked_at = inspect_profiles(tmp_path / "p.csv", skilled)
    assert looked_at.usable == score(tmp_path / "p.csv", skilled).verdict
    assert replace(looked_at.platform, model=()) == replace(facts.platform, model=())


def test_patients_unlike_those_known_are_compared_as_groups(levels, skilled) -> None:
    foreign = cohort(levels, Platform.RNA_SEQ_PATIENTS, 8)
    moved = np.random.default_rng(9).random(foreign.shape[1]) < 0.15
    foreign.loc[:, moved] = foreign.loc[:, moved].to_numpy()[:, ::-1] + 3
    scores = score(foreign, skilled)
    assert not scores.table["in_domain"].any()
    assert scores.verdict.level is VerdictLevel.GROUPS
    assert "another disease, tissue or way of measuring" in scores.verdict.reasons[0]


def test_the_report_begins_with_it(levels, skilled, tmp_path: Path) -> None:
    scores = explain_scores(score(cohort(levels, Platform.RNA_SEQ, 2, spread=0.3), skilled))
    page = write_report(scores, tmp_path / "report.html").read_text()
    verdict = page.index("Verdict: usable for ranking within this cohort")
    assert verdict < page.index("The cohort")
    assert page.count(scores.verdict.sentence) == 1


def test_a_cohort_mapped_as_a_whole_is_ordered_alike_and_says_that_it_is_relative(
    levels: pd.DataFrame, model: NKSusceptibilityModel, tmp_path: Path
) -> None:
    profiles = cohort(levels, Platform.ARRAY, 3, 30)
    shift = np.random.default_rng(5).normal(0, 4, profiles.shape[1])
    plain = score(profiles, model)
    relative = score(profiles + shift, model, cohort=True)
    own, after = (s.table["susceptibility"] for s in (plain, relative))
    assert own.corr(after, method="spearman") > 0.95
    unmoved = score(profiles, model, cohort=True).table["susceptibility"]
    assert after.mean() == pytest.approx(unmoved.mean(), abs=0.01)
    assert relative.verdict.level in (VerdictLevel.RANKING, VerdictLevel.GROUPS)
    assert any("relative to this cohort" in reason for reason in relative.verdict.reasons)
    assert relative.table["flags"].str.contains("relative_to_cohort").all()
    assert relative.table[["lower", "upper"]].isna().all(axis=None)
    assert relative.provenance.warnings[0].startswith("RELATIVE TO THIS COHORT")
    assert ScoringFacts.from_json(relative.provenance.to_json()).relative_to_cohort
    assert not plain.table["flags"].str.contains("relative").any()
    explained = explain_scores(relative)
    parts = explained.contributions
    base = relative.bundle.model.contributions(relative.profiles)[1]
    np.testing.assert_allclose(parts.sum(axis=1) + base, after, atol=1e-9)
    report = write_report(explained, tmp_path / "report.html").read_text()
    assert "RELATIVE TO THIS COHORT" in report


def test_a_small_cohort_is_not_mapped_as_a_whole(
    levels: pd.DataFrame, model: NKSusceptibilityModel
) -> None:
    profiles = cohort(levels, Platform.ARRAY, 3, 9)
    with pytest.raises(InputError, match="has 9 samples; mapping a cohort as a whole takes 10"):
        score(profiles, model, cohort=True)
    assert len(score(profiles, model).table) == 9


def test_genes_that_few_of_a_cohort_have_count_as_missing(
    levels: pd.DataFrame, model: NKSusceptibilityModel
) -> None:
    profiles = cohort(levels, Platform.ARRAY, 3, 12)
    profiles.iloc[:8, 5] = np.nan
    relative = score(profiles, model, cohort=True)
    assert np.isnan(relative.profiles.values[:, relative.profiles.given.genes.get_loc(
        profiles.columns[5])]).all()  # fmt: skip
    assert np.isfinite(relative.table["susceptibility"]).all()
