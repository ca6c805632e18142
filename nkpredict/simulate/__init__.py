"""Synthetic co-culture study with planted truth, in the real study's file formats."""

from nkpredict.simulate.study import SimulatedStudy, simulate_study

__all__ = ["SimulatedStudy", "simulate_study"]
