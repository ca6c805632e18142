"""Take part in the trials of a training run that another process makes."""

from __future__ import annotations

import time
from collections.abc import Callable

from nkpredict.training._config import TrainingConfig
from nkpredict.training._inputs import read_inputs
from nkpredict.training._task import Task

_PAUSE = 2.0


def help_train(config: TrainingConfig, *, found: Callable[[list[str]], None] | None = None) -> None:
    """Do trials of a training run until all of its folds and its last tuning have theirs.

    Nothing is written but into ``config.storage``; the run itself is made by `train` with the same
    configuration, before, meanwhile or later, on this or another machine. Without it a worker does
    all trials alone.

    Parameters
    ----------
    config
        As `train` is given it, with ``storage``; ``run_folder``, ``registry`` and ``jobs`` count
        nothing here.
    found
        As `train` takes it.

    Raises
    ------
    InputError
        When files are wrong, nothing is tuned, or the storage cannot be used.
    """
    inputs = read_inputs(config)
    task = Task.of(config, inputs)
    if found is not None:
        found(inputs.sentences())
    while not task.helped():
        time.sleep(_PAUSE)
