"""The list of learners: a new one is a module of its own and one line here."""

from __future__ import annotations

from nkpredict.learn.learners._axis_score import AxisScore
from nkpredict.learn.learners._base import AdditivePredictor, GeneLearner
from nkpredict.learn.learners._boosting import EvidenceBoosting
from nkpredict.learn.learners._partial_least_squares import PartialLeastSquares
from nkpredict.learn.learners._ridge import EvidenceRidge

LEARNERS: tuple[type[GeneLearner], ...] = (
    EvidenceRidge,
    EvidenceBoosting,
    PartialLeastSquares,
)
"""Every learner that a model can blend, in the order of the weights."""

_PARTS: tuple[type[AdditivePredictor], ...] = (*LEARNERS, AxisScore)
STORED = {part.name: part for part in _PARTS}
"""Everything that a bundle can hold as part of a model, by name."""


def default_learners() -> list[GeneLearner]:
    """Return the learners that a model blends when none are named, unfitted."""
    return [learner() for learner in LEARNERS if learner.by_default]
