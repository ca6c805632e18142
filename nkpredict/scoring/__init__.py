"""Score new profiles with a trained model."""

from nkpredict.scoring.cohort import Scores, score

__all__ = ["Scores", "score"]
