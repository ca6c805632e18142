"""What a training run is asked to do: from the command line or a YAML file, checked alike."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from nkpredict.configuration import TrainingSettings
from nkpredict.errors import InputError, name_some
from nkpredict.features import NK_MODULES
from nkpredict.io import require_file
from nkpredict.registry import check_model_name
from nkpredict.training._inputs import file_digest
from nkpredict.yaml_text import read_yaml


@dataclass(frozen=True, kw_only=True)
class TrainingConfig(TrainingSettings):
    """Everything a training run depends on; the fields are those of `TrainingSettings`.

    Raises
    ------
    InputError
        When the name cannot be registered, a number is too small or a word is none of the choices.
    """

    def __post_init__(self) -> None:
        """Check names, numbers and choices."""
        super().__post_init__()
        check_model_name(self.name)

    @property
    def folder(self) -> Path:
        """Folder of the run."""
        return Path("runs") / self.name if self.run_folder is None else self.run_folder

    def fingerprint(self) -> dict[str, Any]:
        """Return what must be equal for a stopped run to go on, contents of files included."""
        content = asdict(self)
        for key in ("run_folder", "registry", "jobs", "heartbeat"):
            content.pop(key)
        # where trials are shared counts nothing; that they are decides how settings are drawn
        content["storage"] = self.storage is not None
        return {key: _text(value) for key, value in content.items()}


def read_config(path: str | Path) -> TrainingConfig:
    """Read a training configuration from YAML.

    Paths are relative to the file; environment variables such as ``$NKPREDICT_DATA`` in them are
    replaced.

    Parameters
    ----------
    path
        YAML file whose keys are the fields of `TrainingConfig`.

    Raises
    ------
    InputError
        When the file is malformed, has unknown keys, or lacks one that is needed.
    """
    path = require_file(path, "training configuration")
    try:
        content = read_yaml(path)
    except ValueError as error:
        raise InputError(f"{path} is malformed ({error}); expected keys and values.") from error
    if not isinstance(content, Mapping):
        raise InputError(f"{path} is no training configuration; expected keys and values.")
    known = {field.name: field for field in fields(TrainingConfig)}
    unknown = [key for key in content if key not in known]
    lacking = [
        name
        for name, field in known.items()
        if field.default is field.default_factory is MISSING and content.get(name) is None
    ]
    if unknown or lacking:
        found = f"unknown keys {name_some(unknown)}" if unknown else f"no {name_some(lacking)}"
        raise InputError(f"{path} has {found}; expected the keys {', '.join(known)}.")
    kinds = get_type_hints(TrainingConfig)
    return TrainingConfig(
        **{
            key: _with_paths(value, kinds[key], path)
            for key, value in content.items()
            if value is not None
        }
    )


def _with_paths(value: Any, kind: Any, config: Path) -> Any:
    if get_origin(kind) is tuple:
        each = value if isinstance(value, list) else [value]
        return tuple(_resolved(file, config) for file in each)
    is_path = Path in (kind, *get_args(kind)) and value != NK_MODULES
    return _resolved(value, config) if is_path else value


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
