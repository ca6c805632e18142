"""Score new profiles with a trained model."""

from nkpredict.scoring._score import score
from nkpredict.scoring._scores import Scores

__all__ = ["Scores", "score"]
