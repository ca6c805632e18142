"""A model carried over to a laboratory: what changes, what stays, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import linregress
from sklearn.base import clone

from nkpredict import CalibratedModel, NKSusceptibilityModel, ScreenPrior, load_bundle, save_bundle
from nkpredict.errors import BundleError, InputError
from nkpredict.explain import knockout
from nkpredict.learn._rising_line import LinePrior, RisingLine
from nkpredict.testing import toy_panel

PANEL = toy_panel()
TRAINED = np.arange(60) % 3 != 0
NEW = PANEL.profiles[~TRAINED]
OWN, REST = NEW.iloc[:10], NEW.iloc[10:]
LABORATORY = 20 + 50 * PANEL.susceptibility
WIDE = LinePrior(0.0, 1e3, 1.0, 1e3, 1.0, 4.0)


@pytest.fixture(scope="module")
def model() -> NKSusceptibilityModel:
    return NKSusceptibilityModel(evidence=PANEL.evidence).fit(
        PANEL.profiles[TRAINED], PANEL.susceptibility[TRAINED]
    )


@pytest.fixture(scope="module")
def calibrated(model) -> CalibratedModel:
    return CalibratedModel(model).fit(OWN, LABORATORY[OWN.index])


def test_the_level_and_the_unit_become_the_laboratorys(model, calibrated) -> None:
    error = LABORATORY[REST.index] - calibrated.predict(REST)
    assert np.sqrt(np.mean(error**2)) < 0.7 * LABORATORY[REST.index].std()
    assert abs(error.mean()) < 8
    shifted = 0.4 + 0.6 * PANEL.susceptibility
    same = CalibratedModel(model, same_unit=True).fit(OWN, shifted[OWN.index])
    before, after = (abs((shifted[REST.index] - one.predict(REST)).mean()) for one in (model, same))
    assert after < before / 2
    assert same.gain_.same_unit
    assert same.gain_.error_calibrated < same.gain_.error_own_mean
    assert same.gain_.width_after < same.gain_.width_before


def test_order_percentiles_novelty_and_genes_stay_those_of_the_model(model, calibrated) -> None:
    np.testing.assert_array_equal(
        np.argsort(calibrated.predict(REST)), np.argsort(model.predict(REST))
    )
    np.testing.assert_array_equal(calibrated.novelty(REST), model.novelty(REST))
    np.testing.assert_array_equal(calibrated.recognised(NEW), model.recognised(NEW))
    np.testing.assert_array_equal(
        calibrated.percentile(calibrated.predict(REST)), model.percentile(model.predict(REST))
    )
    np.testing.assert_array_equal(calibrated.weight_coverage(REST), model.weight_coverage(REST))
    slope = calibrated.gain_.slope
    changes = [knockout(one, REST).changes for one in (calibrated, model)]
    np.testing.assert_allclose(changes[0], slope * changes[1], atol=1e-9)
    np.testing.assert_allclose(calibrated.effect_, slope * model.effect_)


def test_contributions_are_stretched_and_still_add_up(model, calibrated) -> None:
    parts, base = calibrated.contributions(REST)
    np.testing.assert_allclose(parts.sum(axis=1) + base, calibrated.predict(REST), atol=1e-9)
    np.testing.assert_allclose(parts, calibrated.gain_.slope * model.contributions(REST)[0])


def test_calibrating_changes_nothing_in_the_model(model) -> None:
    before = model.predict(REST)
    one = CalibratedModel(model)
    one.fit(OWN, LABORATORY[OWN.index])
    np.testing.assert_array_equal(model.predict(REST), before)
    copy = clone(one)
    assert copy.model is model
    assert not hasattr(copy, "line_")


def test_a_prepared_profile_serves_model_and_calibration(model, calibrated) -> None:
    prepared = model.prepare(REST)
    np.testing.assert_array_equal(calibrated.predict(prepared), calibrated.predict(REST))
    alone = [calibrated.predict_interval(REST.iloc[[row]])[0] for row in range(len(REST))]
    np.testing.assert_array_equal(calibrated.predict_interval(REST), alone)


def test_intervals_are_finite_hold_the_response_and_grow_with_the_coverage(calibrated) -> None:
    lower, upper = calibrated.predict_interval(NEW).T
    assert np.isfinite(lower).all()
    assert np.isfinite(upper).all()
    assert LABORATORY[NEW.index].between(lower, upper).mean() >= 0.8
    narrow = np.ptp(calibrated.predict_interval(NEW, coverage=0.5), axis=1)
    assert (narrow < upper - lower).all()
    with pytest.raises(InputError, match="coverage is 90; expected a share"):
        calibrated.predict_interval(NEW, coverage=90)


def test_an_interval_is_wide_where_that_of_the_model_is(model) -> None:
    class Uneven(NKSusceptibilityModel):
        def predict_interval(self, X, coverage=0.9):
            predicted = self.predict(X)
            wide = np.asarray(self.prepare(X).samples == REST.index[0])
            nothing = np.asarray(self.prepare(X).samples == REST.index[1])
            up = np.where(nothing, np.nan, np.where(wide, 0.6, 0.2))
            return np.column_stack([predicted - 0.2, predicted + up])

    uneven = Uneven()
    uneven.__dict__.update(vars(model))
    one = CalibratedModel(uneven).fit(OWN, LABORATORY[OWN.index])
    lower, upper = one.predict_interval(REST).T
    predicted = one.predict(REST)
    assert np.isfinite(upper).all()
    assert upper[0] - predicted[0] > 2 * (predicted[0] - lower[0])
    assert upper[2] - predicted[2] == pytest.approx(predicted[2] - lower[2])


def test_more_lines_leave_less_unknown_of_the_line(model) -> None:
    few = CalibratedModel(model).fit(NEW.iloc[:6], LABORATORY[NEW.index[:6]])
    many = CalibratedModel(model).fit(NEW, LABORATORY[NEW.index])
    unknown = [one.line_.covariance[0, 0] / one.line_.noise_variance for one in (few, many)]
    assert unknown[1] < unknown[0] / 2
    assert many.gain_.lines == len(NEW)


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (-LABORATORY, "contradict the model: with a probability of 1.00"),
        (LABORATORY * 0 + 3, "response is the same for all 10 own lines"),
    ],
    ids=["reversed", "constant"],
)
def test_lines_that_do_not_fit_the_model_are_refused(model, response, words) -> None:
    with pytest.raises(InputError, match=words):
        CalibratedModel(model).fit(OWN, response[OWN.index])


def test_lines_that_say_nothing_are_mostly_refused(model) -> None:
    refused = 0
    for seed in range(20):
        noise = np.random.default_rng(seed).normal(size=len(OWN))
        try:
            CalibratedModel(model).fit(OWN, noise)
        except InputError:
            refused += 1
    assert refused >= 12


def test_too_few_lines_are_told_what_is_needed(model) -> None:
    with pytest.raises(InputError, match=r"Found 4 own lines .* needs 5 at least, and 10 to 20"):
        CalibratedModel(model).fit(OWN[:4], LABORATORY[OWN.index[:4]])


def test_only_a_fitted_uncalibrated_model_is_calibrated(calibrated) -> None:
    for wrong, name in ((None, "NoneType"), (calibrated, "CalibratedModel")):
        with pytest.raises(InputError, match=f"A {name} was given to calibrate"):
            CalibratedModel(wrong).fit(OWN, LABORATORY[OWN.index])


def test_training_lines_count_with_the_prediction_made_without_them(model) -> None:
    seen = PANEL.profiles[TRAINED].iloc[[30, 3, 12, 21, 8, 17]]
    renamed = seen.set_axis([f"line {row}" for row in range(6)])
    one = CalibratedModel(model).fit(renamed, LABORATORY[seen.index].to_numpy())
    assert one.gain_.lines_held_out == 6
    held_out = model.held_out_["predicted"].loc[seen.index]
    np.testing.assert_array_equal(one.lines_["uncalibrated"], held_out)
    assert "held out" in " ".join(one.gain_.sentences())


def test_a_response_far_from_the_models_scale_is_another_unit(model) -> None:
    one = CalibratedModel(model, same_unit=True).fit(OWN, LABORATORY[OWN.index])
    assert not one.gain_.same_unit
    assert np.isnan(one.gain_.error_uncalibrated)
    assert "another unit" in " ".join(one.gain_.sentences())


def test_another_unit_changes_nothing_but_the_unit(model, calibrated) -> None:
    turned = CalibratedModel(model).fit(OWN, LABORATORY[OWN.index] / 1000 - 7)
    np.testing.assert_allclose(turned.predict(REST), calibrated.predict(REST) / 1000 - 7)
    np.testing.assert_allclose(
        turned.predict_interval(REST), calibrated.predict_interval(REST) / 1000 - 7
    )


def test_a_calibrated_model_comes_back_from_its_bundle_to_the_last_bit(
    calibrated, tmp_path
) -> None:
    folder = save_bundle(calibrated, tmp_path / "bundle")
    back = load_bundle(folder).model
    assert isinstance(back, CalibratedModel)
    for ask in ("predict", "predict_interval", "novelty", "weight_coverage"):
        np.testing.assert_array_equal(getattr(back, ask)(REST), getattr(calibrated, ask)(REST))
    pd.testing.assert_frame_equal(back.contributions(REST)[0], calibrated.contributions(REST)[0])
    assert back.gain_ == calibrated.gain_ or np.isnan(back.gain_.error_uncalibrated)
    assert "Calibrated to a laboratory" in (folder / "card.md").read_text("utf-8")


def test_a_damaged_calibration_is_told(calibrated, tmp_path) -> None:
    import hashlib
    import json

    folder = save_bundle(calibrated, tmp_path / "bundle")
    damaged = json.dumps({"line": {}}).encode()
    (folder / "calibration.json").write_bytes(damaged)
    manifest = json.loads((folder / "bundle.json").read_text("utf-8"))
    manifest["sha256"]["calibration.json"] = hashlib.sha256(damaged).hexdigest()
    (folder / "bundle.json").write_text(json.dumps(manifest), "utf-8")
    with pytest.raises(BundleError, match="parts of the calibration do not fit"):
        load_bundle(folder)


def test_published_knowledge_gets_a_unit_from_own_lines() -> None:
    prior = ScreenPrior(evidence=PANEL.evidence).fit(PANEL.profiles)
    one = CalibratedModel(prior).fit(OWN, LABORATORY[OWN.index])
    assert np.isfinite(one.predict_interval(REST)).all()
    assert LABORATORY.min() - 20 < one.predict(REST).mean() < LABORATORY.max() + 20
    assert not one.knowledge_only
    with pytest.raises(InputError, match="contradict the model"):
        CalibratedModel(prior).fit(OWN, -LABORATORY[OWN.index])


def test_a_line_through_many_points_is_that_of_least_squares() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=400)
    y = 3 + 2 * x + rng.normal(size=400)
    line, exact = RisingLine.through(x, y, WIDE, np.ones(400)), linregress(x, y)
    assert line.slope == pytest.approx(exact.slope, abs=1e-3)
    assert line.level == pytest.approx(exact.intercept, abs=1e-3)
    assert np.sqrt(line.covariance[1, 1]) == pytest.approx(exact.stderr, rel=0.02)
    assert line.noise_variance == pytest.approx(1, rel=0.15)


def test_the_moments_are_those_of_the_posterior_summed_on_a_grid() -> None:
    """Level is summed out by hand; slope and noise lie on a grid."""
    x, y = np.array([-1.0, -0.5, 0.1, 0.6, 1.2]), np.array([0.9, 0.2, 0.5, 0.3, 0.8])
    prior = LinePrior(0.3, 0.8, 0.5, 0.4, 0.5, 4.0)
    slopes, variances = np.linspace(1e-4, 4, 800), np.geomspace(0.005, 20, 800)
    b, s = np.meshgrid(slopes, variances, indexing="ij")
    precision = (prior.noise / np.array([prior.level_sd, prior.slope_sd])) ** 2
    residual = y - b[..., None] * x
    weight = len(x) + precision[0]
    level = (residual.sum(axis=-1) + precision[0] * prior.level) / weight
    squares = (
        (residual**2).sum(axis=-1)
        + precision[0] * prior.level**2
        - weight * level**2
        + precision[1] * (b - prior.slope) ** 2
        + prior.noise_weight * prior.noise**2
    )
    # points and slope have a factor s^-1/2 each; d log s takes one power of s
    density = np.exp(-squares / (2 * s)) * s ** (-(len(x) + 1 + prior.noise_weight) / 2)
    density /= density.sum()
    line = RisingLine.through(x, y, prior, np.ones(5))
    assert line.slope == pytest.approx((density * b).sum(), rel=0.01)
    assert line.level == pytest.approx((density * level).sum(), rel=0.01)
    assert line.noise_variance == pytest.approx((density * s).sum(), rel=0.02)
    slope_sd = np.sqrt((density * b**2).sum() - (density * b).sum() ** 2)
    assert np.sqrt(line.covariance[1, 1]) == pytest.approx(slope_sd, rel=0.03)


def test_a_line_never_falls() -> None:
    x = np.linspace(-1, 1, 8)
    line = RisingLine.through(x, -x, LinePrior(0, 1, 1, 0.5, 1, 4), np.ones(8))
    assert line.slope > 0
    assert line.falling > 0.1
