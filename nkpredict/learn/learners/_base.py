"""What the learners share: profiles by gene name, exact parts, and a state of plain numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted

from nkpredict.errors import InputError
from nkpredict.features import ProfileEstimator, Profiles, ProfilesLike, SparseProfiles
from nkpredict.types import AnyArray, FloatArray

MINIMUM_SAMPLES_OF_A_LEARNER = 2
"""One sample has no spread."""


GIVEN_BY_GENE = ("evidence", "other_units")
"""Parameters with a number for each gene, which a model gives to those learners that take them."""


@dataclass(frozen=True)
class LearnerState:
    """A fitted learner as plain numbers and text.

    Attributes
    ----------
    arrays
        Arrays by name of the attribute.
    numbers
        Single numbers by name of the attribute.
    texts
        Models in a text format of their library.
    """

    arrays: Mapping[str, AnyArray]
    numbers: Mapping[str, float] = field(default_factory=dict)
    texts: tuple[str, ...] = ()

    def array(
        self, name: str, kind: str, shape: tuple[int | None, ...], *, finite: bool = True
    ) -> AnyArray:
        """Return an array that is what it must be.

        Parameters
        ----------
        name
            As it was stored.
        kind
            Kinds of dtype that are allowed, as NumPy abbreviates them: ``f``, ``i``, ``u``, ``U``.
        shape
            Length of each axis; None for any.
        finite
            Whether NaN and infinity are refused.

        Raises
        ------
        KeyError, ValueError
            When it is missing, or of another kind or shape.
        """
        values = self.arrays[name]
        fits = len(values.shape) == len(shape) and all(
            wanted in (None, found) for wanted, found in zip(shape, values.shape, strict=True)
        )
        if values.dtype.kind not in kind or not fits:
            raise ValueError(f"{name} is {values.dtype} of shape {values.shape}, expected {shape}")
        if finite and values.dtype.kind == "f" and not np.isfinite(values).all():
            raise ValueError(f"{name} holds values that are not finite")
        return values

    def number(self, name: str) -> float:
        """Return a single number.

        Raises
        ------
        KeyError, ValueError
            When it is missing, no number, or not finite.
        """
        value = self.numbers[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            raise ValueError(f"{name} is {value!r}, expected a number")
        return float(value)


class AdditivePredictor(ProfileEstimator, ABC):
    """Base of what predicts one number a sample and splits it into parts of its genes.

    A subclass names what it is stored as, and which fitted attributes make it up.

    Attributes
    ----------
    name : str
        Name in a blend, in bundles and in recipes.
    gene_arrays : tuple of str
        Fitted arrays with one number a gene.
    other_arrays, numbers : tuple of str
        Other fitted arrays, and single numbers.
    """

    name: ClassVar[str]
    gene_arrays: ClassVar[tuple[str, ...]] = ()
    other_arrays: ClassVar[tuple[str, ...]] = ()
    numbers: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def predict(self, X: ProfilesLike) -> FloatArray:
        """Predict one number a sample; genes are matched by name."""

    def predict_cells(self, cells: SparseProfiles) -> FloatArray:
        """Predict one number a cell, the same as `predict` gives for the dense profile.

        A learner that reads few genes, or adds them up, can do so without all the zeros; this
        way makes dense profiles of a few cells at a time.
        """
        return np.concatenate(
            [self.predict(Profiles.unnamed(part.dense())) for part in cells.blocks()]
        )

    @abstractmethod
    def contributions(self, X: ProfilesLike) -> tuple[FloatArray, float]:
        """Return each gene's part of the prediction, samples × genes, and the base value."""

    @abstractmethod
    def substituted(self, X: ProfilesLike, level: FloatArray) -> FloatArray:
        """Change of the prediction if one gene alone had the given level, samples × genes."""

    def slopes(self, X: ProfilesLike, standard: FloatArray) -> FloatArray:
        """Change of the prediction per standard deviation of each gene.

        The least-squares slope of a gene's parts on its standardised values, which is exact for
        a linear learner.

        Parameters
        ----------
        X
            Samples × genes.
        standard
            The same samples in standard deviations, 0 for a missing value.
        """
        parts, _ = self.contributions(X)
        used = np.flatnonzero(parts.any(axis=0))
        values, used_parts = standard[:, used], parts[:, used]
        slopes = np.zeros(parts.shape[1])
        slopes[used] = (values * used_parts).sum(axis=0) / np.maximum(
            (values**2).sum(axis=0), 1e-12
        )
        return slopes

    def diagnostics(self) -> dict[str, float]:
        """Return what a fit chose and an evaluation should show, name → number."""
        return {}

    def state(self) -> LearnerState:
        """Return the fitted learner as plain numbers and text."""
        check_is_fitted(self)
        names = (*self.gene_arrays, *self.other_arrays)
        return LearnerState(
            {array: getattr(self, array) for array in names},
            {number: float(getattr(self, number)) for number in self.numbers},
        )

    @classmethod
    def from_state(cls, parameters: Mapping[str, Any], state: LearnerState, features: int) -> Self:
        """Put a fitted learner together again; it predicts the same numbers to the last bit.

        Parameters
        ----------
        parameters
            Of the constructor, without the evidence, which is not needed to predict.
        state
            What `state` returned.
        features
            Number of genes it was fitted on.

        Raises
        ------
        KeyError, TypeError, ValueError
            When parts are missing or do not fit each other.
        """
        learner = cls(**parameters)
        for array in cls.gene_arrays:
            # the spread of a constant gene is infinite
            setattr(learner, array, state.array(array, "f", (features,), finite=False))
            if np.isnan(state.arrays[array]).any():
                raise ValueError(f"{cls.name}.{array} holds NaN")
        for array in cls.other_arrays:
            setattr(learner, array, state.arrays[array])
        for number in cls.numbers:
            setattr(learner, number, state.number(number))
        learner.n_features_in_ = features
        return learner


class GeneLearner(RegressorMixin, AdditivePredictor):
    """Base of the learners that a model blends.

    Attributes
    ----------
    prior_weight : float
        Weight in a blend before any sample is seen, beside those of the other learners.
    by_default : bool
        Whether a model blends it when no learners are named.
    """

    prior_weight: ClassVar[float] = 1.0
    by_default: ClassVar[bool] = False

    def fit(self, X: ProfilesLike, y: Any, groups: Any = None, sample_weight: Any = None) -> Self:
        """Fit on samples × genes.

        Parameters
        ----------
        X
            DataFrame, AnnData or array of samples × genes; NaN counts as the gene's mean.
        y
            One number a sample.
        groups
            Not used, so that all learners are called alike.
        sample_weight
            Non-negative weights.

        Raises
        ------
        InputError
            When shapes or names differ, values are not finite, or there are fewer than 2 samples.
        """
        profiles = Profiles.of(X)
        target, weights = profiles.target(y), profiles.weights(sample_weight)
        if len(profiles) < MINIMUM_SAMPLES_OF_A_LEARNER:
            raise InputError(
                f"Found {len(profiles)} sample; expected {MINIMUM_SAMPLES_OF_A_LEARNER} at least "
                "to learn from."
            )
        self._learn(profiles, target, weights)
        profiles.remember_names(self)
        return self

    @abstractmethod
    def _learn(self, profiles: Profiles, target: FloatArray, weights: FloatArray | None) -> None:
        """Set the fitted attributes from checked profiles."""
