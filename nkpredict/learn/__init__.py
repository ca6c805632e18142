"""Estimators that predict NK susceptibility from expression."""

from nkpredict.learn.adaptive import AdaptiveRidge
from nkpredict.learn.boosting import EvidenceBoosting, NoSplitWarning
from nkpredict.learn.model import ChanceSkillWarning, NKSusceptibilityModel
from nkpredict.learn.prior import ScreenPrior
from nkpredict.learn.ridge import EvidenceRidge

__all__ = [
    "AdaptiveRidge",
    "ChanceSkillWarning",
    "EvidenceBoosting",
    "EvidenceRidge",
    "NKSusceptibilityModel",
    "NoSplitWarning",
    "ScreenPrior",
]
