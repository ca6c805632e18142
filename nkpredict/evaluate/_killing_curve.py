"""How far predicted killing curves are from what was measured in samples held out."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.base import clone

from nkpredict.errors import InputError, name_some
from nkpredict.evaluate._splits import Fold, Split, make_folds
from nkpredict.features import Profiles, ProfilesLike
from nkpredict.learn import (
    FEWEST_SAMPLES_A_RATIO,
    KillingCurveModel,
    fit_warnings_ignored,
    measured_curves,
)
from nkpredict.threads import one_thread
from nkpredict.types import Progress


def curve_folds(curves: pd.DataFrame, *, folds: int = 5, random_state: int = 0) -> list[Fold]:
    """Return random folds, each with enough training samples at every E:T ratio.

    Parameters
    ----------
    curves
        Samples × E:T ratios, % viability, NaN where not measured; see
        `nkpredict.learn.measured_curves`.
    folds, random_state
        Number of folds and seed; the same folds as in `nested_cross_validate`.

    Raises
    ------
    InputError
        When a ratio is measured in too few samples.
    """
    planned = list(
        make_folds(Split.RANDOM, len(curves), None, folds=folds, random_state=random_state)
    )
    treated = curves.drop(columns=0.0, errors="ignore")
    least = pd.DataFrame([treated.iloc[fold.train].notna().sum() for fold in planned]).min()
    few = [f"{ratio:g}" for ratio in least.index[least < FEWEST_SAMPLES_A_RATIO]]
    if few:
        raise InputError(
            f"{len(few)} E:T ratios ({name_some(few)}) are measured in too few samples to hold "
            f"some out; expected {FEWEST_SAMPLES_A_RATIO} in each of the {folds} training parts. "
            "Leave these ratios out."
        )
    return planned


def curve_errors(
    model: KillingCurveModel,
    X: ProfilesLike,
    viability: pd.DataFrame | str,
    *,
    folds: int = 5,
    random_state: int = 0,
    n_jobs: int = 1,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Measure the error of predicted curves on samples held out at random.

    Everything is fitted inside each fold, the mean curve too.

    Parameters
    ----------
    model
        Unfitted; cloned for every fold. It is not tuned.
    X, viability
        See `KillingCurveModel.fit`.
    folds, random_state
        Number of folds and seed.
    n_jobs
        Processes; results do not depend on it.
    progress
        Called with what is being done, steps done and steps in all.

    Returns
    -------
    pandas.DataFrame
        One row an E:T ratio above 0: ``ratio``, ``samples`` (how many were measured), and the
        root-mean-square error in % viability of the predicted curves (``rmse``) and of the mean
        curve of the training samples (``rmse_mean_curve``).

    Raises
    ------
    InputError
        When viabilities cannot be used, or a ratio is measured in too few samples.
    """
    from joblib import Parallel, delayed

    frame, curves = Profiles.of(X).frame(), measured_curves(viability, X)
    planned = curve_folds(curves, folds=folds, random_state=random_state)
    results = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_squared_errors)(model, frame, curves, fold) for fold in planned
    )
    parts = []
    for done, part in enumerate(results, start=1):
        parts.append(part)
        if progress is not None:
            progress("curves", done, len(planned))
    ours, mean = (pd.concat(tables) for tables in zip(*parts, strict=True))
    columns = {
        "samples": ours.notna().sum(),
        "rmse": np.sqrt(ours.mean()),
        "rmse_mean_curve": np.sqrt(mean.mean()),
    }
    return pd.DataFrame(columns).rename_axis("ratio").reset_index()


def _squared_errors(
    model: KillingCurveModel, frame: pd.DataFrame, curves: pd.DataFrame, fold: Fold
) -> tuple[pd.DataFrame, pd.DataFrame]:
    train, test = curves.iloc[fold.train], curves.iloc[fold.test].drop(columns=0.0, errors="ignore")
    with one_thread(), fit_warnings_ignored():
        # what chance skill costs is what the errors show
        fitted = clone(model).fit(frame.iloc[fold.train], train)
    predicted = fitted.predict_curve(frame.iloc[fold.test])
    return (test - predicted[test.columns]) ** 2, (test - train[test.columns].mean()) ** 2
