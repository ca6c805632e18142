"""The model bundle: a folder of plain files, each checked against its hash before it is used."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from nkpredict.errors import BundleError, InputError, name_some
from nkpredict.facts import ModelFacts
from nkpredict.io import atomic_folder, to_json
from nkpredict.learn import CalibratedModel, GeneModel, KillingCurveModel
from nkpredict.registry._calibration import calibrated_from, calibration_files
from nkpredict.registry._card import model_card
from nkpredict.registry._killing_curve import curve_files, curve_from
from nkpredict.registry._state import file_names, files_of, model_from, state_from, state_of

FORMAT = "nkpredict-bundle"
FORMAT_VERSION = 2
_MANIFEST = "bundle.json"
_METADATA = "metadata.json"


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
        "card.md": model_card(rests_on, metadata, curve).encode(),
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
    required = [_METADATA, *file_names(manifest["trees"])]
    absent = [name for name in required if name not in contents]
    if absent:
        raise BundleError(f"The model bundle {folder} does not list {name_some(absent)}.")
    model = model_from(state_from(contents, manifest["trees"]))
    try:
        metadata = ModelFacts.from_json(json.loads(contents[_METADATA]))
    except InputError as error:
        raise BundleError(f"{folder / _METADATA} is not understood: {error}") from error
    digest = hashlib.sha256((folder / _MANIFEST).read_bytes()).hexdigest()
    curve = curve_from(contents, model)
    return Bundle(calibrated_from(contents, model), replace(metadata, sha256=digest), curve)


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
