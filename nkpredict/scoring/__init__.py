"""Score new profiles with a trained model."""

from nkpredict.scoring._inspect import inspect_profiles
from nkpredict.scoring._score import score
from nkpredict.scoring._scores import Scores
from nkpredict.scoring._table import OWN_REFERENCE
from nkpredict.scoring._warnings import FORCED_NOTICE

__all__ = ["FORCED_NOTICE", "OWN_REFERENCE", "Scores", "inspect_profiles", "score"]
