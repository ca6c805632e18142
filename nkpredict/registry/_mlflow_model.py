"""A bundle as an MLflow model: what it takes and gives, an example, and what it needs."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nkpredict.learn import GeneModel
from nkpredict.registry._bundle import Bundle

_SERVED_BY = "nkpredict.serving"
_NEEDS = ("lightgbm", "numpy", "pandas", "scikit-learn", "scipy")
_NUMBERS = (
    "susceptibility",
    "lower",
    "upper",
    "percentile",
    "novelty",
    "gene_coverage",
    "weight_coverage",
    "original_scale",
)


def write_mlflow_model(mlflow: Any, folder: Path, data: str | Path, bundle: Bundle) -> None:
    """Write a bundle as an MLflow model.

    Parameters
    ----------
    mlflow
        The library, imported by the caller.
    folder
        To write.
    data
        Folder of the bundle.
    bundle
        What it holds.
    """
    mlflow.pyfunc.save_model(
        path=str(folder),
        loader_module=_SERVED_BY,
        data_path=str(data),
        # nkpredict itself is not named: an index could answer with somebody else's package
        pip_requirements=[f"{name}=={version(name)}" for name in _NEEDS],
        signature=_signature(),
        input_example=example_of(bundle.model),
        metadata={"simulated": bundle.simulated, "nkpredict_version": version("nkpredict")},
    )


def example_of(model: GeneModel) -> pd.DataFrame:
    """Return two profiles in the unit of the model's own: its average one and one beside it."""
    mean, spread = model.core_.harmoniser.mean_, model.core_.harmoniser.scale_
    values = np.round([mean, mean + np.resize([0.5, -0.5], len(mean)) * spread], 3)
    return pd.DataFrame(values, columns=model.feature_names_in_, index=["average", "beside"])


def _signature() -> Any:
    """State outputs and parameters.

    Inputs are not declared: MLflow would drop, without a word, columns that are declared otherwise,
    which are Ensembl ids, other cases and older symbols. The door for profiles reads them all.
    """
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema

    columns = [
        ColSpec("string", "sample"),
        *(ColSpec("double", name) for name in _NUMBERS),
        ColSpec("boolean", "in_domain"),
        ColSpec("string", "flags"),
    ]
    force = ParamSpec("force", "boolean", default=False)
    return ModelSignature(outputs=Schema(columns), params=ParamSchema([force]))
