"""Training runs: configuration, recipes and the way from files to a registered model."""

from nkpredict.configuration import InputFiles
from nkpredict.training._calibrate import Calibration, calibrate
from nkpredict.training._config import TrainingConfig, read_config
from nkpredict.training._inputs import read_inputs
from nkpredict.training._spec import read_spec
from nkpredict.training._worker import help_train
from nkpredict.training._workflow import TrainingRun, train

__all__ = [
    "Calibration",
    "InputFiles",
    "TrainingConfig",
    "TrainingRun",
    "calibrate",
    "help_train",
    "read_config",
    "read_inputs",
    "read_spec",
    "train",
]
