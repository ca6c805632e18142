"""What MLflow serves says what `score` says, and refuses what it refuses."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nkpredict import Registry, load_bundle, save_bundle, score
from nkpredict.errors import InputError
from nkpredict.facts import ModelFacts
from tests.variants import ensembl_ids

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model_folder(trained_model, tmp_path_factory) -> Path:
    """Return the folder of an MLflow model in a registry."""
    folder = tmp_path_factory.mktemp("registry")
    bundle = save_bundle(trained_model, folder / "bundle", ModelFacts(name="m", simulated=True))
    Registry(folder / "registry").register(bundle, "m")
    return next(path.parent for path in (folder / "registry").rglob("MLmodel"))


@pytest.fixture(scope="module")
def served(model_folder: Path):
    import mlflow

    return mlflow.pyfunc.load_model(str(model_folder))


@pytest.fixture(scope="module")
def bundle(model_folder: Path):
    return load_bundle(next(model_folder.glob("data/**/bundle.json")).parent)


@pytest.fixture
def profiles(genes) -> pd.DataFrame:
    values = np.random.default_rng(3).normal(5, 2, (4, 120)).clip(0.1)
    return pd.DataFrame(values, columns=genes, index=["a", "b", "c", "d"])


@pytest.mark.parametrize(
    "form",
    [
        lambda table: table,
        lambda table: table.T,
        lambda table: table.rename(columns=str.lower),
        lambda table: table.set_axis(ensembl_ids(table.columns), axis=1).T,
        lambda table: {gene: table[gene].to_numpy() for gene in table},
        lambda table: {gene: table[gene].tolist() for gene in table},
    ],
    ids=["frame", "turned", "lower case", "Ensembl", "dict", "dict of lists"],
)
def test_it_says_what_score_says(served, bundle, profiles, form) -> None:
    given = form(profiles)
    found = served.predict(given)
    expected = score(profiles, bundle).table
    assert list(found.columns) == ["sample", *expected.columns]
    if not isinstance(given, dict):
        assert sorted(found["sample"]) == sorted(expected.index)
    for column in ("susceptibility", "lower", "upper", "novelty", "flags", "gene_coverage"):
        assert list(found[column]) == list(expected[column]), column


def test_one_sample_as_numbers_by_gene(served, bundle, profiles) -> None:
    found = served.predict(profiles.iloc[0].to_dict())
    expected = score(profiles.iloc[:1], bundle).table
    assert found["susceptibility"].tolist() == expected["susceptibility"].tolist()


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (lambda table: table.to_numpy(), "without gene names"),
        (lambda table: table.iloc[:, :10], "too little of the model"),
        (lambda table: {"TP53": [1, 2], "MYC": [1]}, "all as long"),
        (lambda table: table.to_numpy().tolist(), "The profiles are a list"),
        (lambda table: table.rename(columns=lambda gene: f"x{gene}"), "Could not tell genes"),
    ],
)
def test_it_refuses_what_score_refuses(served, profiles, form, message) -> None:
    with pytest.raises(InputError, match=message):
        served.predict(form(profiles))


def test_what_is_forced_is_flagged(served, profiles) -> None:
    found = served.predict(profiles.iloc[:, :10], params={"force": True})
    assert found["flags"].str.contains("forced").all()


def test_the_model_states_what_it_gives_and_needs(model_folder: Path, served) -> None:
    signature = served.metadata.signature
    assert "susceptibility" in signature.outputs.input_names()
    assert [one.name for one in signature.params.params] == ["force"]
    example = served.input_example
    assert served.predict(example)["susceptibility"].notna().all()
    for name in ("requirements.txt", "conda.yaml", "python_env.yaml"):
        # an index could answer with somebody else's package of that name
        assert "nkpredict" not in (model_folder / name).read_text()


def test_the_recipe_for_a_server_works(model_folder: Path, profiles, bundle) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--env-manager", "local"]
    server = subprocess.Popen(
        [*command, "-m", str(model_folder), "-p", str(port), "--host", "127.0.0.1"],
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        body = json.dumps({"dataframe_split": profiles.to_dict(orient="split")}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/invocations", body, {"Content-Type": "application/json"}
        )
        answer = _asked(request)
    finally:
        server.terminate()
        server.wait()
    found = pd.DataFrame(answer["predictions"])
    expected = score(profiles, bundle).table["susceptibility"]
    np.testing.assert_allclose(found["susceptibility"], expected, rtol=1e-6)


def _asked(request: urllib.request.Request) -> dict:
    for _ in range(120):
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return json.load(reply)
        except OSError:
            time.sleep(1)
    raise AssertionError("the server did not answer")
