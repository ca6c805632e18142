"""The learners that models blend."""

from nkpredict.learn.learners._axis_score import AxisScore
from nkpredict.learn.learners._base import (
    GIVEN_BY_GENE,
    AdditivePredictor,
    GeneLearner,
    LearnerState,
)
from nkpredict.learn.learners._boosting import EvidenceBoosting, NoSplitWarning
from nkpredict.learn.learners._evidence import (
    Evidence,
    combined,
    evidence_of_axes,
    signed_evidence,
)
from nkpredict.learn.learners._linear import LinearLearner
from nkpredict.learn.learners._list import LEARNERS, STORED, default_learners
from nkpredict.learn.learners._partial_least_squares import PartialLeastSquares
from nkpredict.learn.learners._ridge import EvidenceRidge

__all__ = [
    "GIVEN_BY_GENE",
    "LEARNERS",
    "STORED",
    "AdditivePredictor",
    "AxisScore",
    "Evidence",
    "EvidenceBoosting",
    "EvidenceRidge",
    "GeneLearner",
    "LearnerState",
    "LinearLearner",
    "NoSplitWarning",
    "PartialLeastSquares",
    "combined",
    "default_learners",
    "evidence_of_axes",
    "signed_evidence",
]
