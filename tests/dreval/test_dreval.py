"""The model keeps drevalpy's contract; where drevalpy is installed, in its own experiment."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nkpredict.dreval import MODEL_NAME, SingleDrugSusceptibility, drp_model
from nkpredict.errors import InputError


def features_of(expression: pd.DataFrame) -> Any:
    return SimpleNamespace(
        meta_info={"gene_expression": expression.columns.to_numpy()},
        get_feature_matrix=lambda view, identifiers: expression.loc[list(identifiers)].to_numpy(),
    )


def responses_of(response: pd.Series) -> Any:
    return SimpleNamespace(
        response=response.to_numpy(), cell_line_ids=response.index.to_numpy(dtype=object)
    )


@pytest.fixture(scope="module")
def measured() -> tuple[pd.DataFrame, pd.Series]:
    """Return 60 cell lines × 80 genes, and a ln IC50 that falls with the first five genes."""
    rng = np.random.default_rng(0)
    lines = [f"line {number}" for number in range(60)]
    expression = pd.DataFrame(rng.normal(6, 2, (60, 80)), index=lines)
    expression.columns = [f"G{number}" for number in range(80)]
    sensitive = expression.iloc[:, :5].sum(axis=1)
    return expression, 3 - (sensitive - sensitive.mean()) / 4 + rng.normal(0, 0.3, 60)


def trained(expression: pd.DataFrame, response: pd.Series) -> SingleDrugSusceptibility:
    model = SingleDrugSusceptibility()
    model.build_model(model.get_hyperparameter_set()[0])
    model.train(responses_of(response), features_of(expression))
    return model


def test_predictions_are_on_the_scale_and_have_the_sign_of_the_response(measured) -> None:
    expression, response = measured
    known = pd.concat([response.iloc[:45], response.iloc[:2]])  # two lines measured twice
    model = trained(expression, known)
    new = response.index[45:]
    predicted = model.predict(new.to_numpy(), np.repeat("drug", 15), features_of(expression))
    assert predicted.shape == (15,)
    assert np.corrcoef(predicted, response[new])[0, 1] > 0.5
    assert response.min() <= predicted.min() < predicted.max() <= response.max()


@pytest.mark.parametrize("change", ["few", "constant"])
def test_the_mean_is_predicted_where_nothing_can_be_learned(measured, change: str) -> None:
    expression, response = measured
    known = response.iloc[:8] if change == "few" else response * 0 + 2.0
    predicted = trained(expression, known).predict(
        expression.index[:3], None, features_of(expression)
    )
    np.testing.assert_allclose(predicted, known.mean())


def test_nothing_is_predicted_before_training(measured) -> None:
    model = SingleDrugSusceptibility()
    model.build_model({})
    with pytest.raises(InputError, match="train before predict"):
        model.predict(["line 0"], None, features_of(measured[0]))


def test_it_is_said_that_drevalpy_is_missing(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "drevalpy.models.drp_model", None)
    with pytest.raises(InputError, match="pip install drevalpy"):
        drp_model()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("mode", ["LCO", "LTO"])
def test_an_experiment_of_drevalpy_runs(measured, mode: str, tmp_path) -> None:
    pytest.importorskip("drevalpy", reason="drevalpy is not installed")
    from drevalpy.datasets.dataset import DrugResponseDataset
    from drevalpy.experiment import drug_response_experiment

    expression, response = measured
    (tmp_path / "toy").mkdir()
    expression.rename_axis("cell_line_name").to_csv(tmp_path / "toy" / "gene_expression.csv")
    lines = expression.index.rename("cell_line_name")
    lines.to_frame(index=False).to_csv(tmp_path / "toy" / "cell_line_names.csv", index=False)
    drugs = pd.DataFrame({"pubchem_id": ["drug A", "drug B"], "drug_name": ["A", "B"]})
    drugs.to_csv(tmp_path / "toy" / "drug_names.csv", index=False)
    responses = DrugResponseDataset(
        response=np.concatenate([response, response + 1]),
        cell_line_ids=np.tile(response.index.to_numpy(dtype=str), 2),
        drug_ids=np.repeat(["drug A", "drug B"], len(response)),
        tissues=np.tile(np.repeat(["blood", "lung", "skin", "brain"], 15), 2),
        dataset_name="toy",
    )
    drug_response_experiment(
        [drp_model()],
        responses,
        test_mode=mode,
        n_cv_splits=4,
        run_id="run",
        path_out=str(tmp_path / "out"),
        path_data=str(tmp_path),
        hpam_optimization_metric="RMSE",
    )
    files = sorted((tmp_path / "out").rglob(f"*{MODEL_NAME}*/**/predictions*.csv"))
    predicted = pd.concat([pd.read_csv(file) for file in files])
    assert set(predicted["cell_line_name"]) == set(expression.index)
    assert predicted["predictions"].corr(predicted["response"]) > 0.5
