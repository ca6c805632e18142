"""Killing curves in a training run: what they need, their fit and their error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
from sklearn.base import clone

from nkpredict.errors import InputError
from nkpredict.evaluate import curve_errors, curve_folds
from nkpredict.facts import CurveErrorFacts, CurveFacts, ResponseFacts, SkillFacts
from nkpredict.io import facts_of
from nkpredict.learn import KillingCurveModel, NKSusceptibilityModel, measured_curves
from nkpredict.types import Progress

if TYPE_CHECKING:
    from anndata import AnnData


@dataclass(frozen=True)
class TrainedCurve:
    """A killing curve fitted on all samples, and its error on samples held out.

    Attributes
    ----------
    model
        The fitted curve.
    errors
        See `nkpredict.evaluate.curve_errors`.
    """

    model: KillingCurveModel
    errors: pd.DataFrame

    @property
    def facts(self) -> CurveFacts:
        """What the bundle keeps about it."""
        return CurveFacts(
            ratios=tuple(self.model.ratios_.tolist()),
            errors=CurveErrorFacts.from_json(self.errors.to_dict("list")),
            component_used=self.model.component_model_ is not None,
            component_skill=SkillFacts.from_json(self.model.component_skill_),
        )


def required_viability(panel: AnnData, model: NKSusceptibilityModel, folds: int) -> pd.DataFrame:
    """Return the measured curves of a panel, after all checks that need no fit.

    Parameters
    ----------
    panel
        As `read_panel` returns it.
    model
        Unfitted model of the susceptibility.
    folds
        Folds of the evaluation.

    Returns
    -------
    pandas.DataFrame
        Samples × E:T ratios, % viability.

    Raises
    ------
    InputError
        When viability was not measured by ratio, or in too few samples, or the model predicts no
        area.
    """
    if "viability" not in panel.obsm:
        response = facts_of(panel).response or ResponseFacts()
        raise InputError(
            f"Killing curves were asked for (--curves), but {response.file} is a "
            f"{response.format} of one value a sample ({response.unit}); expected % "
            "viability at each E:T ratio. Give a PRISM viability file, or leave out --curves."
        )
    if model.within_groups:
        raise InputError(
            "Killing curves were asked for (--curves), but the recipe learns within lineages and "
            "so predicts no area of a curve. Name another recipe (--spec), or leave out --curves."
        )
    curves = measured_curves("viability", panel)
    curve_folds(curves, folds=folds, random_state=model.random_state)
    return curves


def train_curve(
    model: NKSusceptibilityModel,
    fitted: NKSusceptibilityModel,
    expression: pd.DataFrame,
    viability: pd.DataFrame,
    *,
    folds: int,
    jobs: int,
    progress: Progress,
) -> TrainedCurve:
    """Evaluate the recipe's curve on samples held out, and fit one on all samples.

    Parameters
    ----------
    model
        The recipe, with settings that were not tuned on these samples.
    fitted
        The susceptibility model that the curve rests on.
    expression, viability
        Samples × genes, and samples × E:T ratios.
    folds, jobs
        Folds of the evaluation and processes.
    progress
        Called with what is being done, steps done and steps in all.

    Returns
    -------
    TrainedCurve
    """
    errors = curve_errors(
        KillingCurveModel(model),
        expression,
        viability,
        folds=folds,
        random_state=model.random_state,
        n_jobs=jobs,
        progress=lambda stage, done, total: progress(stage, done, total + 1),
    )
    curve = KillingCurveModel(clone(fitted))
    curve.fit(expression, viability, susceptibility_model=fitted)
    progress("curves", folds + 1, folds + 1)
    return TrainedCurve(curve, errors)
