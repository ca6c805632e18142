"""Score new profiles with a trained model."""

from nkpredict.scoring._score import Scores, score

__all__ = [
    "Scores",
    "score",
]
