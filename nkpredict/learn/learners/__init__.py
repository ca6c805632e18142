"""The learners that models blend."""

from nkpredict.learn.learners._base import GeneLearner
from nkpredict.learn.learners._boosting import EvidenceBoosting, NoSplitWarning
from nkpredict.learn.learners._evidence import Evidence, combined, signed_evidence
from nkpredict.learn.learners._ridge import EvidenceRidge

__all__ = [
    "Evidence",
    "EvidenceBoosting",
    "EvidenceRidge",
    "GeneLearner",
    "NoSplitWarning",
    "combined",
    "signed_evidence",
]
