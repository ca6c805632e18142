"""Prediction intervals hold the share of new samples that they promise, where and as they can."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from nkpredict import NKSusceptibilityModel, load_bundle, save_bundle
from nkpredict.errors import InputError
from nkpredict.learn import (
    EvidenceRidge,
    HeldOutIntervals,
    ResponseRange,
    ScreenPrior,
    fit_warnings_ignored,
)

COVERAGES = (0.5, 0.8, 0.9)


def drawn(shape: str, rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return predictions and responses whose scatter differs from prediction to prediction."""
    predicted = rng.uniform(0, 1, n)
    if shape == "wider":
        return predicted, predicted + (0.05 + 0.5 * predicted) * rng.normal(size=n)
    if shape == "skewed":
        return predicted, 0.2 * predicted + predicted * rng.exponential(size=n)
    if shape == "in two heaps":
        return predicted, (rng.uniform(size=n) < predicted) + 0.1 * rng.normal(size=n)
    return predicted, rng.standard_cauchy(n)  # the prediction says nothing


def sure(predicted: np.ndarray) -> np.ndarray:
    return np.zeros(len(predicted))


@pytest.mark.slow
@pytest.mark.parametrize("coverage", COVERAGES)
@pytest.mark.parametrize("shape", ["wider", "skewed", "in two heaps", "nothing"])
def test_new_samples_are_covered_whatever_the_distribution(coverage: float, shape: str) -> None:
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(40):
        predicted, observed = drawn(shape, rng, 60)
        new, truth = drawn(shape, rng, 60)
        lower, upper = HeldOutIntervals(observed, predicted).ends(new, sure(new), coverage).T
        covered.append(np.mean((lower <= truth) & (truth <= upper)))
    # an interval holds its prediction, and covers more where that takes it between two heaps
    assert coverage - 0.03 < np.mean(covered) < coverage + 0.05


def test_an_interval_is_wide_where_responses_scatter() -> None:
    rng = np.random.default_rng(1)
    new, widths, covered = np.array([0.1, 0.9]), [], []
    for _ in range(20):
        predicted, observed = drawn("wider", rng, 200)
        lower, upper = HeldOutIntervals(observed, predicted).ends(new, sure(new), 0.9).T
        truth = new + (0.05 + 0.5 * new) * rng.normal(size=(500, 2))
        widths.append(upper - lower)
        covered.append(((lower <= truth) & (truth <= upper)).mean(axis=0))
    narrow, wide = np.mean(widths, axis=0)
    assert wide > 2 * narrow
    assert (np.mean(covered, axis=0) > 0.84).all()


@pytest.mark.parametrize("shape", ["wider", "skewed", "in two heaps", "nothing"])
def test_more_coverage_takes_a_wider_interval_within_the_responses(shape: str) -> None:
    rng = np.random.default_rng(2)
    predicted, observed = drawn(shape, rng, 80)
    new = np.linspace(observed.min(), observed.max(), 30)
    known = HeldOutIntervals(observed, predicted)
    before = np.column_stack([new, new])
    for coverage in (0.05, 0.3, 0.5, 0.8, 0.9, 0.95):
        ends = known.ends(new, sure(new), coverage)
        assert (ends[:, 0] <= before[:, 0]).all()
        assert (ends[:, 1] >= before[:, 1]).all()
        assert ends.min() >= observed.min()
        assert ends.max() <= observed.max()
        before = ends


def test_too_few_samples_give_no_interval() -> None:
    values = np.arange(20.0)
    known = HeldOutIntervals(values, values)
    assert np.isnan(known.ends(values, sure(values), 0.99)).all()
    assert np.isfinite(known.ends(values, sure(values), 0.9)).all()


def test_predictions_that_are_all_alike_give_the_responses_own_quantiles() -> None:
    observed = np.random.default_rng(3).normal(size=99)
    ends = HeldOutIntervals(observed, np.zeros(99)).ends(np.zeros(1), np.zeros(1), 0.9)
    lower, upper = ends[0]
    assert 0.03 < np.mean(observed < lower) < 0.07
    assert 0.02 < np.mean(observed > upper) < 0.06


LINEAGES = 8


@pytest.fixture(scope="module")
def panel(genes: list[str]) -> pd.DataFrame:
    """Expression of 96 samples of eight lineages."""
    rng = np.random.default_rng(4)
    programmes = np.repeat(rng.normal(size=(LINEAGES, len(genes))), 12, axis=0)
    return pd.DataFrame(5 + programmes + rng.normal(size=programmes.shape), columns=genes)


@pytest.fixture(scope="module")
def response(panel: pd.DataFrame) -> pd.Series:
    """Response driven by ten genes, with noise."""
    rng = np.random.default_rng(5)
    return panel.iloc[:, ::12].sum(axis=1) * 0.1 + 0.2 * rng.normal(size=len(panel))


@pytest.fixture(scope="module")
def fitted(panel: pd.DataFrame, response: pd.Series) -> NKSusceptibilityModel:
    return NKSusceptibilityModel().fit(panel, response)


@pytest.fixture(scope="module")
def new(panel: pd.DataFrame) -> pd.DataFrame:
    return panel + np.random.default_rng(6).normal(0, 0.5, panel.shape)


def test_an_interval_does_not_depend_on_the_company(fitted, new) -> None:
    gaps = new.copy()
    gaps.iloc[::2, :40] = np.nan
    together = fitted.predict_interval(gaps)
    for size in (1, 10):
        part = gaps.iloc[:size]
        assert fitted.predict_interval(part).tobytes() == together[:size].tobytes()


def test_missing_genes_make_intervals_wider(fitted, new) -> None:
    strongest = np.argsort(-np.abs(fitted.effect_))
    widths = []
    for missing in (0, 10, 30, 60, 110):
        gaps = new.copy()
        gaps[fitted.feature_names_in_[strongest[:missing]]] = np.nan
        widths.append(np.mean(np.diff(fitted.predict_interval(gaps))))
    assert min(widths) == widths[0]
    assert widths[-1] > 1.05 * widths[0]


def test_a_spread_makes_no_interval_narrower() -> None:
    predicted, observed = drawn("wider", np.random.default_rng(8), 100)
    new, known = np.linspace(-0.2, 1.2, 40), HeldOutIntervals(observed, predicted)
    before = known.ends(new, sure(new), 0.9)
    for spread in (0.05, 0.3, 1.0):
        ends = known.ends(new, np.full(len(new), spread), 0.9)
        assert (ends[:, 0] <= before[:, 0]).all()
        assert (ends[:, 1] >= before[:, 1]).all()


def test_predictions_and_intervals_stay_inside_the_responses(fitted, panel, response) -> None:
    far = panel + 50 * np.sign(fitted.effect_)
    for values in (far, 10 - far, panel):
        predicted, ends = fitted.predict(values), fitted.predict_interval(values)
        for number in (predicted, *ends.T):
            assert number.min() >= response.min()
            assert number.max() <= response.max()
        assert (ends[:, 0] <= predicted).all()
        assert (predicted <= ends[:, 1]).all()
        parts, base = fitted.contributions(values)
        np.testing.assert_allclose(parts.sum(axis=1) + base, predicted, atol=1e-9)


def test_a_gene_changed_alone_changes_the_prediction_as_much(fitted, new) -> None:
    gene = int(np.argmax(np.abs(fitted.effect_)))
    level = np.full(new.shape[1], np.nan)
    level[gene] = fitted.range_[1, gene]
    changed = fitted.predict(new) + fitted.substituted(new, level)[:, gene]
    assert changed.min() >= fitted.response_range_.low
    assert changed.max() <= fitted.response_range_.high


def test_bending_keeps_the_order() -> None:
    values = np.linspace(-20, 20, 4001)
    bent = ResponseRange(0.0, 1.0).bent(values)
    assert (np.diff(bent) > 0).all()
    assert bent.min() > 0
    assert bent.max() < 1
    inside = (values > 0.05) & (values < 0.95)
    np.testing.assert_array_equal(bent[inside], values[inside])
    np.testing.assert_array_equal(ResponseRange(-np.inf, np.inf).bent(values), values)


def test_a_bundle_gives_the_same_intervals(fitted, new, tmp_path) -> None:
    loaded = load_bundle(save_bundle(fitted, tmp_path / "bundle")).model
    for coverage in (0.5, 0.9):
        expected = fitted.predict_interval(new, coverage)
        assert loaded.predict_interval(new, coverage).tobytes() == expected.tobytes()


@pytest.mark.slow
def test_groups_held_out_as_a_whole_are_covered(panel) -> None:
    rng = np.random.default_rng(7)
    lineage = np.repeat(np.arange(LINEAGES), 12)
    # what the lineages are like says nothing of their level: unseen ones cannot be predicted
    response = rng.normal(size=LINEAGES)[lineage] + 0.3 * panel.iloc[:, 0].to_numpy()
    small = NKSusceptibilityModel(learners=[EvidenceRidge()])
    covered, widths = [], {"random": [], "held out": []}
    with fit_warnings_ignored():
        for held_out in range(LINEAGES):
            train, test = lineage != held_out, lineage == held_out
            for folds, groups in (("random", None), ("held out", lineage[train])):
                model = clone(small).fit(panel[train], response[train], groups=groups)
                lower, upper = model.predict_interval(panel[test]).T
                widths[folds].append(np.mean(upper - lower))
            covered.append((lower <= response[test]) & (response[test] <= upper))
    assert np.mean(covered) > 0.75
    assert np.mean(widths["held out"]) > 1.2 * np.mean(widths["random"])


@pytest.mark.parametrize("coverage", [0, 1, -1, 90])
def test_a_coverage_is_a_share(fitted, new, coverage) -> None:
    with pytest.raises(InputError, match=f"coverage is {coverage}; expected a share between"):
        fitted.predict_interval(new, coverage)


def test_without_a_response_nothing_is_known(panel) -> None:
    known = ["B2M", "HLA-E", "ICAM1", "FAS", "BCL2"]
    named = panel.set_axis([*known, *panel.columns[len(known) :]], axis=1)
    assert np.isnan(ScreenPrior().fit(named).predict_interval(named)).all()
