"""What is known about the scores of a cohort."""

from __future__ import annotations

from dataclasses import dataclass, field

from nkpredict.facts._explain import ExplanationFacts
from nkpredict.facts._json import Facts, VersionedFacts
from nkpredict.facts._model import ModelFacts
from nkpredict.facts._outcome import OutcomeFacts
from nkpredict.facts._read import ExpressionFacts
from nkpredict.facts._verdict import PlatformFacts, Verdict

SCORING_FACTS_KEY = "nkpredict_scores"
"""Where an AnnData keeps the facts of its scores, as JSON, in ``uns``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CoverageFacts(Facts):
    """Genes of the model in the profiles; ``weight_missing`` is the missing share of its weight."""

    in_model: int
    found: int
    missing: int
    missing_examples: tuple[str, ...] = ()
    weight_missing: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ViabilityFacts(Facts):
    """Predicted killing curves, and how many samples lie where no curve has their area."""

    effector_target_ratios: tuple[float, ...]
    unit: str = "% viability, control = 100"
    samples_without_a_curve_of_their_area: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoringFacts(VersionedFacts):
    """Everything known about scores: the profiles, the model and what the user should read.

    Attributes
    ----------
    samples
        Number of samples scored.
    profiles
        The file they were read from; None when they were given without one.
    profiles_simulated, simulated
        Whether the profiles are simulated; whether they or the model's training data are.
    forced
        Why the profiles would have been refused without the user's word; empty when they would not.
    relative_to_cohort
        Whether the profiles were mapped onto the model's as a cohort, so that only their order
        means something.
    genes, viability, model
        The genes found, the killing curves when they were predicted, and the model.
    own_reference
        How many of the samples are profiles the model was made from; None when that is not known.
    platform
        Where the profiles come from; None for a model that knows no platforms.
    verdict
        What the scores may be used for.
    explanation
        What the lists of genes rest on, when the scores were explained.
    outcome
        What the scores say about an outcome, when one was given.
    warnings
        Sentences the user should read.
    """

    simulated: bool = field(init=False)
    samples: int
    profiles: ExpressionFacts | None = None
    profiles_simulated: bool = False
    genes: CoverageFacts
    viability: ViabilityFacts | None = None
    model: ModelFacts
    forced: str = ""
    relative_to_cohort: bool = False
    own_reference: int | None = None
    platform: PlatformFacts | None = None
    verdict: Verdict | None = None
    explanation: ExplanationFacts | None = None
    outcome: OutcomeFacts | None = None
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Derive what is simulated."""
        object.__setattr__(self, "simulated", self.profiles_simulated or self.model.simulated)
