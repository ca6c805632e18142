"""Honest evaluation: splits, naive baselines, tuning and nested cross-validation."""

from nkpredict.evaluate.nested import CrossValidation, nested_cross_validate
from nkpredict.evaluate.tuning import Tuned, tune

__all__ = ["CrossValidation", "Tuned", "nested_cross_validate", "tune"]
