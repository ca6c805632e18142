"""Estimators that predict NK susceptibility from expression."""

from nkpredict.learn._blend import blend_weights, normal_scores
from nkpredict.learn._calibrated import FEWEST_LINES, CalibratedModel
from nkpredict.learn._cohort import relative_to_cohort
from nkpredict.learn._core import RANGE_ENDS, BlendCore
from nkpredict.learn._floor import (
    LEAST_GENE_COVERAGE,
    LEAST_WEIGHT_COVERAGE,
    require_readable,
    too_little_measured,
)
from nkpredict.learn._gene_model import GeneModel
from nkpredict.learn._harmonised import HarmonisedCells, HarmonisedProfiles
from nkpredict.learn._inner_folds import InnerFolds
from nkpredict.learn._intervals import HeldOutIntervals
from nkpredict.learn._killing_curve import (
    FEWEST_SAMPLES_A_RATIO,
    SAME_AREA,
    KillingCurveModel,
    closest_killing_curves,
    measured_curves,
)
from nkpredict.learn._model import (
    CHANCE_LEVEL,
    ChanceSkillWarning,
    NKSusceptibilityModel,
    fit_warnings_ignored,
)
from nkpredict.learn._novelty import ProfileNovelty, SubspaceNovelty
from nkpredict.learn._prior import ScreenPrior
from nkpredict.learn._response_range import ResponseRange
from nkpredict.learn._rising_line import RisingLine
from nkpredict.learn._training_data import MINIMUM_SAMPLES
from nkpredict.learn.learners import (
    GIVEN_BY_GENE,
    LEARNERS,
    STORED,
    AdditivePredictor,
    AxisScore,
    Evidence,
    EvidenceBoosting,
    EvidenceRidge,
    GeneLearner,
    LearnerState,
    LinearLearner,
    NoSplitWarning,
    PartialLeastSquares,
    default_learners,
    signed_evidence,
)

__all__ = [
    "CHANCE_LEVEL",
    "FEWEST_LINES",
    "FEWEST_SAMPLES_A_RATIO",
    "GIVEN_BY_GENE",
    "LEARNERS",
    "LEAST_GENE_COVERAGE",
    "LEAST_WEIGHT_COVERAGE",
    "MINIMUM_SAMPLES",
    "RANGE_ENDS",
    "SAME_AREA",
    "STORED",
    "AdditivePredictor",
    "AxisScore",
    "BlendCore",
    "CalibratedModel",
    "ChanceSkillWarning",
    "Evidence",
    "EvidenceBoosting",
    "EvidenceRidge",
    "GeneLearner",
    "GeneModel",
    "HarmonisedCells",
    "HarmonisedProfiles",
    "HeldOutIntervals",
    "InnerFolds",
    "KillingCurveModel",
    "LearnerState",
    "LinearLearner",
    "NKSusceptibilityModel",
    "NoSplitWarning",
    "PartialLeastSquares",
    "ProfileNovelty",
    "ResponseRange",
    "RisingLine",
    "ScreenPrior",
    "SubspaceNovelty",
    "blend_weights",
    "closest_killing_curves",
    "default_learners",
    "fit_warnings_ignored",
    "measured_curves",
    "normal_scores",
    "relative_to_cohort",
    "require_readable",
    "signed_evidence",
    "too_little_measured",
]
