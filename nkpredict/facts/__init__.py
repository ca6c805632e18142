"""Facts on what was read, trained and scored: frozen dataclasses, written as JSON and back."""

from nkpredict.facts._calibration import CalibrationFacts, CalibrationGainFacts
from nkpredict.facts._cells import CELL_FACTS_KEY, CellFacts, DepthFacts, GroupingFacts
from nkpredict.facts._comparison import CohortFacts, ComparisonFacts, DifferenceFacts
from nkpredict.facts._drugs import TargetFacts, TargetFileFacts
from nkpredict.facts._explain import (
    CarryFacts,
    ExplanationFacts,
    GeneListFacts,
    PerturbationFacts,
    StabilityFacts,
)
from nkpredict.facts._inspection import InspectionFacts, ModelCoverageFacts
from nkpredict.facts._json import SCHEMA_VERSION, Facts
from nkpredict.facts._model import (
    CurveErrorFacts,
    CurveFacts,
    DriverFacts,
    ModelFacts,
    PerformanceFacts,
    ReferenceFacts,
    RunFacts,
    SkillFacts,
    TrainingFacts,
    TrialFacts,
)
from nkpredict.facts._outcome import AssociationFacts, OutcomeColumnFacts, OutcomeFacts
from nkpredict.facts._read import (
    AnnotationFacts,
    ExpressionFacts,
    GeneticsFacts,
    PanelFacts,
    ReadFacts,
    ReplicateFacts,
    ResponseFacts,
    WeightFacts,
)
from nkpredict.facts._scoring import SCORING_FACTS_KEY, CoverageFacts, ScoringFacts, ViabilityFacts
from nkpredict.facts._screens import (
    ChanceFacts,
    CombinationFacts,
    EvidenceFacts,
    ExperimentFacts,
    GeneSetFacts,
    KnowledgeFacts,
    ScreenFacts,
    ScreenFileFacts,
)
from nkpredict.facts._verdict import PlatformFacts, Verdict

__all__ = [
    "CELL_FACTS_KEY",
    "SCHEMA_VERSION",
    "SCORING_FACTS_KEY",
    "AnnotationFacts",
    "AssociationFacts",
    "CalibrationFacts",
    "CalibrationGainFacts",
    "CarryFacts",
    "CellFacts",
    "ChanceFacts",
    "CohortFacts",
    "CombinationFacts",
    "ComparisonFacts",
    "CoverageFacts",
    "CurveErrorFacts",
    "CurveFacts",
    "DepthFacts",
    "DifferenceFacts",
    "DriverFacts",
    "EvidenceFacts",
    "ExperimentFacts",
    "ExplanationFacts",
    "ExpressionFacts",
    "Facts",
    "GeneListFacts",
    "GeneSetFacts",
    "GeneticsFacts",
    "GroupingFacts",
    "InspectionFacts",
    "KnowledgeFacts",
    "ModelCoverageFacts",
    "ModelFacts",
    "OutcomeColumnFacts",
    "OutcomeFacts",
    "PanelFacts",
    "PerformanceFacts",
    "PerturbationFacts",
    "PlatformFacts",
    "ReadFacts",
    "ReferenceFacts",
    "ReplicateFacts",
    "ResponseFacts",
    "RunFacts",
    "ScoringFacts",
    "ScreenFacts",
    "ScreenFileFacts",
    "SkillFacts",
    "StabilityFacts",
    "TargetFacts",
    "TargetFileFacts",
    "TrainingFacts",
    "TrialFacts",
    "Verdict",
    "ViabilityFacts",
    "WeightFacts",
]
