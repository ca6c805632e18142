"""Predict the whole killing curve: % viability at each effector:target ratio."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.optimize import brentq, isotonic_regression
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from nkpredict.errors import InputError, name_some
from nkpredict.features import Profiles, ProfilesLike
from nkpredict.io import MAXIMUM_RATIO, area_under_curve
from nkpredict.learn._harmonised import HarmonisedProfiles
from nkpredict.learn._model import CHANCE_LEVEL, NKSusceptibilityModel, fit_warnings_ignored
from nkpredict.types import FloatArray

UNTREATED = 100.0
"""% viability of the control, to which viability is normalised."""
FEWEST_SAMPLES_A_RATIO = 5
"""Measured samples that a ratio needs for its viability to be learned; set by hand."""
SAME_AREA = 1e-6
"""Areas that differ by no more are taken for the same; set by hand, well above rounding."""
_LARGEST_DEGREE = 2  # a cubic term changed little; see docs/decisions/011


class KillingCurveModel(BaseEstimator):
    """Predict viability at each effector:target ratio, in keeping with the predicted AUC.

    A susceptibility model predicts the area; the curve shares it out over the ratios. The killing
    at each ratio is a function of the susceptibility through 0: linear, which is one relative
    shape for all samples, or quadratic when its leave-one-out error given the measured area is
    lower, because sensitive samples are killed at lower ratios already. What the function leaves
    over is summarised by its first principal component. The component is predicted from
    expression, and used only when held-out predictions of it are better than chance (one-sided
    p ≤ 0.05). The curve is then moved to the closest one that never rises and has the predicted
    area; see `closest_killing_curves`.

    Parameters
    ----------
    model
        Unfitted model of the susceptibility; a clone of it also predicts the component. None
        takes the default settings.

    Attributes
    ----------
    model_ : NKSusceptibilityModel
        Fitted on 1 − viability AUC.
    ratios_ : numpy.ndarray
        E:T ratios of the curve, 0 first.
    shape_ : numpy.ndarray
        Coefficients of the killing in % by power of the susceptibility (1, and 2 if it pays) and
        ratio above 0.
    component_ : numpy.ndarray
        First principal component of the killing given the area, one number a ratio above 0.
    component_model_ : NKSusceptibilityModel or None
        Predicts the samples' scores on the component; None when it is not used.
    component_skill_ : dict
        ``spearman`` of held-out predictions of the scores and its one-sided ``p``; empty when all
        curves have the same shape.

    Notes
    -----
    How far predicted curves were from simulated ones is told in docs/decisions/011.

    Examples
    --------
    >>> from nkpredict import KillingCurveModel
    >>> curves = KillingCurveModel().fit(panel, "viability")  # doctest: +SKIP
    >>> curves.predict_curve(patients)  # doctest: +SKIP
    """

    def __init__(self, model: NKSusceptibilityModel | None = None) -> None:
        self.model = model

    def fit(
        self,
        X: ProfilesLike,
        viability: pd.DataFrame | str,
        groups: Any = None,
        *,
        susceptibility_model: NKSusceptibilityModel | None = None,
    ) -> Self:
        """Fit on samples × genes and their measured curves.

        Parameters
        ----------
        X
            DataFrame or AnnData with gene symbols as columns; NaN marks a missing value.
        viability
            Samples × E:T ratios in % of the control, matched by sample name, NaN where not
            measured; the columns are the ratios as numbers or text. A string names a table of
            ``X.obsm``; `read_panel` keeps it under ``"viability"``.
        groups
            Labels; samples of one group are held out together inside.
        susceptibility_model
            Already fitted on 1 − viability AUC of these samples; the curve rests on it as it is.
            Fitted here when not given.

        Raises
        ------
        InputError
            When ratios cannot be read, repeat or lie outside 0 to 5, a ratio has too few samples,
            a sample has too few ratios for an area, or the model cannot be fitted or learns within
            groups.
        """
        profiles = Profiles.of(X)
        curves = measured_curves(viability, X)
        susceptibility = 1 - _areas(curves)
        killing = UNTREATED - curves.drop(columns=0.0, errors="ignore")
        self.ratios_ = np.r_[0.0, killing.columns.to_numpy(dtype=float)]
        if susceptibility_model is None:
            susceptibility_model = self._unfitted().fit(profiles, susceptibility, groups=groups)
        if susceptibility_model.offsets_ is not None:
            raise InputError(
                "The model learns within groups: it predicts differences from the mean of a group "
                "and no area of a curve. Give a model with within_groups=False."
            )
        self.model_ = susceptibility_model
        measured = killing.to_numpy()
        self.shape_ = _shape(susceptibility, measured)
        leftover = np.nan_to_num(measured - _killing(susceptibility, self.shape_))
        self.component_ = _first_component(leftover)
        self.component_model_, self.component_skill_ = None, {}
        scores = leftover @ self.component_
        if np.ptp(scores) > 1e-6:
            with fit_warnings_ignored():
                # whether the scores can be predicted is the question here
                candidate = self._unfitted().fit(profiles, scores, groups=groups)
            self.component_skill_ = dict(candidate.skill_)
            if self.component_skill_["p"] <= CHANCE_LEVEL:
                self.component_model_ = candidate
        return self

    def prepare(self, X: ProfilesLike | HarmonisedProfiles) -> HarmonisedProfiles:
        """Check, align and harmonise profiles for all that is asked; see `GeneModel.prepare`."""
        check_is_fitted(self)
        return self.model_.prepare(X)

    def predict(self, X: ProfilesLike | HarmonisedProfiles) -> FloatArray:
        """Predict the susceptibility of each sample, 1 − viability AUC, shape (n_samples,)."""
        check_is_fitted(self)
        return self.model_.predict(X)

    def predict_curve(self, X: ProfilesLike | HarmonisedProfiles) -> pd.DataFrame:
        """Predict % viability at each E:T ratio.

        Parameters
        ----------
        X
            Samples × genes.

        Returns
        -------
        pandas.DataFrame
            Samples × ``ratios_``: 100 at ratio 0, never rising, never below 0. The area is 1 −
            `predict` wherever a curve can have it; a susceptibility below 0 gives 100 throughout,
            one above the highest possible (0.9375 for the ratios of the study) gives 0 from the
            first ratio on. `predict_area` says where this happened.
        """
        prepared = X if isinstance(X, HarmonisedProfiles) else self.prepare(X)
        susceptibility = self.predict(prepared)
        killing = _killing(susceptibility, self.shape_)
        if self.component_model_ is not None:
            killing += np.outer(self.component_model_.predict(prepared), self.component_)
        curves = pd.DataFrame(UNTREATED - killing, prepared.samples, columns=self.ratios_[1:])
        return closest_killing_curves(curves, 1 - susceptibility)

    def predict_area(self, X: ProfilesLike | HarmonisedProfiles) -> pd.DataFrame:
        """Compare the predicted susceptibility with the area of the predicted curve.

        Parameters
        ----------
        X
            Samples × genes.

        Returns
        -------
        pandas.DataFrame
            One row a sample: ``susceptibility`` as predicted, ``viability_auc`` of the predicted
            curve, and ``reachable``, whether the two agree (within ``SAME_AREA``).
        """
        prepared = self.prepare(X)
        area = area_under_curve(self.predict_curve(prepared))[["viability_auc"]]
        area.insert(0, "susceptibility", self.predict(prepared))
        difference = 1 - area["susceptibility"] - area["viability_auc"]
        return area.assign(reachable=difference.abs() <= SAME_AREA)

    def _unfitted(self) -> NKSusceptibilityModel:
        return NKSusceptibilityModel() if self.model is None else clone(self.model)


def closest_killing_curves(curves: pd.DataFrame, viability_auc: FloatArray) -> pd.DataFrame:
    """Move curves to the closest ones that never rise and have a given area.

    The closest in least squares over the ratios above 0, among curves that start at 100, never
    rise, never fall below 0 and have the area. By Lagrangian duality it is the decreasing isotonic
    regression (Barlow et al., Statistical Inference under Order Restrictions, 1972) of the curve
    plus a multiple of the ratios' trapezoid weights, cut at 0 and 100; the area grows with the
    multiple, which is found by root finding.

    Parameters
    ----------
    curves
        Samples × E:T ratios (numbers from 0 to 5), % viability without missing values. Ratio 0 is
        added when absent, and 100 whatever it holds.
    viability_auc
        Area of each sample, as `area_under_curve` has it, shape (n_samples,). No curve has an area
        above 1, and the flat curve at 100 is returned; nor has one less than the curve of 0 from
        the first ratio on (0.0625 for the ratios of the study), which is returned then.

    Returns
    -------
    pandas.DataFrame
        Samples × ratios in rising order.

    Raises
    ------
    InputError
        When a value is missing or infinite, or the ratios do not give an area.
    """
    rising = curves.drop(columns=0.0, errors="ignore").sort_index(axis=1)
    ratios = np.r_[0.0, rising.columns.to_numpy(dtype=float)]
    corners = pd.DataFrame(np.eye(len(ratios)), columns=ratios)
    # the area is linear in the viabilities
    weights = area_under_curve(corners)["viability_auc"].to_numpy()
    values, areas = rising.to_numpy(dtype=float), np.asarray(viability_auc, dtype=float)
    bad = int((~np.isfinite(values)).sum() + (~np.isfinite(areas)).sum())
    if bad:
        raise InputError(f"{bad} viabilities or areas are missing or infinite; expected numbers.")
    if np.isnan(weights).any() or ratios[-1] > MAXIMUM_RATIO:
        raise InputError(
            f"The E:T ratios {name_some([f'{r:g}' for r in ratios])} do not give an area; expected "
            f"two or more above 0, the highest from {MAXIMUM_RATIO / 2:g} to {MAXIMUM_RATIO:g}."
        )
    rest = areas - UNTREATED * weights[0]
    moved = [_closest(v, r, weights[1:]) for v, r in zip(values, rest, strict=True)]
    whole = np.column_stack(
        [np.full(len(values), UNTREATED), np.reshape(moved, (len(values), len(ratios) - 1))]
    )
    return pd.DataFrame(whole, index=curves.index, columns=pd.Index(ratios, name="ratio"))


def measured_curves(viability: pd.DataFrame | str, X: ProfilesLike) -> pd.DataFrame:
    """Return the measured curves of the samples, checked and with numbers as ratios.

    Parameters
    ----------
    viability, X
        See `KillingCurveModel.fit`.

    Returns
    -------
    pandas.DataFrame
        Samples in the order of ``X`` × E:T ratios in rising order, % viability, NaN where not
        measured.

    Raises
    ------
    InputError
        When ratios cannot be read, repeat or lie outside 0 to 5, viabilities are no numbers, or a
        ratio has fewer than five samples.
    """
    if isinstance(viability, str):
        tables = getattr(X, "obsm", {})
        if viability not in tables:
            raise InputError(
                f"There is no table {viability!r} with the samples (obsm); expected viability by "
                "E:T ratio, which read_panel keeps for PRISM viability files."
            )
        viability = tables[viability]
    if not isinstance(viability, pd.DataFrame) or viability.empty:
        raise InputError("The viability must be a DataFrame of samples × E:T ratios, not empty.")
    ratios = pd.to_numeric(pd.Index(viability.columns.astype(str)), errors="coerce")
    bad = viability.columns[~((ratios >= 0) & (ratios <= MAXIMUM_RATIO)) | ratios.duplicated()]
    if len(bad):
        raise InputError(
            f"{len(bad)} columns of the viability ({name_some(bad)}) are not used; expected "
            f"different E:T ratios from 0 to {MAXIMUM_RATIO:g} as names. Leave these ratios out."
        )
    profiles = Profiles.of(X)
    columns = [profiles.labels(viability[column], "viability") for column in viability]
    try:
        values = np.array(columns, dtype=float).T
    except (TypeError, ValueError) as error:
        raise InputError(f"Viability must be numbers: {error}.") from error
    if np.isinf(values).any():
        raise InputError(
            f"{int(np.isinf(values).sum())} viabilities are infinite; expected numbers or NaN."
        )
    names = profiles.samples if profiles.named else viability.index
    curves = pd.DataFrame(values, index=names, columns=ratios).sort_index(axis=1)
    counts = curves.notna().sum().drop(0.0, errors="ignore")
    few = [f"{ratio:g}" for ratio, count in counts.items() if count < FEWEST_SAMPLES_A_RATIO]
    if few:
        raise InputError(
            f"{len(few)} E:T ratios ({name_some(few)}) are measured in fewer "
            f"than {FEWEST_SAMPLES_A_RATIO} samples; leave these ratios out."
        )
    return curves


def _closest(values: FloatArray, area: float, weights: FloatArray) -> FloatArray:
    def moved(multiple: float) -> FloatArray:
        falling = isotonic_regression(values + multiple * weights, increasing=False).x
        return np.asarray(np.clip(falling, 0.0, UNTREATED))

    flat = np.full(len(values), UNTREATED)
    if area >= flat @ weights:
        return flat
    if area <= 0:
        return np.zeros(len(values))
    low, high = (-values / weights).min(), ((UNTREATED - values) / weights).max()
    margin = 1 + 1e-9 * max(abs(low), abs(high))  # against rounding at the ends
    root = brentq(
        lambda multiple: moved(multiple) @ weights - area, low - margin, high + margin, maxiter=1000
    )
    return moved(root)


def _areas(curves: pd.DataFrame) -> FloatArray:
    areas = area_under_curve(curves)["viability_auc"]
    without = areas.index[areas.isna()]
    if len(without):
        raise InputError(
            f"{len(without)} of {len(areas)} samples have viability at too few E:T ratios for an "
            f"area ({name_some(without)}); expected three or more with the control, one of them "
            f"{MAXIMUM_RATIO / 2:g} or higher. Drop these samples."
        )
    return areas.to_numpy()


def _shape(susceptibility: FloatArray, killing: FloatArray) -> FloatArray:
    fits = []
    for degree in range(1, _LARGEST_DEGREE + 1):
        powers = _powers(susceptibility, degree)
        coefficients, error = np.zeros((degree, killing.shape[1])), 0.0
        for ratio, values in enumerate(killing.T):
            known = ~np.isnan(values)
            design, observed = powers[known], values[known]
            inverse = np.linalg.pinv(design)
            coefficients[:, ratio] = inverse @ observed
            leverage = (design * inverse.T).sum(axis=1)
            left_out = (observed - design @ coefficients[:, ratio]) / np.maximum(1 - leverage, 1e-9)
            error += float((left_out**2).sum())
        fits.append((error, coefficients))
    return min(fits, key=lambda fit: fit[0])[1]


def _killing(susceptibility: FloatArray, shape: FloatArray) -> FloatArray:
    return _powers(susceptibility, len(shape)) @ shape


def _powers(susceptibility: FloatArray, degree: int) -> FloatArray:
    return np.asarray(susceptibility[:, None] ** np.arange(1, degree + 1))


def _first_component(leftover: FloatArray) -> FloatArray:
    component = np.linalg.svd(leftover, full_matrices=False)[2][0]
    # its sign is arbitrary
    return np.asarray(component * np.sign(component[np.abs(component).argmax()]))
