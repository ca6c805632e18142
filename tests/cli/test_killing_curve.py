"""Killing curves from the command line: train, show, score."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nkpredict import Registry, load_bundle, read_panel, simulate_study
from nkpredict.io import area_under_curve
from nkpredict.training import read_spec


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study") / "s"
    return simulate_study(folder, n_genes=300, n_patients=6, random_state=1)


@pytest.fixture(scope="module")
def spec(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("spec") / "small.yaml"
    path.write_text(
        "name: small\nrandom_state: 0\nfolds: 3\nridge: {}\n"
        "boosting: {trees: 10, models: 1, selected_genes: 50}\nsearch_space: {}\n"
        "evaluation: {folds: 3, repeats: 1, trials: 0}\n"
    )
    return path


@pytest.mark.slow
def test_from_a_viability_file_to_curves_of_patients(run, study, spec, tmp_path: Path) -> None:
    registry, folder, out = tmp_path / "registry", tmp_path / "run", tmp_path / "out"
    code, said, progress = run(
        "train", "--expression", study.expression, "--response", study.viability,
        "--obs", study.lines, "--spec", spec, "--name", "m", "--curves", "--jobs", "1",
        "--run-folder", folder, "--registry", registry, "--json", tmp_path / "train.json",
    )  # fmt: skip
    assert code == 0
    assert "Error of the viability" in said
    assert "curves" in progress
    errors = pd.read_csv(folder / "curves.csv")
    assert list(errors["ratio"]) == [0.625, 1.25, 2.5, 5]
    assert (errors[["rmse", "rmse_mean_curve"]] > 5).all(axis=None)
    assert (errors["note"] == "SIMULATED").all()
    told = json.loads((tmp_path / "train.json").read_text())["curves"]
    assert told["ratios"] == [0, 0.625, 1.25, 2.5, 5]
    np.testing.assert_allclose(told["errors"]["rmse"], errors["rmse"], rtol=1e-5)

    # the susceptibility model is the one of a run without curves
    panel = read_panel(study.expression, study.viability, obs=study.lines)
    expected = read_spec(spec).model().fit(panel.to_df(), panel.obs["susceptibility"])
    bundle = load_bundle(folder / "bundle")
    assert bundle.model.predict(panel).tobytes() == expected.predict(panel).tobytes()
    registered = Registry(registry).load("m").curve
    pd.testing.assert_frame_equal(
        registered.predict_curve(panel), bundle.curve.predict_curve(panel), check_exact=True
    )

    code, said, _ = run("models", "show", "m", "--registry", registry)
    assert code == 0
    assert "E:T ratios 0, 0.625, 1.25, 2.5, 5" in " ".join(said.split())
    assert run(
        "score", study.patients, "--model", "m", "--registry", registry, "--out", out, "-q"
    )[0] == 0  # fmt: skip
    curves = pd.read_csv(out / "viability.csv", index_col="sample").drop(columns="note")
    curves.columns = [float(name.rsplit("_", 1)[1]) for name in curves]
    scores = pd.read_csv(out / "scores.csv", index_col="sample")
    possible = scores["susceptibility"].between(0, 0.9375)
    np.testing.assert_allclose(
        area_under_curve(curves)["viability_auc"][possible],
        1 - scores.loc[possible, "susceptibility"],
        atol=1e-4,
    )


def test_curves_without_viability_by_ratio_are_refused(run, study, spec, tmp_path: Path) -> None:
    panel = read_panel(study.expression, study.viability, obs=study.lines)
    panel.obs["viability_auc"].rename_axis("sample").to_csv(tmp_path / "areas.csv")
    code, _, errors = run(
        "train", "--expression", study.expression, "--response", tmp_path / "areas.csv",
        "--direction", "lower-is-sensitive", "--spec", spec, "--name", "m", "--curves",
        "--run-folder", tmp_path / "run", "--registry", tmp_path / "registry", "-q",
    )  # fmt: skip
    assert code == 2
    assert len(errors.strip().splitlines()) == 1
    assert "areas.csv is a simple table of one value a sample (viability_auc)" in errors
    assert "leave out --curves" in errors
    assert [path.name for path in tmp_path.iterdir()] == ["areas.csv"]


def test_curves_of_a_recipe_within_lineages_are_refused(run, study, spec, tmp_path: Path) -> None:
    within = tmp_path / "within.yaml"
    within.write_text(spec.read_text() + "within_groups: true\n")
    code, _, errors = run(
        "train", "--expression", study.expression, "--response", study.viability, "--spec", within,
        "--name", "m", "--curves", "--run-folder", tmp_path / "run", "-q",
    )  # fmt: skip
    assert code == 2
    assert "the recipe learns within lineages" in errors
    assert not (tmp_path / "run").exists()
