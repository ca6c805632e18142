"""Synthetic co-culture study with planted truth, in the real study's file formats."""

from nkpredict.simulate._planted import (
    EVIDENCE_QUALITIES,
    MECHANISMS,
    PlantedResponse,
    plant_response,
)
from nkpredict.simulate._study import SimulatedStudy, simulate_study

__all__ = [
    "EVIDENCE_QUALITIES",
    "MECHANISMS",
    "PlantedResponse",
    "SimulatedStudy",
    "plant_response",
    "simulate_study",
]
