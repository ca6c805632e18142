"""Score new profiles with a trained model."""

from nkpredict.scoring._inspect import inspect_profiles
from nkpredict.scoring._score import FORCED_NOTICE, score
from nkpredict.scoring._scores import Scores

__all__ = ["FORCED_NOTICE", "Scores", "inspect_profiles", "score"]
