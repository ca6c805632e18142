"""Synthetic co-culture study with planted truth, in the real study's file formats."""

from nkpredict.simulate.planted import PlantedResponse, plant_response
from nkpredict.simulate.study import SimulatedStudy, simulate_study

__all__ = ["PlantedResponse", "SimulatedStudy", "plant_response", "simulate_study"]
