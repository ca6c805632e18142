"""What drevalpy asks of a model of one drug, answered by `NKSusceptibilityModel`."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
import pandas as pd

from nkpredict.errors import InputError
from nkpredict.learn import MINIMUM_SAMPLES, ChanceSkillWarning, NKSusceptibilityModel
from nkpredict.types import FloatArray

MODEL_NAME = "NKPredict"
"""Name of the model in drevalpy's tables."""

_VIEW = "gene_expression"


class Responses(Protocol):
    """What is read of drevalpy's ``DrugResponseDataset``."""

    response: Any
    cell_line_ids: Any


class Features(Protocol):
    """What is read of drevalpy's ``FeatureDataset``."""

    meta_info: Mapping[str, Any]

    def get_feature_matrix(self, view: str, identifiers: Any) -> Any:
        """Return cell lines × genes."""


class SingleDrugSusceptibility:
    """A model of one drug, fitted anew for each drug; methods and names are drevalpy's.

    Lower responses (ln IC50, area under the curve) mean more sensitive there and higher ones here,
    so the response is turned when it is learned and when it is predicted. No evidence is given:
    screens of NK cells say nothing about drugs.

    drevalpy holds out cell lines (``LCO``), tissues (``LTO``), drugs (``LDO``) or pairs
    (``LPO``). A model of one drug cannot predict a drug it has never seen: ``LDO`` is not for it.
    """

    is_single_drug_model: ClassVar[bool] = True
    early_stopping: ClassVar[bool] = False
    cell_line_views: ClassVar[list[str]] = [_VIEW]
    drug_views: ClassVar[list[str]] = []

    fitted: NKSusceptibilityModel | float | None = None

    @classmethod
    def get_model_name(cls) -> str:
        """Return the name in drevalpy's tables."""
        return MODEL_NAME

    @classmethod
    def get_hyperparameter_set(cls) -> list[dict[str, Any]]:
        """Return one empty set: nothing is tuned."""
        return [{}]

    def build_model(self, hyperparameters: Mapping[str, Any]) -> None:
        """Forget what was fitted.

        Parameters
        ----------
        hyperparameters
            ``random_state`` or nothing.
        """
        self.random_state = int(hyperparameters.get("random_state", 0))
        self.fitted = None

    def train(
        self,
        output: Responses,
        cell_line_input: Features,
        drug_input: object = None,
        output_earlystopping: object = None,
        model_checkpoint_dir: str = "checkpoints",
    ) -> None:
        """Fit on the responses of one drug.

        With fewer than 20 responses, or all of them alike, the mean is predicted.

        Parameters
        ----------
        output
            Responses and names of the cell lines.
        cell_line_input
            Holds the expression of each cell line.
        drug_input, output_earlystopping, model_checkpoint_dir
            Not used.

        Raises
        ------
        InputError
            When cell lines have no expression that can be read.
        """
        response = np.asarray(output.response, dtype=np.float64)
        if len(response) < MINIMUM_SAMPLES or np.ptp(response) == 0:
            self.fitted = float(response.mean()) if len(response) else float("nan")
            return
        profiles = _profiles(cell_line_input, output.cell_line_ids)
        model = NKSusceptibilityModel(random_state=getattr(self, "random_state", 0))
        with warnings.catch_warnings():
            # the benchmark is what says how good a model is
            warnings.simplefilter("ignore", ChanceSkillWarning)
            self.fitted = model.fit(profiles, -response)

    def predict(
        self,
        cell_line_ids: Any,
        drug_ids: object,
        cell_line_input: Features,
        drug_input: object = None,
    ) -> FloatArray:
        """Predict the response of cell lines, on the scale of the training responses.

        Parameters
        ----------
        cell_line_ids
            Names of the cell lines.
        drug_ids, drug_input
            Not used: there is one drug.
        cell_line_input
            Holds the expression of each cell line.

        Raises
        ------
        InputError
            When nothing was trained.
        """
        if self.fitted is None:
            raise InputError("Found a model that was not trained; expected train before predict.")
        if isinstance(self.fitted, float):
            return np.full(len(cell_line_ids), self.fitted)
        return -self.fitted.predict(_profiles(cell_line_input, cell_line_ids))

    def load_cell_line_features(self, data_path: str, dataset_name: str) -> Any:
        """Read the expression of all genes as drevalpy stores it.

        Parameters
        ----------
        data_path, dataset_name
            Folder of drevalpy's data, and the data set in it.
        """
        from drevalpy.models.utils import load_and_select_gene_features

        return load_and_select_gene_features(_VIEW, None, str(Path(data_path)), dataset_name)

    def load_drug_features(self, data_path: str, dataset_name: str) -> None:
        """Return nothing: the drug is not described."""


def drp_model() -> type[Any]:
    """Return the model as a subclass of drevalpy's ``DRPModel``, for its experiments.

    drevalpy is installed beside nkpredict; it is loaded here and not before. It looks models of one
    drug up by their name, so the class is entered in its lists as `MODEL_NAME`.

    Returns
    -------
    type
        Built without arguments, as drevalpy builds its models.

    Raises
    ------
    InputError
        When drevalpy is not installed.

    Examples
    --------
    Cell lines left out, with responses in drevalpy's ``DrugResponseDataset``::

        from drevalpy.experiment import drug_response_experiment

        drug_response_experiment([drp_model()], responses, test_mode="LCO")
    """
    try:
        from drevalpy import models
        from drevalpy.models.drp_model import DRPModel
    except ImportError as error:
        raise InputError(
            "The benchmark DrEval needs drevalpy, which is not installed; install it beside "
            "nkpredict, in an environment of its own: pip install drevalpy."
        ) from error
    known: dict[str, type[Any]] = models.SINGLE_DRUG_MODEL_FACTORY
    if MODEL_NAME not in known:
        described = {"__doc__": SingleDrugSusceptibility.__doc__}
        known[MODEL_NAME] = type(MODEL_NAME, (SingleDrugSusceptibility, DRPModel), described)
        models.MODEL_FACTORY[MODEL_NAME] = known[MODEL_NAME]
    return known[MODEL_NAME]


def _profiles(features: Features, names: Any) -> pd.DataFrame:
    values = np.asarray(features.get_feature_matrix(_VIEW, np.asarray(names)), dtype=np.float64)
    genes = pd.Index(np.asarray(features.meta_info[_VIEW]).astype(str))
    # a line may have been measured twice with one drug; samples are told apart by their place
    table = pd.DataFrame(values, columns=genes)
    once: pd.DataFrame = table.loc[:, ~genes.duplicated()]
    return once
