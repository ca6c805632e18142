"""A bundle behind MLflow's door; MLflow finds the loader by the name of this room."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from nkpredict.errors import InputError
from nkpredict.registry import Bundle, load_bundle
from nkpredict.scoring import score


class ServedModel:
    """What ``mlflow.pyfunc.load_model`` returns inside.

    Parameters
    ----------
    bundle
        Model to serve.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle

    def predict(self, model_input: Any, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Score profiles: read, checked and refused as by `nkpredict.score`.

        Parameters
        ----------
        model_input
            DataFrame of samples × genes, or turned; or values by gene name. Symbols in any case or
            Ensembl ids.
        params
            ``force``: score what would be refused; every sample is then flagged ``forced``.

        Returns
        -------
        pandas.DataFrame
            One row a sample: ``sample`` and the columns of `nkpredict.Scores.table`.

        Raises
        ------
        InputError
            When the profiles have no gene names, cannot be read or hold too little of the model.
        """
        asked = params or {}
        scores = score(_profiles(model_input), self.bundle, force=bool(asked.get("force", False)))
        return scores.table.reset_index()


def _profiles(given: Any) -> Any:
    """Return named profiles; values by gene name come as a mapping."""
    if not isinstance(given, Mapping):
        return given
    lengths = {np.size(values) for values in given.values()}
    if len(lengths) != 1 or any(np.ndim(values) > 1 for values in given.values()):
        raise InputError(
            f"The profiles are values of {len(given)} genes with {sorted(lengths)[:5]} samples "
            "each; expected one list of numbers for each gene name, all as long."
        )
    return pd.DataFrame({str(gene): np.ravel(values) for gene, values in given.items()})


def _load_pyfunc(path: str) -> ServedModel:
    return ServedModel(load_bundle(path))
