"""`nkpredict calibrate` and `nkpredict compare` as their user meets them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from nkpredict import NKSusceptibilityModel, Registry, save_bundle
from nkpredict.facts import ModelFacts
from nkpredict.testing import toy_panel

pytestmark = pytest.mark.slow

PANEL = toy_panel()
NEW = np.arange(60) % 3 == 0
KILLING = (20 + 50 * PANEL.susceptibility[NEW]).rename("killing")


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    folder = tmp_path_factory.mktemp("laboratory")
    model = NKSusceptibilityModel(evidence=PANEL.evidence).fit(
        PANEL.profiles[~NEW], PANEL.susceptibility[~NEW]
    )
    save_bundle(model, folder / "bundle", ModelFacts(name="toy"))
    Registry(folder / "registry").register(folder / "bundle", "toy")
    return folder / "registry"


@pytest.fixture
def lines(tmp_path):
    own = PANEL.profiles[NEW].iloc[:10].assign(killing=KILLING.iloc[:10])
    own.rename_axis("line").to_csv(tmp_path / "lines.csv")
    PANEL.profiles[NEW].iloc[10:].to_csv(tmp_path / "patients.csv")
    PANEL.profiles[~NEW].iloc[:20].to_csv(tmp_path / "others.csv")
    return tmp_path / "lines.csv"


@pytest.mark.parametrize("command", ["calibrate", "compare"])
def test_the_help_shows_an_example_in_80_columns(run, command) -> None:
    code, out, _ = run(command, "--help")
    assert code == 0
    assert f"nkpredict {command}" in out
    assert max(map(len, out.splitlines())) <= 80


def test_calibrating_says_what_the_lines_bought_and_the_model_scores(
    run, registry, lines, tmp_path
) -> None:
    code, said, _ = run(
        "calibrate", "--model", "toy@champion", "--own", lines, "--target", "killing",
        "--direction", "higher-is-sensitive", "--name", "toy-lab", "--registry", registry,
        "--json", tmp_path / "calibration.json",
    )  # fmt: skip
    assert code == 0
    for words in ("Own lines, measured and predicted", "left out in turn", "Registered toy-lab/1"):
        assert words in said
    content = json.loads((tmp_path / "calibration.json").read_text("utf-8"))
    assert content["registered"] == "toy-lab/1"
    assert content["calibration"]["gain"]["lines"] == 10
    code, said, _ = run(
        "score", tmp_path / "patients.csv", "--model", "toy-lab", "--registry", registry,
        "--out", tmp_path / "results",
    )  # fmt: skip
    assert code == 0
    assert "Model: toy-lab/1" in said
    assert "Calibrated to 10 own lines" in said
    code, said, _ = run("models", "show", "toy-lab", "--registry", registry)
    assert code == 0
    assert "Calibrated to a laboratory" in said


def test_lines_that_contradict_end_with_one_sentence(run, registry, lines) -> None:
    code, said, error = run(
        "calibrate", "--model", "toy", "--own", lines, "--target", "killing",
        "--direction", "lower-is-sensitive", "--name", "toy-wrong", "--registry", registry, "-q",
    )  # fmt: skip
    assert (code, said) == (2, "")
    assert error.startswith("nkpredict: The 10 own lines contradict the model")
    assert "Traceback" not in error


def test_comparing_says_the_verdict_first_and_writes_tables_and_figures(
    run, registry, lines, tmp_path
) -> None:
    code, said, _ = run(
        "compare", tmp_path / "patients.csv", tmp_path / "others.csv", "--model", "toy",
        "--registry", registry, "--out", tmp_path / "compared", "--json", tmp_path / "found.json",
    )  # fmt: skip
    assert code == 0
    assert said.startswith("Verdict: with care.\nNote: 20 of the 20 samples of others")
    for words in ("Scores of the cohorts", "Genes that make the difference", "Mann-Whitney"):
        assert words in said
    assert (tmp_path / "compared" / "cohorts.png").stat().st_size > 10_000
    assert json.loads((tmp_path / "found.json").read_text("utf-8"))["verdict"] == "with care"
    code, _, error = run(
        "compare", tmp_path / "patients.csv", tmp_path / "nothing.csv", "--model", "toy",
        "--registry", registry, "-q",
    )  # fmt: skip
    assert code == 2
    assert "nothing.csv" in error
