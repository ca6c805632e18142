"""The model bundle: a folder of plain files, each checked against its hash before it is used."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from nkpredict.errors import BundleError, in_words, name_some
from nkpredict.facts import ModelFacts
from nkpredict.io import atomic_folder, to_json
from nkpredict.learn import CalibratedModel, GeneModel, KillingCurveModel
from nkpredict.registry._calibration import (
    calibrated_from,
    calibration_file_names,
    calibration_files,
)
from nkpredict.registry._card import model_card
from nkpredict.registry._contents import (
    SIGNATURE,
    json_from,
    list_files,
    read_plain_file,
    require_files,
)
from nkpredict.registry._killing_curve import curve_file_names, curve_files, curve_from
from nkpredict.registry._settings import registry_settings
from nkpredict.registry._signing import require_signature
from nkpredict.registry._state import (
    file_names,
    files_of,
    model_from,
    state_from,
    state_of,
)

FORMAT = "nkpredict-bundle"
FORMAT_VERSION, OLDEST_FORMAT = 2, 2
"""Format that is written, and the oldest one that is read; see docs/decisions/025."""
_MANIFEST, _METADATA, _CARD = "bundle.json", "metadata.json", "card.md"
_FILE = re.compile(r"[a-z0-9][a-z0-9-]{0,60}\.(?:json|npz|txt|md)")
_MOST_TREES = 500


@dataclass(frozen=True, repr=False)
class Bundle:
    """A fitted model and what is known about it.

    Attributes
    ----------
    model
        The fitted model.
    metadata
        Name, training data, response scale, performance and more.
    curve
        Predicts viability at each effector:target ratio; it rests on ``model``. None when it was
        not trained.
    """

    model: GeneModel
    metadata: ModelFacts = field(default_factory=ModelFacts)
    curve: KillingCurveModel | None = None

    @property
    def simulated(self) -> bool:
        """Whether the model was trained on simulated data."""
        return self.metadata.simulated

    @property
    def drivers(self) -> pd.DataFrame | None:
        """Genes that probably drive the training response, None when that was not asked.

        Columns ``gene, probability, effect``, see `nkpredict.explain.driver_scores`.
        """
        stored = self.metadata.drivers
        return None if stored is None else pd.DataFrame(stored.to_json())

    @property
    def reference(self) -> pd.DataFrame:
        """Samples that percentiles refer to: ``susceptibility``, ``observed``, ``lineage``."""
        held_out = getattr(self.model, "held_out_", None)
        table = pd.DataFrame({"susceptibility": self.model.reference_})
        if held_out is not None:
            table = table.set_axis(held_out.index)
            table["observed"] = held_out["observed"]
        training = self.metadata.training
        if training is not None and training.sample_lineage is not None:
            table["lineage"] = list(training.sample_lineage)
        return table.rename_axis("sample")

    def __repr__(self) -> str:
        """Summarise in one line."""
        mark = " SIMULATED" if self.simulated else ""
        kind = "reference" if self.model.knowledge_only else "training"
        return (
            f"Bundle {self.metadata.name or 'without a name'}{mark}: "
            f"{len(self.model.reference_)} {kind} samples, "
            f"{len(self.model.feature_names_in_):,} genes"
        )


def save_bundle(
    model: GeneModel | KillingCurveModel,
    folder: str | Path,
    metadata: ModelFacts | None = None,
) -> Path:
    """Write a fitted model as a folder without pickle.

    Parameters
    ----------
    model
        Fitted model; of a killing curve also the susceptibility model that it rests on.
    folder
        Folder to write; replaced as a whole when it exists.
    metadata
        What is known about the model.

    Returns
    -------
    pathlib.Path
        The folder, holding ``bundle.json`` (format and hashes), ``model.json``, ``arrays.npz``,
        ``trees-*.txt`` (LightGBM's text format), ``metadata.json`` and ``card.md``; of a killing
        curve also ``curve.json`` and, when used, the files of its component; of a calibrated
        model the files of the model that was calibrated, and ``calibration.json``.
    """
    metadata = metadata or ModelFacts()
    curve = model if isinstance(model, KillingCurveModel) else None
    rests_on = model.model_ if isinstance(model, KillingCurveModel) else model
    calibrated = rests_on if isinstance(rests_on, CalibratedModel) else None
    state = state_of(rests_on if calibrated is None else calibrated.fitted_model)
    files = {
        **files_of(state),
        _METADATA: to_json(metadata.to_json()).encode(),
        _CARD: model_card(rests_on, metadata, curve).encode(),
        **({} if curve is None else curve_files(curve)),
        **({} if calibrated is None else calibration_files(calibrated)),
    }
    manifest = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "simulated": metadata.simulated,
        "trees": len(state.trees),
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    with atomic_folder(folder) as temporary:
        for name, content in files.items():
            (temporary / name).write_bytes(content)
        (temporary / _MANIFEST).write_text(to_json(manifest), encoding="utf-8")
    return Path(folder)


def load_bundle(folder: str | Path) -> Bundle:
    """Read a bundle; nothing in it is taken on trust, and nothing is unpickled.

    Where ``signed_by`` in ``mlflow.yaml`` or ``NKPREDICT_SIGNED_BY`` names public keys or
    identities, one of them must have signed the bundle. Beyond that see `read_bundle`.

    Parameters
    ----------
    folder
        Folder written by `save_bundle`.

    Raises
    ------
    BundleError
        When the folder is no bundle, of a format that is not read, incomplete, altered, not signed
        as it must be, or holds what no bundle holds.
    InputError
        When ``mlflow.yaml`` is malformed.
    """
    keys = registry_settings().signed_by
    bundle = read_bundle(folder)
    if keys:
        require_signature(Path(folder), keys)
    return bundle


def read_bundle(folder: str | Path) -> Bundle:
    """Read a bundle, whoever made it.

    The files must be exactly those that the manifest lists, each with its hash. Sizes, headers and
    types are checked before arrays are made, and trees before LightGBM reads them.

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
        When the folder is no bundle, of a format that is not read, incomplete, altered, or holds
        what no bundle holds.
    """
    folder = Path(folder)
    found = _listed(folder)
    raw = read_plain_file(folder / _MANIFEST)
    manifest = _manifest(folder, raw)
    listed = manifest["sha256"]
    require_files(folder, found - {_MANIFEST, SIGNATURE}, listed)
    contents = {name: _unaltered(folder / name, digest) for name, digest in listed.items()}
    expected = [
        _METADATA,
        _CARD,
        *file_names(manifest["trees"]),
        *curve_file_names(listed),
        *calibration_file_names(listed),
    ]
    _require_listed(folder, listed, expected)
    try:
        state = state_from(contents, manifest["trees"])
        metadata = ModelFacts.from_json(json_from(contents[_METADATA], _METADATA))
    except Exception as error:  # whatever a damaged file does to the code that reads it
        raise BundleError(f"{folder} is damaged ({in_words(error)}).") from error
    rests_on = model_from(state)
    model = calibrated_from(contents, rests_on)
    _require_agreement(folder, manifest, model, metadata)
    digest = hashlib.sha256(raw).hexdigest()
    return Bundle(model, replace(metadata, sha256=digest), curve_from(contents, rests_on))


def _listed(folder: Path) -> set[str]:
    if not os.path.lexists(folder / _MANIFEST):
        raise BundleError(
            f"{folder} is no model bundle (it has no {_MANIFEST}); expected a folder written by "
            "nkpredict."
        )
    return list_files(folder)


def _unaltered(path: Path, digest: str) -> bytes:
    content = read_plain_file(path)
    if hashlib.sha256(content).hexdigest() != digest:
        raise BundleError(
            f"{path} is not the file that was saved (its SHA-256 differs from bundle.json); "
            "copy the model bundle again."
        )
    return content


def _require_listed(folder: Path, listed: Collection[str], expected: Sequence[str]) -> None:
    absent = [name for name in expected if name not in listed]
    if absent:
        raise BundleError(f"The model bundle {folder} does not list {name_some(absent)}.")
    foreign = sorted(set(listed) - set(expected))
    if foreign:
        raise BundleError(
            f"The model bundle {folder} lists {name_some(foreign)}, which no part of it reads; "
            "save the model again."
        )


def _manifest(folder: Path, raw: bytes) -> dict[str, Any]:
    path = folder / _MANIFEST
    try:
        manifest = json_from(raw, _MANIFEST)
        known, version = manifest["format"] == FORMAT, manifest["format_version"]
        trees, listed = manifest["trees"], manifest["sha256"]
    except (KeyError, ValueError) as error:
        raise BundleError(
            f"{path} is damaged ({in_words(error)}); copy the model bundle again."
        ) from error
    names = list(listed) if isinstance(listed, dict) else [""]
    complete = (
        type(version) is int
        and type(trees) is int
        and 0 <= trees <= _MOST_TREES
        and isinstance(manifest.get("simulated"), bool)
        and all(_FILE.fullmatch(name) for name in names)
    )
    if not known or not complete:
        raise BundleError(f"{path} does not describe a model bundle of nkpredict.")
    if version < OLDEST_FORMAT:
        raise BundleError(
            f"{folder} has bundle format {version}, which this nkpredict no longer reads (expected "
            f"{OLDEST_FORMAT} to {FORMAT_VERSION}); train the model again."
        )
    if version > FORMAT_VERSION:
        raise BundleError(
            f"{folder} has bundle format {version}; this nkpredict reads up to {FORMAT_VERSION}. "
            "Update nkpredict."
        )
    return manifest


def _require_agreement(
    folder: Path, manifest: dict[str, Any], model: GeneModel, metadata: ModelFacts
) -> None:
    """Refuse metadata that do not speak of the model beside them."""
    drivers, training = metadata.drivers, metadata.training
    lineage = None if training is None else training.sample_lineage
    lengths = (
        set()
        if drivers is None
        else {len(column) for column in (drivers.gene, drivers.probability, drivers.effect)}
    )
    wrong = {
        "simulated": manifest["simulated"] != metadata.simulated,
        "sample_lineage": lineage is not None and len(lineage) != len(model.reference_),
        "drivers": len(lengths) > 1,
    }
    named = [name for name, differs in wrong.items() if differs]
    if named:
        raise BundleError(
            f"{folder / _METADATA} does not fit the model beside it ({', '.join(named)}); copy the "
            "model bundle again."
        )
