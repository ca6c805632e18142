"""What was done to explain a model."""

from __future__ import annotations

from dataclasses import dataclass

from nkpredict.facts._json import Facts


@dataclass(frozen=True, kw_only=True, slots=True)
class CarryFacts(Facts):
    """How far co-regulated genes moved along with a perturbed one."""

    from_correlation: float
    reference_profiles: int
    genes_carried_on_average: float


@dataclass(frozen=True, kw_only=True, slots=True)
class PerturbationFacts(Facts):
    """A virtual perturbation: where the genes went, and which were there or not measured."""

    simulated: bool = False
    kind: str
    level: str
    genes: int
    already_at_the_end: int
    not_measured: int
    carried: CarryFacts | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class StabilityFacts(Facts):
    """How a model was refitted, and what counted as selected."""

    simulated: bool = False
    resampling: str
    resamples: int
    random_state: int
    top: int
    cluster_correlation: float
