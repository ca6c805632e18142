"""What is known about a trained model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nkpredict.facts._calibration import CalibrationFacts
from nkpredict.facts._json import Facts, VersionedFacts
from nkpredict.facts._read import ExpressionFacts, GeneticsFacts, PanelFacts, ResponseFacts
from nkpredict.facts._screens import CombinationFacts, GeneSetFacts, KnowledgeFacts


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingFacts(Facts):
    """The data a model was trained on; ``sample_lineage`` follows the order of the samples.

    ``knowledge`` is what published studies added to the screens.
    """

    samples: int | None = None
    genes: int | None = None
    lineages: Mapping[str, int] | None = None
    sample_lineage: tuple[str, ...] | None = None
    panel: PanelFacts | None = None
    expression: ExpressionFacts | None = None
    response: ResponseFacts | None = None
    genetics: GeneticsFacts | None = None
    screens: CombinationFacts | None = None
    knowledge: KnowledgeFacts | None = None
    gene_sets: GeneSetFacts | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFacts(VersionedFacts):
    """A training run: whether it was finished, under which name and version, and its settings.

    ``seconds`` is how long it worked, stops left out.
    """

    finished: bool
    registered: str | None = None
    seconds: float = 0.0
    config: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReferenceFacts(Facts):
    """Reference profiles of a model that was trained on no response."""

    name: str
    file: str
    sha256: str
    samples: int
    genes: int
    doi: str | None = None
    licence: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SkillFacts(Facts):
    """Rank correlation on samples held out, and its one-sided p."""

    spearman: float | None = None
    p: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PerformanceFacts(Facts):
    """Metrics of one model or baseline in one split; NaN where they could not be computed."""

    split: str
    model: str
    spearman: float
    spearman_within_lineage: float
    rmse: float


@dataclass(frozen=True, kw_only=True, slots=True)
class DriverFacts(Facts):
    """Genes that probably drive the response, as columns of one length."""

    gene: tuple[str, ...]
    probability: tuple[float, ...]
    effect: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class CurveErrorFacts(Facts):
    """Errors of killing curves on samples held out, in % viability, as columns of one length."""

    ratio: tuple[float, ...]
    samples: tuple[int, ...]
    rmse: tuple[float, ...]
    rmse_mean_curve: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class CurveFacts(Facts):
    """A killing curve that rests on the model."""

    ratios: tuple[float, ...]
    errors: CurveErrorFacts
    component_used: bool
    component_skill: SkillFacts


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialFacts(Facts):
    """One trial of a tuning run; times in milliseconds since 1970.

    ``outcome`` is ``finished``, ``pruned`` or ``failed``, ``error`` the mean squared error on inner
    folds.
    """

    number: int
    settings: Mapping[str, Any]
    error: float | None = None
    outcome: str
    started: int
    ended: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelFacts(VersionedFacts):
    """Everything known about a model; what is not known is None.

    Attributes
    ----------
    simulated
        Whether it was trained on simulated data.
    knowledge_only
        Whether it knows published screens alone and no measured response.
    settings
        Settings that tuning chose, by parameter.
    evaluated_on
        Hash of the samples, responses and folds of the evaluation; models that share it can be
        compared.
    interval_coverage
        Split → share of measured values inside the 90 % interval.
    sha256, registry_version
        Of the bundle it was loaded from.
    skill, within_lineages
        Of the fitted model, when it scores: its out-of-fold skill, and whether it learned without
        the lineages' own levels.
    calibration
        The own lines of a laboratory that it was calibrated to, and the model that was.
    """

    name: str | None = None
    registry_version: int | None = None
    sha256: str | None = None
    simulated: bool = False
    knowledge_only: bool = False
    within_lineages: bool | None = None
    nkpredict_version: str | None = None
    random_state: int | None = None
    spec: str | None = None
    settings: Mapping[str, Any] | None = None
    skill: SkillFacts | None = None
    performance: tuple[PerformanceFacts, ...] | None = None
    evaluated_on: str | None = None
    interval_coverage: Mapping[str, float] | None = None
    evaluation_notes: tuple[str, ...] | None = None
    training: TrainingFacts | None = None
    reference: ReferenceFacts | None = None
    curves: CurveFacts | None = None
    drivers: DriverFacts | None = None
    calibration: CalibrationFacts | None = None

    @property
    def response(self) -> ResponseFacts | None:
        """The response it speaks of: that of own lines when it was calibrated, else of training."""
        if self.calibration is not None:
            return self.calibration.response
        return None if self.training is None else self.training.response

    @property
    def score_word(self) -> str:
        """What the number is called: without a measured response it is no susceptibility."""
        return "screen score" if self.knowledge_only else "susceptibility"

    @property
    def reference_word(self) -> str:
        """What the samples that a score is compared with are called."""
        # what ships has no training samples, calibrated or not
        alone = self.knowledge_only or self.reference is not None
        return "reference profiles" if alone else "training samples"
