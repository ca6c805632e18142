from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nkpredict import inspect_profiles
from nkpredict.errors import InputError
from nkpredict.facts import InspectionFacts
from nkpredict.io import ReadingOptions


@pytest.fixture
def file(genes: list[str], tmp_path: Path) -> Path:
    values = np.random.default_rng(1).normal(5, 2, (120, 9))
    table = pd.DataFrame(values, genes, [f"P{i}" for i in range(9)])
    table.insert(0, "Length", 900)
    table.to_csv(tmp_path / "a.csv")
    return tmp_path / "a.csv"


def test_what_would_be_read_is_told(file: Path, bundle: Path) -> None:
    found = inspect_profiles(file, bundle)
    assert found.scored
    assert found.verdict == "Can be scored."
    assert (found.expression.samples, found.expression.genes) == (9, 120)
    assert found.expression.annotation_set_aside == ("Length (by its name)",)
    assert found.model.genes_found == found.model.genes_in_model == 120
    assert found.model.least_weight_coverage == pytest.approx(1)
    assert InspectionFacts.from_json(found.to_json()) == found


def test_a_refusal_is_a_verdict(file: Path, bundle: Path) -> None:
    table = pd.read_csv(file, index_col=0)
    pd.concat([table, table.iloc[:1] + 1]).to_csv(file)
    found = inspect_profiles(file, bundle)
    assert not found.scored
    assert found.expression is None
    assert "--duplicates" in found.verdict
    assert inspect_profiles(file, bundle, options=ReadingOptions(duplicates="max")).scored


def test_too_little_of_a_model_is_a_verdict(file: Path, bundle: Path) -> None:
    pd.read_csv(file, index_col=0).iloc[80:].to_csv(file)
    found = inspect_profiles(file, bundle)
    assert not found.scored
    assert found.model.samples_below_floor == 9
    assert "too little of the model" in found.verdict


def test_a_missing_file_is_an_error(bundle: Path) -> None:
    with pytest.raises(InputError, match="There is no file nowhere"):
        inspect_profiles("nowhere.csv", bundle)


def test_json_holds_what_the_table_shows(file: Path, bundle: Path) -> None:
    content = json.loads(json.dumps(inspect_profiles(file, bundle).to_json()))
    assert content["expression"]["orientation"] == "genes-by-samples"
    assert content["model"]["genes_in_model"] == 120
