"""One fold of an evaluation: fit on its training samples, predict its test samples."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.utils import get_tags

from nkpredict.evaluate._splits import Fold, Split
from nkpredict.features import Profiles, ProfilesLike
from nkpredict.types import FloatArray, LabelArray


class Samples(NamedTuple):
    """What an evaluation works on.

    Attributes
    ----------
    profiles
        Samples × genes.
    target
        Susceptibility of each sample.
    lineage
        Lineage of each sample; all the same where none was given.
    """

    profiles: pd.DataFrame
    target: FloatArray
    lineage: LabelArray


def read_samples(X: ProfilesLike, y: Any, groups: Any) -> Samples:
    """Check profiles, response and lineages as they were given.

    Raises
    ------
    InputError
        When they do not describe the same samples.
    """
    profiles = Profiles.of(X)
    lineage = np.full(len(profiles), "all", dtype=object)
    if groups is not None:
        lineage = profiles.labels(groups, "lineage").astype(str).astype(object)
    return Samples(profiles.frame(), profiles.target(y), lineage)


def fit_predict(model: Any, samples: Samples, fold: Fold) -> tuple[Any, FloatArray]:
    """Fit a clone of any scikit-learn regressor and predict the samples held out.

    A model that takes ``groups`` is given the lineages where whole lineages are held out, so that
    it can prepare for new ones, and where it learns within groups; the offsets of the groups are
    then part of the prediction. A model that takes ``lineage``, as a baseline does, always gets
    it. Where a model does not know missing values, the mean of the training samples stands in.

    Parameters
    ----------
    model
        Unfitted.
    samples, fold
        What to fit and predict.

    Returns
    -------
    fitted
        The fitted clone.
    predicted : numpy.ndarray
        One number a test sample.
    """
    train, test = samples.profiles.iloc[fold.train], samples.profiles.iloc[fold.test]
    if not get_tags(model).input_tags.allow_nan:
        train, test = without_gaps(train, test)
    known, new = samples.lineage[fold.train], samples.lineage[fold.test]
    held_out = fold.split == Split.LINEAGE_HELD_OUT and len(set(known)) > 1
    groups = known if held_out or learns_within_groups(model) else None
    fitted = clone(model).fit(
        train, samples.target[fold.train], **_taken(model.fit, lineage=known, groups=groups)
    )
    predicted = np.asarray(fitted.predict(test, **_taken(model.predict, lineage=new)))
    return fitted, predicted + _offsets(fitted, new)


def predict_limits(fitted: Any, samples: Samples, fold: Fold) -> FloatArray:
    """Predict the ends of the 90 % interval of the samples held out.

    Parameters
    ----------
    fitted
        As `fit_predict` returns it.
    samples, fold
        What it was fitted on and has to predict.

    Returns
    -------
    numpy.ndarray
        Lower and upper end, shape (n_test, 2); NaN for a model that has no intervals.
    """
    if not hasattr(fitted, "predict_interval"):
        return np.full((len(fold.test), 2), np.nan)
    limits = np.asarray(fitted.predict_interval(samples.profiles.iloc[fold.test]))
    return np.asarray(limits + _offsets(fitted, samples.lineage[fold.test])[:, None])


def _offsets(fitted: Any, lineage: LabelArray) -> FloatArray:
    """Return what a model that learned within groups leaves out; 0 for a group never seen."""
    offsets = getattr(fitted, "offsets_", None)
    if offsets is None:
        return np.zeros(len(lineage))
    return np.asarray(offsets.reindex(lineage).fillna(0.0))


def learns_within_groups(model: Any) -> bool:
    """Tell whether a model takes out what differs between groups, and so cannot do without."""
    return bool(getattr(model, "within_groups", False))


def without_gaps(train: pd.DataFrame, test: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Fill missing values with the mean of the training samples.

    Parameters
    ----------
    train, test
        Samples × genes; a gene without any value in ``train`` is filled with 0.

    Returns
    -------
    tuple of pandas.DataFrame
        Both tables without NaN.
    """
    means = train.mean(axis=0).fillna(0.0).to_numpy()

    def filled(table: pd.DataFrame) -> pd.DataFrame:
        # `fillna` goes gene by gene; see docs/decisions/012
        values = table.to_numpy()
        values = np.asfortranarray(np.where(np.isnan(values), means, values))
        return pd.DataFrame(values, table.index, table.columns, copy=False)

    return filled(train), filled(test)


def _taken(method: Callable[..., Any], **offered: Any) -> dict[str, Any]:
    names = inspect.signature(method).parameters
    return {name: value for name, value in offered.items() if name in names and value is not None}
