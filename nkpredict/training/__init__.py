"""Training runs: configuration, recipes and the way from files to a registered model."""

from nkpredict.training.config import TrainingConfig, read_config
from nkpredict.training.workflow import TrainingRun, train

__all__ = ["TrainingConfig", "TrainingRun", "read_config", "train"]
