"""Score new profiles with a trained model."""

from nkpredict.score.cohort import Scores, score

__all__ = ["Scores", "score"]
