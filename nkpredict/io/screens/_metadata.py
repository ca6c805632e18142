"""What the user says about screens beside their files: cell line, effector, perturbation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from nkpredict.errors import InputError, name_some
from nkpredict.io._tables import read_text_table
from nkpredict.io._writing import require_file
from nkpredict.vocabulary import UNKNOWN, Perturbation
from nkpredict.yaml_text import read_yaml

ScreenMetadata = Mapping[str, Mapping[str, str]] | str | Path
"""Screen name → fields, or the path of a YAML or CSV file that holds them."""

METADATA_FIELDS = ("cell_line", "perturbation", "effector", "species", "source", "experiment")
_SPECIES = ("human", "mouse", UNKNOWN)


def read_screen_metadata(metadata: ScreenMetadata | None) -> dict[str, dict[str, str]]:
    """Read what the user says about screens, from a mapping or a YAML or CSV file.

    Parameters
    ----------
    metadata
        Screen name → fields of ``METADATA_FIELDS``, or the path of a file with them.

    Returns
    -------
    dict
        Screen name → the fields that are filled in.

    Raises
    ------
    InputError
        When a field or its value is unknown, or the file is malformed.
    """
    if metadata is None:
        return {}
    where = "The metadata"
    if isinstance(metadata, str | Path):
        where = str(metadata)
        metadata = _load_metadata(require_file(metadata, "metadata of the screens"))
    described: dict[str, dict[str, str]] = {}
    for screen, fields in metadata.items():
        if not isinstance(fields, Mapping):
            raise InputError(
                f"{where} give {fields!r} for the screen {screen}; expected the fields "
                f"{', '.join(METADATA_FIELDS)}."
            )
        foreign = sorted(str(name) for name in fields if name not in METADATA_FIELDS)
        if foreign:
            raise InputError(
                f"{where} have the field {name_some(foreign)} for the screen {screen}; expected "
                f"{', '.join(METADATA_FIELDS)}."
            )
        described[str(screen).strip()] = {
            name: str(value).strip()
            for name, value in fields.items()
            if value is not None and not pd.isna(value) and str(value).strip()
        }
        for name, allowed in (("perturbation", tuple(Perturbation)), ("species", _SPECIES)):
            value = described[str(screen).strip()].get(name)
            if value is not None and value not in allowed:
                raise InputError(
                    f"{where} give the {name} {value!r} for the screen {screen}; expected "
                    f"{' or '.join(allowed)}."
                )
    return described


def _load_metadata(path: Path) -> Mapping[str, Mapping[str, str]]:
    if path.suffix.lower() in (".yaml", ".yml"):
        try:
            content = read_yaml(path)
        except ValueError as error:
            raise InputError(
                f"{path} is not well-formed ({error}); expected screen names with their fields."
            ) from error
        if not isinstance(content, dict):
            raise InputError(f"{path} holds no mapping; expected screen names with their fields.")
        return content
    table = read_text_table(path, "metadata of the screens")
    if "screen" not in table.columns:
        raise InputError(
            f"{path} has the columns {name_some(table.columns)}; expected screen and any of "
            f"{', '.join(METADATA_FIELDS)}."
        )
    repeated = table.loc[table["screen"].duplicated(), "screen"]
    if len(repeated):
        raise InputError(
            f"{path} describes {name_some(repeated.unique())} more than once; expected every "
            "screen once."
        )
    fields = table.drop(columns="screen").to_dict(orient="records")
    named = [{str(name): value for name, value in row.items()} for row in fields]
    return dict(zip(table["screen"].astype(str), named, strict=True))
