"""A fitted model carried over to a laboratory by a few lines that were measured there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.stats import spearmanr
from scipy.stats import t as student_t
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted

from nkpredict.errors import InputError
from nkpredict.facts import CalibrationGainFacts
from nkpredict.features import Profiles, ProfilesLike
from nkpredict.learn._gene_model import GeneModel
from nkpredict.learn._harmonised import HarmonisedProfiles
from nkpredict.learn._response_range import ResponseRange
from nkpredict.learn._rising_line import LinePrior, RisingLine
from nkpredict.types import BoolArray, FloatArray

# What is set by hand here was tried on pairs of laboratories, see docs/decisions/022.
FEWEST_LINES = 5
"""Own lines that a calibration needs."""
LARGEST_FALLING = 0.1
"""Probability of a falling line from which own lines contradict a model."""
_SLOPE_SD = 0.5  # of the slope, in slopes
_LEVEL_SD = 1.0  # of the level, in standard deviations of the response
_NOISE_WEIGHT = 4.0  # lines that the model's own error is worth
_SLOPES = (0.25, 1.5)  # between which a model's response rises with its held-out predictions
_RATIOS = (0.25, 4.0)  # of the spreads of two responses in one unit
_SPREADS = (0.25, 4.0)  # of one interval beside the others of a model


@dataclass(frozen=True)
class _Scale:
    """How a model's response goes with its held-out predictions; None where it has learned none."""

    level: float
    sd: float
    slope: float
    noise: float


class CalibratedModel(RegressorMixin, GeneModel):
    """A fitted model whose predictions are shifted and stretched to a laboratory's own response.

    The response of own lines is regressed on the model's predictions by a straight line that
    rises, with a prior around the model's own slope and error and a wide one for the level; nothing
    about genes is fitted again, so the order of samples, percentiles and novelty stay those of the
    model, and contributions are stretched by the slope. Intervals hold what is not known of the
    line and the scatter about it, which is spread over the samples as the model's own intervals
    are.

    Parameters
    ----------
    model
        Fitted; it stays as it is, also when this estimator is cloned.
    same_unit
        Whether the own response has the unit of the model's. Otherwise the unit becomes that of the
        own response, and the prior is on its scale.

    Attributes
    ----------
    line_ : RisingLine
        Own response on the model's prediction minus ``centre_``.
    centre_ : float
        Mean of the model's reference predictions.
    typical_width_ : float
        Root mean square of half the width of the model's intervals of the own lines; NaN when it
        has none.
    gain_ : CalibrationGainFacts
        What the lines bought.
    lines_ : pandas.DataFrame
        Own lines: ``measured``, ``uncalibrated`` prediction of the model, and ``left_out``, the
        prediction of a calibration that had not seen the line. Not kept in a bundle.

    Notes
    -----
    `predict_interval` is that of the posterior predictive distribution, with Student's t; where the
    model's own interval is wider than its others, or longer on one side, so is this.

    A model of published knowledge alone has no scale: the prior of its slope is centred at 0 before
    falling lines are excluded, and own lines alone have to show that it rises.
    """

    line_: RisingLine
    centre_: float
    typical_width_: float
    gain_: CalibrationGainFacts
    lines_: pd.DataFrame

    def __init__(self, model: GeneModel | None = None, same_unit: bool = False) -> None:
        self.model = model
        self.same_unit = same_unit

    def __sklearn_clone__(self) -> Self:
        """Return an unfitted copy that calibrates the same model."""
        return type(self)(self.model, self.same_unit)

    def fit(self, X: ProfilesLike | HarmonisedProfiles, y: Any) -> Self:
        """Calibrate with own lines.

        Parameters
        ----------
        X
            Lines × genes. Lines that the model was trained on are recognised and count with the
            prediction it made while they were held out.
        y
            Their response in the laboratory, higher = killed more easily.

        Raises
        ------
        InputError
            When there are fewer than 5 lines, response or predictions do not vary, or the lines
            contradict the model.
        """
        model = self.fitted_model
        prepared = model.prepare(X)
        target = prepared.given.target(y)
        predicted, held_out, seen = _unseen_predictions(model, prepared)
        _check(target, predicted)
        self._take_over(model)
        scale, x, sd = _scale_of(model), predicted - self.centre_, float(target.std(ddof=1))
        ratio = sd / scale.sd if scale else np.nan
        same_unit = self.same_unit and bool(_RATIOS[0] <= ratio <= _RATIOS[1])
        below, above = self._sides(prepared, fitting=True)
        spread = (below + above) / 2

        def line(points: BoolArray, mean: float) -> RisingLine:
            prior = _prior(model, scale, mean, sd, same_unit)
            return RisingLine.through(x[points], target[points], prior, spread[points])

        every, others = np.ones(len(x), dtype=bool), (target.sum() - target) / (len(x) - 1)
        self.line_, nothing = line(every, target.mean()), line(~every, target.mean())
        left_out = np.array(
            [
                line(np.arange(len(x)) != row, mean).at(x[[row]])[0]
                for row, mean in enumerate(others)
            ]
        )
        self.lines_ = pd.DataFrame(
            {"measured": target, "uncalibrated": predicted, "left_out": left_out},
            index=prepared.samples,
        )
        self.gain_ = CalibrationGainFacts(
            lines=len(x),
            lines_held_out=held_out,
            lines_seen=seen,
            same_unit=same_unit,
            level_shift=float((target - predicted).mean()) if same_unit else np.nan,
            slope=self.line_.slope,
            falling=self.line_.falling,
            spearman=float(spearmanr(predicted, target).statistic),
            error_calibrated=_error(target - left_out),
            error_own_mean=_error(target - others),
            error_uncalibrated=_error(target - predicted) if same_unit else np.nan,
            width_own_mean=_width_of_mean(sd, len(x)),
            width_before=self._width(nothing) if same_unit else np.nan,
            width_after=self._width(self.line_),
        )
        _require_support(self.gain_)
        self._scale_up()
        return self

    def predict(self, X: ProfilesLike | HarmonisedProfiles) -> FloatArray:
        """Predict the response of each sample in the laboratory, shape (n_samples,)."""
        check_is_fitted(self)
        return self.line_.at(self.fitted_model.predict(X) - self.centre_)

    def contributions(self, X: ProfilesLike | HarmonisedProfiles) -> tuple[pd.DataFrame, float]:
        """Split each prediction into parts of its genes; see `GeneModel.contributions`."""
        check_is_fitted(self)
        parts, base = self.fitted_model.contributions(X)
        return parts * self.line_.slope, float(self.line_.at(np.array(base - self.centre_)))

    def substituted(self, X: ProfilesLike | HarmonisedProfiles, level: FloatArray) -> FloatArray:
        """Change of the prediction if one gene alone had another level, samples × genes."""
        check_is_fitted(self)
        return self.line_.slope * self.fitted_model.substituted(X, level)

    def weight_coverage(self, X: ProfilesLike | HarmonisedProfiles) -> FloatArray:
        """Share of the model's weight on genes measured in each sample."""
        check_is_fitted(self)
        return self.fitted_model.weight_coverage(X)

    def restored(
        self, line: RisingLine, centre: float, typical_width: float, gain: CalibrationGainFacts
    ) -> Self:
        """Put the calibration together again from what was stored of it."""
        self._take_over(self.fitted_model)
        self.line_, self.centre_, self.typical_width_, self.gain_ = (
            line,
            centre,
            typical_width,
            gain,
        )
        self._scale_up()
        return self

    @property
    def fitted_model(self) -> GeneModel:
        """The model that is calibrated.

        Raises
        ------
        InputError
            When it is none, or calibrated itself.
        NotFittedError
            When it is not fitted.
        """
        if not isinstance(self.model, GeneModel) or isinstance(self.model, CalibratedModel):
            raise InputError(
                f"A {type(self.model).__name__} was given to calibrate; expected a fitted model, "
                "such as NKSusceptibilityModel or ScreenPrior, that is not calibrated already."
            )
        check_is_fitted(self.model)
        return self.model

    def _take_over(self, model: GeneModel) -> None:
        """Take what a calibration leaves as it is."""
        self.core_, self.weights_, self.range_ = model.core_, model.weights_, model.range_
        self.feature_names_in_, self.n_features_in_ = model.feature_names_in_, model.n_features_in_
        self.novelty_, self.evidence_, self.skill_ = model.novelty_, model.evidence_, model.skill_
        # that it compares samples of one group alone stays true
        self.offsets_ = getattr(model, "offsets_", None)
        self.platforms_ = model.platforms_
        self.centre_ = float(model.reference_.mean())

    def _scale_up(self) -> None:
        """Set what is in the unit of the prediction."""
        model = self.fitted_model
        self.effect_ = self.line_.slope * model.effect_
        self.reference_ = self.line_.at(model.reference_ - self.centre_)
        # a line has no end
        self.response_range_ = ResponseRange(-np.inf, np.inf)

    def _width(self, line: RisingLine) -> float:
        """Mean width of the 90 % interval of samples like the reference samples."""
        x = self.fitted_model.reference_ - self.centre_
        return float(2 * line.half_width(x, np.ones(len(x)), 0.9).mean())

    def _interval(self, prepared: HarmonisedProfiles, coverage: float) -> FloatArray:
        x = self.fitted_model.predict(prepared) - self.centre_
        predicted = self.line_.at(x)
        down, up = (self.line_.half_width(x, side, coverage) for side in self._sides(prepared))
        return np.column_stack([predicted - down, predicted + up])

    def _compared(self, harmonised: FloatArray) -> Profiles:
        return self.fitted_model._compared(harmonised)

    def _standardised(self, prepared: HarmonisedProfiles) -> Profiles:
        return self.fitted_model._standardised(prepared)

    def _sides(
        self, prepared: HarmonisedProfiles, fitting: bool = False
    ) -> tuple[FloatArray, FloatArray]:
        """How far the model's intervals reach down and up, beside those of the own lines."""
        model = self.fitted_model
        predicted, (lower, upper) = model.predict(prepared), model.predict_interval(prepared).T
        if fitting:
            self.typical_width_ = _error((upper - lower) / 2)
        if not self.typical_width_ > 0:
            usual = np.ones(len(predicted))
            return usual, usual
        # a model may know nothing of a single sample
        down, up = (
            np.nan_to_num(np.clip(side / self.typical_width_, *_SPREADS), nan=1.0)
            for side in (predicted - lower, upper - predicted)
        )
        return down, up


def _unseen_predictions(
    model: GeneModel, prepared: HarmonisedProfiles
) -> tuple[FloatArray, int, int]:
    """Predict own lines, training samples as they were held out; count those, and those not."""
    predicted = model.predict(prepared)
    known = model.novelty_.known_as(model._standardised(prepared))
    if known is None or model.knowledge_only:
        return predicted, 0, 0
    seen = int((known >= 0).sum())
    held_out: pd.DataFrame | None = getattr(model, "held_out_", None)
    if held_out is None:
        return predicted, 0, seen
    return np.where(known >= 0, held_out["predicted"].to_numpy()[known], predicted), seen, 0


def _check(target: FloatArray, predicted: FloatArray) -> None:
    if len(target) < FEWEST_LINES:
        raise InputError(
            f"Found {len(target)} own lines with a response; a calibration needs {FEWEST_LINES} at "
            "least, and 10 to 20 that differ in their response are better. Measure more lines, or "
            "use the model as it is to rank samples."
        )
    for values, what in ((target, "response"), (predicted, "model's prediction")):
        if np.ptp(values) <= 1e-9 * max(1.0, float(np.abs(values).max())):
            raise InputError(
                f"The {what} is the same for all {len(values)} own lines; expected lines that "
                "differ, sensitive and resistant ones."
            )


def _require_support(gain: CalibrationGainFacts) -> None:
    if gain.falling > LARGEST_FALLING:
        raise InputError(
            f"The {gain.lines} own lines contradict the model: with a probability of "
            f"{gain.falling:.2f} (at most {LARGEST_FALLING:g} is accepted) their response falls "
            f"where its prediction rises (Spearman {gain.spearman:.2f}). Check the direction of "
            "the response and the names of the lines; if both are right, the model is not for this "
            "assay."
        )
    if gain.error_calibrated >= gain.error_own_mean:
        raise InputError(
            f"The {gain.lines} own lines do not support the model: each left out in turn, it is "
            f"predicted no better than by the mean of the others (error "
            f"{gain.error_calibrated:.3g} against {gain.error_own_mean:.3g}, Spearman "
            f"{gain.spearman:.2f}). Measure more lines, best sensitive and resistant ones, or take "
            "their mean for every sample."
        )


def _scale_of(model: GeneModel) -> _Scale | None:
    held_out: pd.DataFrame | None = getattr(model, "held_out_", None)
    if held_out is None:
        return None
    observed, predicted = (held_out[name].to_numpy() for name in ("observed", "predicted"))
    spread = predicted.var()
    slope = float(np.cov(observed, predicted, bias=True)[0, 1] / spread) if spread else 0.0
    slope = float(np.clip(slope, *_SLOPES))
    left = observed - observed.mean() - slope * (predicted - predicted.mean())
    return _Scale(float(observed.mean()), float(observed.std()), slope, _error(left))


def _prior(
    model: GeneModel, scale: _Scale | None, mean: float, sd: float, same_unit: bool
) -> LinePrior:
    """Return the prior of the line; in another unit it is as wide as the own response."""
    if scale is None:  # no response was learned, so there is neither slope nor error
        reference = float(model.reference_.std())
        return LinePrior(mean, 2 * sd, 0.0, _SLOPE_SD * sd / reference, sd, _NOISE_WEIGHT)
    ratio = 1.0 if same_unit else sd / scale.sd
    slope = ratio * scale.slope
    level, level_sd = (scale.level, _LEVEL_SD * scale.sd) if same_unit else (mean, 2 * sd)
    return LinePrior(level, level_sd, slope, _SLOPE_SD * slope, ratio * scale.noise, _NOISE_WEIGHT)


def _width_of_mean(sd: float, count: int) -> float:
    """Width of the 90 % interval of a new sample when nothing is known but the mean."""
    return float(2 * student_t.ppf(0.95, count - 1) * sd * np.sqrt(1 + 1 / count))


def _error(residuals: FloatArray) -> float:
    return float(np.sqrt(np.mean(np.square(residuals))))
