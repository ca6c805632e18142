"""Data to try nkpredict with: `nkpredict.datasets.chiaretti_all()` and the others."""

from nkpredict.datasets._examples import chiaretti_all, simulated_study

__all__ = ["chiaretti_all", "simulated_study"]
