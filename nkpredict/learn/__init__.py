"""Estimators that predict NK susceptibility from expression."""

from nkpredict.learn._blend import blend_weights, normal_scores
from nkpredict.learn._core import RANGE_ENDS, BlendCore
from nkpredict.learn._gene_model import GeneModel
from nkpredict.learn._killing_curve import (
    FEWEST_SAMPLES_A_RATIO,
    SAME_AREA,
    KillingCurveModel,
    closest_killing_curves,
    measured_curves,
)
from nkpredict.learn._model import (
    CHANCE_LEVEL,
    LEARNERS,
    MINIMUM_SAMPLES,
    PRIOR_WEIGHTS,
    ChanceSkillWarning,
    NKSusceptibilityModel,
    fit_warnings_ignored,
)
from nkpredict.learn._novelty import ProfileNovelty
from nkpredict.learn._prior import EvidenceScore, ScreenPrior
from nkpredict.learn.learners import (
    Evidence,
    EvidenceBoosting,
    EvidenceRidge,
    GeneLearner,
    NoSplitWarning,
    signed_evidence,
)

__all__ = [
    "CHANCE_LEVEL",
    "FEWEST_SAMPLES_A_RATIO",
    "LEARNERS",
    "MINIMUM_SAMPLES",
    "PRIOR_WEIGHTS",
    "RANGE_ENDS",
    "SAME_AREA",
    "BlendCore",
    "ChanceSkillWarning",
    "Evidence",
    "EvidenceBoosting",
    "EvidenceRidge",
    "EvidenceScore",
    "GeneLearner",
    "GeneModel",
    "KillingCurveModel",
    "NKSusceptibilityModel",
    "NoSplitWarning",
    "ProfileNovelty",
    "ScreenPrior",
    "blend_weights",
    "closest_killing_curves",
    "fit_warnings_ignored",
    "measured_curves",
    "normal_scores",
    "signed_evidence",
]
