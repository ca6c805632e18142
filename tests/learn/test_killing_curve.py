"""Curves that never rise, have the predicted area and learn their shape."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import spearmanr
from sklearn.base import clone

from nkpredict import KillingCurveModel, read_panel, simulate_study
from nkpredict.errors import InputError
from nkpredict.io import area_under_curve
from nkpredict.learn import (
    EvidenceBoosting,
    EvidenceRidge,
    NKSusceptibilityModel,
    closest_killing_curves,
)

RATIOS = np.array([0, 0.625, 1.25, 2.5, 5])
LEAST_AREA = 0.0625
MODEL = NKSusceptibilityModel(
    learners=[EvidenceRidge(), EvidenceBoosting(trees=20, selected_genes=40)], folds=3
)
CURVES = st.lists(st.floats(-300, 400), min_size=4, max_size=4)
AREAS = st.floats(-0.5, 1.5)


def closest(curve: list[float], area: float) -> pd.DataFrame:
    return closest_killing_curves(pd.DataFrame([curve], columns=RATIOS[1:]), np.array([area]))


def saturating(
    susceptibility: pd.Series, rate: np.ndarray | float, noise: float = 0.0
) -> pd.DataFrame:
    kill = 1 - np.exp(-np.outer(np.broadcast_to(rate, len(susceptibility)), RATIOS))
    most = susceptibility.to_numpy() / (np.trapezoid(kill, RATIOS, axis=1) / 5)
    values = 100 * (1 - most[:, None] * kill)
    values += np.random.default_rng(1).normal(0, noise, values.shape) if noise else 0
    return pd.DataFrame(values, index=susceptibility.index, columns=RATIOS)


@pytest.fixture
def viability(susceptibility: pd.Series) -> pd.DataFrame:
    return saturating(susceptibility.clip(0.02, 0.85), 0.8, noise=3)


@given(curve=CURVES, area=AREAS)
def test_the_closest_curve_never_rises_and_has_the_area(curve: list[float], area: float) -> None:
    found = closest(curve, area)
    values = found.to_numpy()[0]
    assert values[0] == 100
    assert (np.diff(values) <= 0).all()
    assert values[-1] >= 0
    own = area_under_curve(found)["viability_auc"].iloc[0]
    assert own == pytest.approx(np.clip(area, LEAST_AREA, 1), abs=1e-9)


@given(curve=CURVES, area=AREAS)
def test_a_curve_that_fits_already_stays(curve: list[float], area: float) -> None:
    once = closest(curve, area)
    again = closest_killing_curves(once, area_under_curve(once)["viability_auc"].to_numpy())
    np.testing.assert_allclose(again, once, atol=1e-6)


@given(curve=CURVES, area=st.floats(0.1, 0.95))
@settings(max_examples=30)
def test_no_other_curve_is_closer(curve: list[float], area: float) -> None:
    found = closest(curve, area).to_numpy()[0, 1:]
    fitting = np.full(4, (area - LEAST_AREA) / (1 - LEAST_AREA) * 100)
    constraints = [
        {"type": "ineq", "fun": lambda v: -np.diff(v)},
        {"type": "eq", "fun": lambda v: np.trapezoid(np.r_[100, v], RATIOS) / 500 - area},
    ]
    other = minimize(
        lambda v: ((v - curve) ** 2).sum() / 1e4,
        fitting,
        bounds=[(0, 100)] * 4,
        constraints=constraints,
        method="SLSQP",
    ).x
    assert ((found - curve) ** 2).sum() <= ((other - curve) ** 2).sum() + 0.1


def test_areas_out_of_reach_give_the_end_of_the_range() -> None:
    np.testing.assert_array_equal(closest([90, 80, 70, 60], 1.2), [[100] * 5])
    np.testing.assert_array_equal(closest([90, 80, 70, 60], 0.01), [[100, 0, 0, 0, 0]])


@pytest.mark.parametrize(
    ("columns", "values", "message"),
    [
        ([0.625, 5.0], [50, np.nan], "1 viabilities or areas are missing or infinite"),
        ([0.625, 1.25], [50, 40], "ratios 0, 0.625, 1.25 do not give an area"),
        ([0.625, 10.0], [50, 40], "ratios 0, 0.625, 10 do not give an area"),
    ],
)
def test_curves_without_an_area_are_an_error(
    columns: list[float], values: list[float], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        closest_killing_curves(pd.DataFrame([values], columns=columns), np.array([0.5]))


def test_predicted_curves_keep_the_contract(profiles, viability) -> None:
    viability = viability.mask(np.random.default_rng(0).random(viability.shape) < 0.05)
    viability[[0.0, 5.0]] = viability[[0.0, 5.0]].fillna(100)
    fitted = KillingCurveModel(MODEL).fit(profiles, viability)
    curves = fitted.predict_curve(profiles)
    assert list(curves.columns) == list(RATIOS)
    assert curves.index.equals(profiles.index)
    assert (curves[0.0] == 100).all()
    assert (np.diff(curves, axis=1) <= 0).all()
    np.testing.assert_array_equal(
        fitted.predict(profiles),
        clone(MODEL)
        .fit(profiles, 1 - area_under_curve(viability)["viability_auc"])
        .predict(profiles),
    )
    areas = fitted.predict_area(profiles)
    possible = areas["susceptibility"].between(0, 1 - LEAST_AREA)
    assert possible.sum() > 50
    assert (areas["reachable"] == possible).all()
    area = area_under_curve(curves)["viability_auc"]
    np.testing.assert_allclose(area[possible], 1 - fitted.predict(profiles)[possible], atol=1e-6)


@pytest.mark.slow
def test_a_curve_rests_on_a_model_that_is_fitted_already(profiles, viability) -> None:
    alone = KillingCurveModel(MODEL).fit(profiles, viability)
    model = clone(MODEL).fit(profiles, 1 - area_under_curve(viability)["viability_auc"])
    resting = KillingCurveModel(MODEL).fit(profiles, viability, susceptibility_model=model)
    assert resting.model_ is model
    pd.testing.assert_frame_equal(
        resting.predict_curve(profiles), alone.predict_curve(profiles), check_exact=True
    )


def test_a_model_within_groups_predicts_no_area(profiles, viability, lineage) -> None:
    within = clone(MODEL).set_params(within_groups=True)
    with pytest.raises(InputError, match="differences from the mean of a group"):
        KillingCurveModel(within).fit(profiles, viability, groups=lineage)


@pytest.mark.slow
def test_the_order_of_samples_and_ratios_does_not_matter(profiles, viability) -> None:
    expected = KillingCurveModel(MODEL).fit(profiles, viability).predict_curve(profiles)
    turned = viability.sample(frac=1, random_state=0)[viability.columns[::-1]]
    turned = turned.drop(columns=0.0).assign(control=viability[0.0])
    turned.columns = [*(f"{ratio:g}" for ratio in RATIOS[:0:-1]), "0"]
    fitted = KillingCurveModel(MODEL).fit(profiles, turned)
    pd.testing.assert_frame_equal(fitted.predict_curve(profiles), expected)
    alone = fitted.predict_curve(profiles.iloc[[5]])
    pd.testing.assert_frame_equal(alone, expected.iloc[[5]])


def test_no_killing_predicted_is_a_flat_curve_and_recorded(profiles, susceptibility) -> None:
    growing = saturating(susceptibility - susceptibility.mean(), 0.8)
    fitted = KillingCurveModel(MODEL).fit(profiles, growing)
    areas = fitted.predict_area(profiles)
    below = areas["susceptibility"] < -1e-6
    assert 0 < below.sum() < 60
    assert (fitted.predict_curve(profiles)[below.to_numpy()] == 100).all(axis=None)
    assert (areas.loc[below, "viability_auc"] == 1).all()
    assert (areas["reachable"] == ~below).all()


def test_one_relative_shape_is_found_where_there_is_one(profiles, susceptibility) -> None:
    same = saturating(0.4 + 0.3 * (susceptibility - susceptibility.mean()), 0.8)
    fitted = KillingCurveModel(MODEL).fit(profiles, same)
    killing = 100 - fitted.predict_curve(profiles).iloc[:, 1:]
    relative = killing.div(fitted.predict(profiles), axis=0)
    np.testing.assert_allclose(relative, np.tile(relative.iloc[0], (60, 1)), rtol=1e-4)
    assert fitted.component_model_ is None


def test_shapes_that_follow_the_susceptibility_are_learned(profiles, susceptibility) -> None:
    clipped = susceptibility.clip(0.05, 0.85)
    steep = saturating(clipped, 0.2 + 3 * clipped.to_numpy())
    fitted = KillingCurveModel(MODEL).fit(profiles, steep)
    assert len(fitted.shape_) == 2
    predicted = fitted.predict(profiles)
    relative = (100 - fitted.predict_curve(profiles)[0.625]) / predicted
    # curves cut at 100 % bend the relation, so it is the order that must hold
    assert spearmanr(relative, predicted).statistic > 0.9


def test_a_shape_that_expression_tells_is_predicted(profiles, susceptibility, lineage) -> None:
    test = np.arange(60) % 4 == 0
    rate = lineage.map({"AML": 3.0, "BCL": 0.8, "MM": 0.2}).to_numpy()
    curves = saturating(0.4 + 0.3 * (susceptibility - susceptibility.mean()), rate)
    fitted = KillingCurveModel(MODEL).fit(profiles[~test], curves[~test])
    assert fitted.component_skill_["p"] < 0.05
    predicted = fitted.predict_curve(profiles[test])
    early = (100 - predicted[0.625]) / (100 - predicted[5.0])
    assert early.groupby(lineage[test]).median().is_monotonic_decreasing


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::nkpredict.learn.ChanceSkillWarning")
def test_a_panel_of_a_viability_file_keeps_its_curves(tmp_path: Path) -> None:
    study = simulate_study(tmp_path / "study", n_genes=300, n_patients=1)
    panel = read_panel(study.expression, study.viability, obs=study.lines)
    curves = panel.obsm["viability"]
    assert list(curves.columns) == ["0", "0.625", "1.25", "2.5", "5"]
    assert curves.isna().to_numpy().sum() == 4
    areas = area_under_curve(curves.set_axis(RATIOS, axis=1))["viability_auc"]
    np.testing.assert_allclose(areas, panel.obs["viability_auc"])
    fitted = KillingCurveModel(MODEL).fit(panel, "viability")
    assert fitted.predict_curve(panel).shape == (63, 5)
    panel.write_h5ad(tmp_path / "panel.h5ad")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v.rename(columns={5.0: "NK_5"}), r"1 columns of the viability \(NK_5\)"),
        (lambda v: v.rename(columns={5.0: 10.0}), r"1 columns of the viability \(10\.0\)"),
        (lambda v: v.rename(columns={5.0: "0.625"}), r"1 columns of the viability \(0\.625\)"),
        (lambda v: v.astype(object).where(v != v.iloc[0, 0], "low"), "Viability must be numbers"),
        (lambda v: v.replace(v.iloc[0, 0], np.inf), "1 viabilities are infinite"),
        (lambda v: v.rename(index={"S00": "a"}), r"1 samples have no viability \(S00\)"),
        (lambda v: v.assign(**{"2": np.nan}), r"1 E:T ratios \(2\) are measured in fewer than 5"),
        (lambda v: v.drop("S00").reindex(v.index), r"too few E:T ratios for an area \(S00\)"),
        (lambda v: v.iloc[:, :0], "must be a DataFrame"),
        (lambda v: "viability", "There is no table 'viability'"),
    ],
)
def test_bad_viability_gets_one_clear_sentence(profiles, viability, change, message) -> None:
    with pytest.raises(InputError, match=message):
        KillingCurveModel(MODEL).fit(profiles, change(viability))
