"""The inner folds of one training set, prepared once for all models that are tried on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
from sklearn.base import clone

from nkpredict.features import ProfileHarmoniser, Profiles
from nkpredict.learn._core import BlendCore
from nkpredict.learn._training_data import TrainingData, fit_learner
from nkpredict.learn.learners import GIVEN_BY_GENE, GeneLearner
from nkpredict.types import FloatArray, IndexArray


class InnerFolds:
    """Folds within the training samples, each harmonised by its own training part.

    Samples of one group are held out together, so that what is judged are predictions of groups
    not seen before; where the groups' offsets are taken out, and without groups, folds are random.
    Predictions are kept by the settings of the learner: trying another model repeats nothing.

    Parameters
    ----------
    data
        The training samples.
    folds
        How many folds; no more than there are groups.
    random_state
        Seed of random folds.
    keep
        Whether the harmonised profiles of each fold are kept for the next model.
    """

    def __init__(
        self, data: TrainingData, folds: int, random_state: int, keep: bool = True
    ) -> None:
        self.data = data
        self._folds = [
            _InnerFold(data, train, test, keep)
            for train, test in _splits(data, folds, random_state)
        ]

    @property
    def response(self) -> FloatArray:
        """What is learned, one number a sample; see `TrainingData`."""
        return self.data.response

    def predict(
        self, learners: Mapping[str, GeneLearner]
    ) -> Iterator[tuple[IndexArray, FloatArray]]:
        """Predict each fold by learners fitted on the others.

        Parameters
        ----------
        learners
            Unfitted learners by name.

        Yields
        ------
        test : numpy.ndarray
            Positions of the samples of the fold.
        predicted : numpy.ndarray
            Fold samples × learners.
        """
        for fold in self._folds:
            yield fold.test, fold.predict(learners)


class _InnerFold:
    def __init__(self, data: TrainingData, train: IndexArray, test: IndexArray, keep: bool) -> None:
        self.test = test
        self._data, self._train, self._keep = data, train, keep
        self._inputs: tuple[TrainingData, Profiles, Profiles] | None = None
        self._predicted: dict[str, FloatArray] = {}

    def predict(self, learners: Mapping[str, GeneLearner]) -> FloatArray:
        predicted = np.column_stack([self._by(learner) for learner in learners.values()])
        if not self._keep:
            self._inputs = None
        return predicted

    def _by(self, learner: GeneLearner) -> FloatArray:
        settings = {k: v for k, v in learner.get_params().items() if k not in GIVEN_BY_GENE}
        key = f"{learner.name} {settings}"
        if key not in self._predicted:
            part, train, test = self._prepared()
            self._predicted[key] = fit_learner(clone(learner), train, part).predict(test)
        return self._predicted[key]

    def _prepared(self) -> tuple[TrainingData, Profiles, Profiles]:
        if self._inputs is None:
            part = self._data.part(self._train)
            core = BlendCore(ProfileHarmoniser(), {}, self._data.modules)
            train = core.learner_input(core.fit_scale(part.profiles))
            test = core.learner_input(core.harmonise(self._data.profiles[self.test]))
            # learners see what was made of the profiles, and need no copy of them
            none = np.empty(0, dtype=np.intp)
            self._inputs = replace(part, profiles=part.profiles[none]), train, test
        return self._inputs


def _splits(
    data: TrainingData, folds: int, random_state: int
) -> Iterator[tuple[IndexArray, IndexArray]]:
    from sklearn.model_selection import GroupKFold, KFold  # slow to import, scoring needs none

    labels = None if data.within_groups else data.labels
    groups = 0 if labels is None else len(np.unique(labels))
    samples = np.zeros(len(data.target))
    if groups > 1:
        yield from GroupKFold(min(folds, groups)).split(samples, groups=labels)
    else:
        yield from KFold(folds, shuffle=True, random_state=random_state).split(samples)
