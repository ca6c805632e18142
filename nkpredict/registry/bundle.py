"""The model bundle: a folder of plain files, each checked against its hash before it is used."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nkpredict.errors import BundleError, name_some
from nkpredict.io.writing import atomic_folder, to_json
from nkpredict.learn.gene_model import GeneModel
from nkpredict.registry.card import model_card
from nkpredict.registry.state import ModelState, model_from, state_of

FORMAT = "nkpredict-bundle"
FORMAT_VERSION = 2
_MANIFEST = "bundle.json"
_SETTINGS = "model.json"
_ARRAYS = "arrays.npz"
_METADATA = "metadata.json"


@dataclass(frozen=True, repr=False)
class Bundle:
    """A fitted model and what is known about it.

    Attributes
    ----------
    model
        The fitted model.
    metadata
        Name, training data, response scale, performance, ``simulated`` and more.
    """

    model: GeneModel
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def simulated(self) -> bool:
        """Whether the model was trained on simulated data."""
        return bool(self.metadata.get("simulated", False))

    @property
    def drivers(self) -> pd.DataFrame | None:
        """Genes that probably drive the training response, None when that was not asked.

        Columns ``gene, probability, effect``, see `nkpredict.explain.driver_scores`.
        """
        stored = self.metadata.get("drivers")
        return None if stored is None else pd.DataFrame(stored)

    @property
    def reference(self) -> pd.DataFrame:
        """Samples that percentiles refer to: ``susceptibility``, ``observed``, ``lineage``."""
        held_out = getattr(self.model, "held_out_", None)
        table = pd.DataFrame({"susceptibility": self.model.reference_})
        if held_out is not None:
            table = table.set_axis(held_out.index)
            table["observed"] = held_out["observed"]
        lineage = self.metadata.get("training", {}).get("sample_lineage")
        if lineage is not None:
            table["lineage"] = lineage
        return table.rename_axis("sample")

    def __repr__(self) -> str:
        """Summarise in one line."""
        mark = " SIMULATED" if self.simulated else ""
        kind = "reference" if self.model.knowledge_only else "training"
        return (
            f"Bundle {self.metadata.get('name', 'without a name')}{mark}: "
            f"{len(self.model.reference_)} {kind} samples, "
            f"{len(self.model.feature_names_in_):,} genes"
        )


def save_bundle(
    model: GeneModel, folder: str | Path, metadata: Mapping[str, Any] | None = None
) -> Path:
    """Write a fitted model as a folder without pickle.

    Parameters
    ----------
    model
        Fitted model.
    folder
        Folder to write; replaced as a whole when it exists.
    metadata
        What is known about the model, as plain JSON values.

    Returns
    -------
    pathlib.Path
        The folder, holding ``bundle.json`` (format and hashes), ``model.json``, ``arrays.npz``,
        ``trees-*.txt`` (LightGBM's text format), ``metadata.json`` and ``card.md``.
    """
    metadata = dict(metadata or {})
    state = state_of(model)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **state.arrays)
    files = {
        _ARRAYS: buffer.getvalue(),
        _SETTINGS: to_json(state.settings).encode(),
        _METADATA: to_json(metadata).encode(),
        "card.md": model_card(model, metadata).encode(),
        **{f"trees-{i}.txt": text.encode() for i, text in enumerate(state.trees)},
    }
    manifest = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "simulated": bool(metadata.get("simulated", False)),
        "trees": len(state.trees),
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    with atomic_folder(folder) as temporary:
        for name, content in files.items():
            (temporary / name).write_bytes(content)
        (temporary / _MANIFEST).write_text(to_json(manifest), encoding="utf-8")
    return Path(folder)


def load_bundle(folder: str | Path) -> Bundle:
    """Read a bundle; every file is compared with its hash first, and nothing is unpickled.

    Parameters
    ----------
    folder
        Folder written by `save_bundle`.

    Returns
    -------
    Bundle

    Raises
    ------
    BundleError
        When the folder is no bundle, of a newer format, incomplete or altered.
    """
    folder = Path(folder)
    manifest = _manifest(folder)
    contents: dict[str, bytes] = {}
    for name, expected in manifest["sha256"].items():
        path = folder / Path(name).name
        if not path.is_file():
            raise BundleError(f"The model bundle {folder} lacks {name}; copy it again as a whole.")
        contents[name] = path.read_bytes()
        if hashlib.sha256(contents[name]).hexdigest() != expected:
            raise BundleError(
                f"{path} is not the file that was saved (its SHA-256 differs from bundle.json); "
                "copy the model bundle again."
            )
    required = [
        _ARRAYS,
        _SETTINGS,
        _METADATA,
        *(f"trees-{i}.txt" for i in range(manifest["trees"])),
    ]
    absent = [name for name in required if name not in contents]
    if absent:
        raise BundleError(f"The model bundle {folder} does not list {name_some(absent)}.")
    with np.load(io.BytesIO(contents[_ARRAYS]), allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    trees = tuple(contents[f"trees-{i}.txt"].decode() for i in range(manifest["trees"]))
    model = model_from(ModelState(arrays, json.loads(contents[_SETTINGS]), trees))
    metadata = json.loads(contents[_METADATA])
    metadata["sha256"] = hashlib.sha256((folder / _MANIFEST).read_bytes()).hexdigest()
    return Bundle(model, metadata)


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / _MANIFEST
    if not path.is_file():
        raise BundleError(
            f"{folder} is no model bundle (it has no {_MANIFEST}); expected a folder written by "
            "nkpredict."
        )
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        known = manifest["format"] == FORMAT
        version = int(manifest["format_version"])
        complete = isinstance(manifest["sha256"], dict) and isinstance(manifest["trees"], int)
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        raise BundleError(f"{path} is damaged ({error}); copy the model bundle again.") from error
    if not known or not complete:
        raise BundleError(f"{path} does not describe a model bundle of nkpredict.")
    if version < FORMAT_VERSION:
        raise BundleError(
            f"{folder} has bundle format {version}, which this nkpredict no longer reads (expected "
            f"{FORMAT_VERSION}); train the model again."
        )
    if version > FORMAT_VERSION:
        raise BundleError(
            f"{folder} has bundle format {version}; this nkpredict reads up to {FORMAT_VERSION}. "
            "Update nkpredict."
        )
    return dict(manifest)
