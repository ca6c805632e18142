"""Scores held against an outcome in time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nkpredict import outcome_association
from nkpredict.errors import InputError
from nkpredict.facts import OutcomeFacts
from nkpredict.outcome import outcome_of

statsmodels = pytest.importorskip("statsmodels", reason="the extra 'outcome' is not installed")


def cohort(n=90, effect=0.0, lineage_effect=0.0, censored=0.3, seed=0):
    """Scores, times, events and lineages; a positive effect makes events later."""
    rng = np.random.default_rng(seed)
    names = [f"P{i:03d}" for i in range(n)]
    lineage = np.repeat([0.0, 1.0, 2.0], n // 3)
    own = rng.normal(size=n)
    log_time = effect * own + lineage_effect * lineage
    frame = pd.DataFrame(
        {
            "score": own + 2 * lineage,
            "days": np.round(100 * rng.exponential(np.exp(log_time))),
            "relapse": rng.random(n) > censored,
            "lineage": np.array(["a", "b", "c"])[lineage.astype(int)],
        },
        index=names,
    )
    return frame


def associated(frame, **changes):
    given = {"lineage": frame["lineage"], "permutations": 300} | changes
    return outcome_association(frame["score"], frame["days"], frame["relapse"], **given)


@pytest.mark.parametrize(("effect", "word"), [(1.0, "a later"), (-1.0, "an earlier")])
def test_direction_is_said(effect, word):
    found = associated(cohort(effect=effect))
    assert found.facts.says_something
    assert f"Within lineages a higher score went with {word} event" in str(found)
    within = found.table.loc["score within lineages"]
    assert (within["concordance"] > 0.5) == (effect > 0)
    assert (within["hazard_ratio"] < 1) == (effect > 0)
    assert within["lower"] < within["hazard_ratio"] < within["upper"]
    alone = found.table.loc["lineage alone"]
    assert np.isnan(alone["hazard_ratio"])
    assert alone["concordance"] > 0.5


def test_noise_says_nothing():
    found = associated(cohort())
    assert not found.facts.says_something
    assert str(found).startswith("The score says nothing about this outcome here (concordance")
    alone = associated(cohort(), lineage=None)
    assert alone.facts.lineages == 0
    assert list(alone.table.index) == ["score"]
    assert str(alone).startswith("The score says nothing about this outcome here")


def test_lineage_alone_is_not_taken_for_skill():
    frame = cohort(lineage_effect=1.5)
    found = associated(frame)
    assert found.table.loc["score", "p"] < 0.05
    assert not found.facts.says_something
    assert str(found).startswith("Beyond lineage the score says nothing")
    without = associated(frame, lineage=None)
    assert without.facts.says_something
    assert "this may be the lineage alone" in str(without)


def test_few_events_are_too_few():
    frame = cohort(effect=2.0)
    frame["relapse"] = np.arange(len(frame)) % 10 == 0
    found = associated(frame)
    assert found.facts.events == 9
    assert not found.facts.says_something
    assert str(found).startswith("Too few events to say anything about this outcome")
    assert "Only 9 of 90 samples had an event" in found.facts.warnings[0]


def test_a_constant_score_says_nothing():
    found = associated(cohort().assign(score=1.0))
    score = found.table.loc["score"]
    assert score["concordance"] == 0.5
    assert score["p"] == 1.0
    assert np.isnan(score["hazard_ratio"])
    assert len(set(found.survival["group"])) == 1


def test_tests_that_disagree_are_a_hint_at_best():
    # one sample far from all others weighs little in the order and much in Cox's model
    frame = cohort(lineage_effect=1.0, seed=3)
    late = frame.index[-1]
    frame.loc[late, ["score", "days", "relapse"]] = [60.0, 1.0, True]
    found = associated(frame, lineage=None)
    assert found.table.loc["score", "p"] < 0.05
    assert not found.facts.says_something
    assert "The tests disagree" in str(found)


def test_known_values():
    """Kaplan-Meier, concordance and log-rank of a cohort small enough to do by hand."""
    names = list("abcdef")
    time = pd.Series([1, 2, 2, 3, 4, 5], names, name="months")
    event = pd.Series([1, 1, 0, 1, 0, 1], names, name="death")
    scores = pd.Series([0.1, 0.5, 0.2, 0.3, 0.9, 0.6], names)
    found = outcome_association(scores, time, event, permutations=20)
    # events at 1, 2, 3, 5 outlived by 5, 4 (c was censored at 2), 2 and 0 others
    assert found.table.loc["score", "pairs"] == 11
    assert found.table.loc["score", "concordance"] == pytest.approx((5 + 2 + 2) / 11)
    lowest = found.survival[found.survival["group"] == "lowest third"]
    assert lowest["time"].tolist() == [0, 1, 2]
    assert lowest["at_risk"].tolist() == [2, 2, 1]
    assert lowest["without_event"].tolist() == [1, 0.5, 0.5]


def test_log_rank_agrees_with_scipy():
    from scipy import stats

    frame = cohort(effect=1.0)
    frame["score"] = (frame["score"] > frame["score"].median()).astype(float)
    found = associated(frame, lineage=None)
    halves = [
        stats.CensoredData.right_censored(part["days"], ~part["relapse"])
        for _, part in frame.groupby("score")
    ]
    assert found.table.loc["score", "log_rank_p"] == pytest.approx(stats.logrank(*halves).pvalue)


def test_the_same_seed_gives_the_same_numbers_in_any_order_of_columns():
    frame = cohort(effect=0.3)
    first, again = associated(frame), associated(frame)
    pd.testing.assert_frame_equal(first.table, again.table)
    shuffled = outcome_association(
        frame["score"],
        frame["days"].sample(frac=1, random_state=1),
        frame["relapse"].sample(frac=1, random_state=2),
        lineage=frame["lineage"].sample(frac=1, random_state=3),
        permutations=300,
    )
    pd.testing.assert_frame_equal(first.table, shuffled.table)
    assert OutcomeFacts.from_json(first.facts.to_json()) == first.facts


def test_samples_left_out_are_counted():
    frame = cohort().astype({"relapse": object})
    frame.iloc[:4, frame.columns.get_loc("days")] = np.nan
    frame.iloc[2:9, frame.columns.get_loc("relapse")] = None
    found = associated(frame)
    columns = found.facts.columns
    assert (found.facts.samples, columns.without_time, columns.without_event) == (81, 4, 7)
    assert found.facts.warnings == (
        "9 of 90 scored samples have no time or no event and were left out; they need not be "
        "like the others.",
    )


@pytest.mark.parametrize(
    ("event", "spec", "events"),
    [
        (["1", "0", "1", "0"], "t,e", ["1"]),
        ([1.0, 0.0, np.nan, 1.0], "t,e", ["1"]),
        ([True, False, True, False], "t, e", ["True"]),
        (["REL", "CCR", "BMT / REL", "REL"], "t,e=REL|BMT / REL", ["BMT / REL", "REL"]),
        ([1, 2, 2, 1], "t,e=2", ["2"]),
    ],
)
def test_what_counts_as_an_event_is_told(event, spec, events):
    obs = pd.DataFrame({"t": [1, 2, 3, 4], "e": event}, index=list("abcd"))
    outcome = outcome_of(spec, obs)
    assert list(outcome.facts.event_values) == events
    assert outcome.event.sum() == obs["e"].map(str).isin([*events, "1.0"]).sum()


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("t", "does not name two columns; expected TIME,EVENT"),
        ("t,", "does not name two columns"),
        ("months,e", "has no column 'months' for the outcome; it has t, e, words, dates"),
        ("dates,e", "'dates' holds 3 values that are no time \\(1/2/2000, .*such as days"),
        ("yes,e", "'yes' holds 4 values that are no time"),
        ("minus,e", "'minus' is negative for 1 samples \\(b\\)"),
        ("t,words", "'words' holds dead, lost; expected 0 and 1 .* such as words=dead"),
        ("t,words=alive", "'words' holds no 'alive'; it holds dead, lost"),
        ("t,codes", "'codes' holds 2; expected 0 and 1"),
        ("t,never", "None of the 4 samples with a 't' had an event by 'never' \\(it holds 0\\)"),
        ("none,e", "No sample has both a 'none' and a 'e'"),
    ],
)
def test_what_is_not_clear_is_asked(spec, message):
    obs = pd.DataFrame(
        {
            "t": [1, 2, 3, 4],
            "e": [0, 1, 1, 0],
            "words": ["dead", "lost", "dead", None],
            "dates": ["1/2/2000", "1/3/2001", None, "2/2/2002"],
            "yes": [True, False, True, True],
            "minus": [1, -2, 3, 4],
            "codes": [1, 2, 2, 1],
            "never": [0, 0, 0, 0],
            "none": [np.nan] * 4,
        },
        index=list("abcd"),
    )
    with pytest.raises(InputError, match=message):
        outcome_of(spec, obs)


def test_samples_of_another_cohort_are_refused():
    frame = cohort()
    with pytest.raises(InputError, match=r"None of the samples of 'days' .* has a score"):
        outcome_association(frame["score"], frame["days"].add_prefix("x"), frame["relapse"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"score": lambda f: f["score"].where(f.index != "P003")}, r"1 samples .* \(P003\)"),
        ({"score": lambda f: pd.concat([f["score"], f["score"].head(2)])}, "P000, P001"),
        ({"days": lambda f: pd.concat([f["days"], f["days"].head(1)])}, "days name 1 samples more"),
    ],
)
def test_each_sample_needs_one_score_and_one_time(change, message):
    frame = cohort()
    given = {name: frame[name] for name in ("score", "days")}
    given |= {name: make(frame) for name, make in change.items()}
    with pytest.raises(InputError, match=message):
        outcome_association(given["score"], given["days"], frame["relapse"])


def test_p_needs_a_permutation():
    with pytest.raises(InputError, match="permutations is 0; expected a whole number from 1 up"):
        associated(cohort(), permutations=0)


def test_two_samples_are_too_few():
    frame = cohort()
    with pytest.raises(InputError, match="Only 2 of 90 samples have a time and an event"):
        outcome_association(frame["score"], frame["days"].head(2), frame["relapse"] | True)


def test_without_statsmodels_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "statsmodels.duration", None)
    monkeypatch.setitem(__import__("sys").modules, "statsmodels.duration.hazard_regression", None)
    with pytest.raises(InputError, match=r"pip install 'nkpredict\[outcome\]'"):
        associated(cohort())


CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 3), st.floats(), st.sampled_from(["", "NA", "x", "1"])
)


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=8))
def test_any_two_columns_are_read_or_refused(cells):
    obs = pd.DataFrame(cells, columns=["t", "e"], dtype=object)
    try:
        outcome = outcome_of("t,e", obs)
    except InputError:
        return
    assert outcome.event.any()
    assert (outcome.time >= 0).all()
    assert np.isfinite(outcome.time).all()
    assert len(outcome.time) + max(outcome.facts.without_time, outcome.facts.without_event) <= len(
        obs
    )
