"""Estimators that predict NK susceptibility from expression."""

from nkpredict.learn.boosting import EvidenceBoosting, NoSplitWarning
from nkpredict.learn.killing_curve import KillingCurveModel, closest_killing_curves
from nkpredict.learn.model import ChanceSkillWarning, NKSusceptibilityModel
from nkpredict.learn.prior import ScreenPrior
from nkpredict.learn.ridge import EvidenceRidge

__all__ = [
    "ChanceSkillWarning",
    "EvidenceBoosting",
    "EvidenceRidge",
    "KillingCurveModel",
    "NKSusceptibilityModel",
    "NoSplitWarning",
    "ScreenPrior",
    "closest_killing_curves",
]
