"""What a training run is asked to do: from the command line or a YAML file, checked alike."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from nkpredict.errors import InputError, name_some
from nkpredict.features import NK_MODULES
from nkpredict.io import require_file
from nkpredict.registry import check_model_name
from nkpredict.training._inputs import InputFiles, file_digest
from nkpredict.training._spec import DEFAULT_SPEC

_PATHS = (
    "expression",
    "response",
    "replicates",
    "obs",
    "genetics",
    "screen_meta",
    "sample_sheet",
    "gene_sets",
    "run_folder",
)


@dataclass(frozen=True, kw_only=True)
class TrainingConfig(InputFiles):
    """Everything a training run depends on: the files, see `InputFiles`, and the settings.

    Attributes
    ----------
    name
        Name under which the model is registered.
    spec
        Recipe: a model of the zoo or a YAML file.
    trials, repeats
        Optuna trials and repetitions of the random split; the recipe's when ``None``.
    peers
        Also evaluate RidgeCV and default LightGBM on the same folds.
    curves
        Also predict viability at each E:T ratio; needs a PRISM viability file.
    random_state
        Seed; the recipe's when ``None``.
    run_folder
        Where the run keeps its journals and results.
    registry
        Registry to use; see `Registry`.
    jobs
        Processes; the results do not depend on it.
    """

    name: str
    spec: str = DEFAULT_SPEC
    trials: int | None = None
    repeats: int | None = None
    peers: bool = False
    curves: bool = False
    random_state: int | None = None
    run_folder: Path | None = None
    registry: str | None = None
    jobs: int = 1

    def __post_init__(self) -> None:
        """Check names and numbers.

        Raises
        ------
        InputError
            When one of them is out of range.
        """
        check_model_name(self.name)
        if self.direction not in (None, "lower-is-sensitive", "higher-is-sensitive"):
            raise InputError(
                f"The direction {self.direction!r} is unknown; expected lower-is-sensitive or "
                "higher-is-sensitive."
            )
        for field, least in (("trials", 0), ("repeats", 1), ("jobs", 1), ("random_state", 0)):
            value = getattr(self, field)
            if value is not None and (not isinstance(value, int) or value < least):
                raise InputError(f"{field} is {value!r}; expected a whole number from {least} up.")

    @property
    def folder(self) -> Path:
        """Folder of the run."""
        return Path("runs") / self.name if self.run_folder is None else self.run_folder

    def fingerprint(self) -> dict[str, Any]:
        """Return what must be equal for a stopped run to go on, contents of files included."""
        content = asdict(self)
        for key in ("run_folder", "registry", "jobs"):
            content.pop(key)
        return {key: _text(value) for key, value in content.items()}


def read_config(path: str | Path) -> TrainingConfig:
    """Read a training configuration from YAML.

    Paths are relative to the file; environment variables such as ``$NKPREDICT_DATA`` in them are
    replaced.

    Parameters
    ----------
    path
        YAML file whose keys are the attributes of `TrainingConfig`.

    Raises
    ------
    InputError
        When the file is malformed, has unknown keys, or lacks one that is needed.
    """
    path = require_file(path, "training configuration")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid YAML ({error}).") from error
    if not isinstance(content, Mapping):
        raise InputError(f"{path} is no training configuration; expected keys and values.")
    known = [field.name for field in fields(TrainingConfig)]
    unknown = [key for key in content if key not in known]
    lacking = [key for key in ("expression", "response", "name") if key not in content]
    if unknown or lacking:
        found = f"unknown keys {name_some(unknown)}" if unknown else f"no {name_some(lacking)}"
        raise InputError(f"{path} has {found}; expected the keys {', '.join(known)}.")
    values = dict(content)
    for key in _PATHS:
        if values.get(key) is not None and (key, values[key]) != ("gene_sets", NK_MODULES):
            values[key] = _resolved(values[key], path)
    values["screens"] = tuple(_resolved(screen, path) for screen in values.get("screens") or ())
    return TrainingConfig(**values)


def _resolved(value: Any, config: Path) -> Path:
    text = os.path.expandvars(str(value))
    if "$" in text:
        raise InputError(
            f"{config} uses the environment variable in {value!r}, which is not set; set it to the "
            "folder of your data."
        )
    return config.parent / text


def _text(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_text(item) for item in value]
    if isinstance(value, Path):
        return file_digest(value)
    return value
