"""The whole way on a small simulated study, and what happens when it is interrupted."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nkpredict import Registry, score, simulate_study, train
from nkpredict.errors import InputError
from nkpredict.training import InputFiles, TrainingConfig, read_config, read_inputs, read_spec


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return simulate_study(
        tmp_path_factory.mktemp("study") / "s", n_genes=300, n_patients=8, random_state=1
    )


@pytest.fixture(scope="module")
def spec(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("spec") / "small.yaml"
    path.write_text(
        "name: small\nrandom_state: 0\nfolds: 3\nridge: {}\n"
        "boosting: {trees: 15, models: 1, selected_genes: 50}\n"
        "search_space:\n  boosting__selected_genes: {type: int, low: 20, high: 100}\n"
        "evaluation: {folds: 3, repeats: 1, trials: 2}\n"
    )
    return path


@pytest.fixture
def config(study, spec: Path, tmp_path: Path) -> TrainingConfig:
    return TrainingConfig(
        expression=study.expression,
        response=study.viability,
        replicates=study.replicates,
        obs=study.lines,
        screens=(study.screens,),
        name="small",
        spec=str(spec),
        run_folder=tmp_path / "run",
        registry=str(tmp_path / "registry"),
        jobs=1,
    )


def test_lines_count_by_the_precision_of_their_response(config) -> None:
    inputs = read_inputs(config)
    weights = inputs.precision
    assert list(weights.index) == list(inputs.panel.obs_names)
    assert 0 < weights.min() < weights.max()
    assert any("--no-weights counts them alike" in line for line in inputs.sentences())
    alike = read_inputs(replace(config, no_weights=True))
    assert alike.precision is None
    assert alike.provenance.response.weights is None
    assert inputs.provenance.response.weights.most == pytest.approx(weights.max())
    assert read_inputs(replace(config, replicates=None)).precision is None


@pytest.mark.slow
def test_from_files_to_a_registered_model_and_scores(config, study, tmp_path: Path) -> None:
    stages: list[str] = []
    run = train(config, progress=lambda stage, done, total: stages.append(stage))
    assert list(dict.fromkeys(stages)) == [
        "reading",
        "evaluating",
        "tuning",
        "fitting",
        "drivers",
        "registering",
    ]
    assert run.registered == "small/1"
    assert run.bundle.simulated
    for name in ("performance.csv", "predictions.csv", "settings.csv"):
        assert "SIMULATED" in (run.folder / name).read_text()
    assert (run.folder / "figures" / "performance.png").stat().st_size > 5000
    assert "SIMULATED" in (run.folder / "bundle" / "card.md").read_text()
    ceiling = run.bundle.metadata.response.replicates.spearman_ceiling
    assert 0.8 < ceiling <= 1
    assert {"random", "lineage-held-out"} <= set(run.cross_validation.table())

    registry = Registry(config.registry)
    assert registry.models()[0]["aliases"] == {"candidate": 1, "champion": 1}
    scores = score(study.patients, "small@champion", registry=config.registry)
    assert len(scores.table) == 8
    assert scores.simulated
    assert scores.provenance.profiles.unit == "counts"

    from mlflow import MlflowClient

    client = MlflowClient(registry.settings.tracking_uri)
    logged = client.get_run(registry.show("small")["run_id"])
    assert logged.data.params["samples"] == "63"
    assert len(logged.data.params["expression_sha256"]) == 64
    assert "random.nkpredict.spearman" in logged.data.metrics
    assert "random.lineage_mean.spearman" in logged.data.metrics
    names = {f.path for f in client.list_artifacts(logged.info.run_id)}
    assert {"figures", "environment.json", "provenance.json"} <= names
    assert {i.dataset.name for i in logged.inputs.dataset_inputs} == {
        config.expression.name,
        config.response.name,
    }
    assert "Spearman on unseen samples: random" in logged.data.tags["mlflow.note.content"]
    trials = client.search_runs(
        [logged.info.experiment_id], f"tags.`mlflow.parentRunId` = '{logged.info.run_id}'"
    )
    assert sorted(trial.info.run_name for trial in trials) == ["trial 0", "trial 1"]
    assert all("boosting__selected_genes" in trial.data.params for trial in trials)
    (model,) = client.search_logged_models([logged.info.experiment_id])
    assert "random.nkpredict.spearman" in {metric.key for metric in model.metrics}

    with pytest.raises(InputError, match="holds a finished run"):
        train(config)


@pytest.mark.slow
def test_a_stopped_run_goes_on_and_ends_the_same(config, tmp_path: Path) -> None:
    class StopError(Exception):
        pass

    def stop(stage: str, done: int, total: int) -> None:
        if stage == "evaluating" and done == 2:
            raise StopError

    with pytest.raises(StopError):
        train(config, progress=stop)
    with pytest.raises(InputError, match="go on with --resume"):
        train(config)
    with pytest.raises(InputError, match=r"other settings \(trials\)"):
        train(replace(config, trials=3), resume=True)
    finished = kept_steps(config.run_folder)
    assert len(finished) >= 2
    resumed = train(config, resume=True)
    assert {step: kept_steps(config.run_folder)[step] for step in finished} == finished
    whole = train(replace(config, run_folder=tmp_path / "whole", registry=str(tmp_path / "other")))
    pd.testing.assert_frame_equal(
        resumed.cross_validation.predictions, whole.cross_validation.predictions, check_exact=True
    )
    assert (resumed.folder / "bundle" / "arrays.npz").read_bytes() == (
        whole.folder / "bundle" / "arrays.npz"
    ).read_bytes()


def kept_steps(folder: Path) -> dict[str, int]:
    """Finished steps of a run, and when each was written."""
    return {path.parent.name: path.stat().st_mtime_ns for path in folder.glob("steps/*/key")}


TRAIN = """
import sys
from dataclasses import replace
from nkpredict.training import read_config, train
train(read_config(sys.argv[1]), resume=True)
"""


def started(config: TrainingConfig, folder: Path) -> subprocess.Popen[bytes]:
    """Begin a run, or go on with it, in a process of its own."""
    content = {key: value for key, value in vars(config).items() if value is not None}
    content = {k: [str(p) for p in v] if isinstance(v, tuple) else v for k, v in content.items()}
    content = {k: str(v) if isinstance(v, Path) else v for k, v in content.items()}
    (folder / "config.yaml").write_text(json.dumps(content))
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen(
        [sys.executable, "-c", TRAIN, str(folder / "config.yaml")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
    )


@pytest.mark.soak
@pytest.mark.slow
def test_a_run_killed_anywhere_ends_the_same_and_is_registered_once(
    config: TrainingConfig, tmp_path: Path
) -> None:
    whole = train(replace(config, run_folder=tmp_path / "whole", registry=str(tmp_path / "other")))
    run, registry = config.folder, Path(str(config.registry))
    moments = [
        lambda: (run / "run.json").is_file(),
        lambda: len(kept_steps(run)) >= 1,
        lambda: len(kept_steps(run)) >= 4,
        lambda: any(run.glob("steps/.fitting*")),
        lambda: any(run.glob("steps/drivers/key")),
        lambda: (run / "bundle" / "bundle.json").is_file(),
        lambda: any(registry.glob("artifacts/**/performance.csv")),
        lambda: any(registry.glob("artifacts/**/MLmodel")),
        lambda: any(registry.glob("*.index.json")),
    ]
    finished: dict[str, int] = {}
    for reached in moments:
        process = started(config, tmp_path)
        while process.poll() is None:
            with contextlib.suppress(FileNotFoundError):
                if reached():
                    break
            time.sleep(0.001)
        process.kill()
        process.wait()
        now = kept_steps(run)
        assert {step: now.get(step) for step in finished} == finished
        finished = now
    if not is_finished(run):
        assert started(config, tmp_path).wait() == 0
    ended_as(whole.folder, config)


@pytest.mark.soak
@pytest.mark.slow
def test_runs_killed_at_random_moments_end_the_same(
    config: TrainingConfig, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    whole = replace(config, run_folder=tmp_path / "whole", registry=str(tmp_path / "other"))
    began = time.monotonic()
    assert started(whole, tmp_path).wait() == 0
    took = time.monotonic() - began
    rng = np.random.default_rng(0)
    left, rounds = request.config.getoption("--kills"), 0
    while left > 0:
        rounds += 1
        run = replace(
            config,
            run_folder=tmp_path / f"run {rounds}",
            registry=str(tmp_path / f"registry {rounds}"),
        )
        finished: dict[str, int] = {}
        while not is_finished(run.folder):
            process = started(run, tmp_path)
            try:
                assert process.wait(rng.uniform(0, took) if left > 0 else None) == 0
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                left -= 1
            now = kept_steps(run.folder)
            assert {step: now.get(step) for step in finished} == finished
            finished = now
        ended_as(whole.folder, run)


def is_finished(folder: Path) -> bool:
    file = folder / "run.json"
    return file.is_file() and json.loads(file.read_text())["finished"]


def ended_as(whole: Path, run: TrainingConfig) -> None:
    """Check that a run ended with the bundle of another, registered once."""
    assert json.loads((run.folder / "run.json").read_text())["registered"] == "small/1"
    for file in sorted((whole / "bundle").iterdir()):
        assert (run.folder / "bundle" / file.name).read_bytes() == file.read_bytes()
    (model,) = Registry(run.registry).models()
    assert model["versions"] == [1]
    assert model["aliases"] == {"candidate": 1, "champion": 1}


@pytest.mark.slow
def test_a_run_that_was_interrupted_says_how_to_go_on(
    config, tmp_path: Path, monkeypatch, capsys
) -> None:
    from nkpredict.cli import main

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    words = [
        "nkpredict", "train", "--expression", config.expression, "--response", config.response,
        "--obs", config.obs, "--spec", config.spec, "--name", "m", "--jobs", "1",
        "--run-folder", tmp_path / "run", "--registry", tmp_path / "registry",
    ]  # fmt: skip
    monkeypatch.setattr(sys, "argv", list(map(str, words)))
    monkeypatch.setattr("nkpredict.training._task.tune", interrupt)
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 130
    said = capsys.readouterr().err
    assert f"kept in {tmp_path / 'run'}; the same command with --resume goes on" in said
    assert any(step.startswith("fold-random") for step in kept_steps(tmp_path / "run"))


@pytest.mark.slow
def test_gene_sets_are_features_and_are_told_of(config, tmp_path: Path) -> None:
    genes = pd.read_csv(config.expression, index_col=0, nrows=1).columns
    sets = tmp_path / "pathways.gmt"
    sets.write_text("\t".join(["first", "", *genes[:40]]) + "\nfew\t\tPVR\n")
    run = train(replace(config, gene_sets=sets, trials=0))
    assert list(run.bundle.model.modules_) == ["first"]
    told = run.bundle.metadata.training.gene_sets
    assert told.source.startswith("pathways.gmt ")
    assert told.used == 1
    assert list(told.left_out) == ["few"]
    assert "- Module scores: 1 gene sets (pathways.gmt " in (
        run.folder / "bundle" / "card.md"
    ).read_text(encoding="utf-8")
    sets.write_text("few\t\tPVR\n")
    other = replace(config, gene_sets=sets, run_folder=tmp_path / "other")
    with pytest.raises(InputError, match="None of the 1 gene sets"):
        train(other)
    assert not other.folder.exists()


def test_bad_input_leaves_no_run_folder(config, study, tmp_path: Path) -> None:
    few = tmp_path / "few.csv"
    names = pd.read_csv(study.lines)["ModelID"][:5]
    pd.DataFrame({"sample": names, "auc": np.linspace(0.1, 0.9, 5)}).to_csv(few, index=False)
    with pytest.raises(InputError, match="Found 5 samples"):
        train(
            replace(
                config, response=few, target="auc", direction="lower-is-sensitive", replicates=None
            )
        )
    assert not config.folder.exists()
    foreign = tmp_path / "mine"
    foreign.mkdir()
    (foreign / "thesis.txt").write_text("x")
    with pytest.raises(InputError, match="holds other files"):
        train(replace(config, run_folder=foreign))


def test_config_files_are_checked(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("name: a\nexpression: $HERE/x.csv\nresponse: y.csv\ntrials: 2\n")
    with pytest.raises(InputError, match="environment variable"):
        read_config(path)
    monkeypatch.setenv("HERE", "/data")
    assert read_config(path).expression == Path("/data/x.csv")
    assert read_config(path).response == tmp_path / "y.csv"
    for given, expected in (("nk", "nk"), ("sets.gmt", tmp_path / "sets.gmt")):
        path.write_text(f"name: a\nexpression: x.csv\nresponse: y.csv\ngene_sets: {given}\n")
        assert read_config(path).gene_sets == expected
    for text, message in (
        ("name: a\nexpresion: x\nresponse: y\n", "unknown keys expresion"),
        ("name: a\nresponse: y\n", "no expression"),
        ("- a\n", "no training configuration"),
        ("a: [", "no valid YAML"),
        ("name: a b\nexpression: x\nresponse: y\n", "not usable"),
        ("name: a\nexpression: x\nresponse: y\ntrials: -1\n", "trials is -1"),
        ("name: a\nexpression: x\nresponse: y\ndirection: up\n", "direction 'up' is unknown"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=message):
            read_config(path)


def test_specs_are_checked(tmp_path: Path) -> None:
    assert read_spec().name == "nk-susceptibility"
    with pytest.raises(InputError, match=r"There is no model spec nothing; .* nk-susceptibility"):
        read_spec("nothing")
    path = tmp_path / "s.yaml"
    path.write_text("name: x\n")
    with pytest.raises(InputError, match="malformed"):
        read_spec(path)


def test_the_shipped_configurations_are_complete(monkeypatch) -> None:
    monkeypatch.setenv("NKPREDICT_DATA", "/data")
    configs = sorted((Path(__file__).parents[2] / "experiments" / "configs").glob("*.yaml"))
    assert configs
    for path in configs:
        assert json.dumps(read_config(path).fingerprint())


@pytest.mark.slow
def test_guide_counts_need_their_sample_sheet_and_a_sheet_its_counts(study, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    genes = np.repeat(["B2M", "JAK1", "NCR3LG1", *(f"SIM-{i}" for i in range(200))], 4)
    depth = rng.uniform(200, 800, len(genes))
    counts = tmp_path / "screen.count.txt"
    nk = rng.poisson(depth * np.where(genes == "NCR3LG1", 6.0, 1.0))
    pd.DataFrame(
        {
            "sgRNA": [f"g{i}" for i in range(len(genes))],
            "Gene": genes,
            "ctrl": rng.poisson(depth),
            "nk": nk,
        }
    ).to_csv(counts, sep="\t", index=False)
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("sample,role,cell_line,effector\nctrl,control,,\nnk,NK,K562,primary NK\n")
    files = InputFiles(
        expression=study.expression, response=study.viability, screens=(counts,), sample_sheet=sheet
    )
    inputs = read_inputs(files)
    evidence = inputs.evidence
    said = " ".join(inputs.sentences())
    assert "Screens: 1;" in said
    assert "Knowledge: " in said
    alone = read_inputs(replace(files, no_knowledge=True))
    assert "the knowledge base takes no part, as it was asked" in " ".join(alone.sentences())
    assert alone.provenance.knowledge is None
    assert evidence.table.loc["NCR3LG1", "evidence"] > 0.5
    with pytest.raises(InputError, match="sample sheet"):
        read_inputs(replace(files, sample_sheet=None))
    with pytest.raises(InputError, match="describes screens, and no screen was given"):
        read_inputs(replace(files, screens=()))
    with pytest.raises(InputError, match="how screens are judged, and no screen was given"):
        read_inputs(replace(files, screens=(), sample_sheet=None, effector="NK-92"))


@pytest.mark.slow
def test_learning_within_lineages_is_a_setting_of_the_recipe(
    config, study, spec: Path, tmp_path: Path
) -> None:
    within = tmp_path / "within.yaml"
    within.write_text(spec.read_text() + "within_groups: true\n")
    run = train(replace(config, spec=str(within), trials=0))
    assert run.bundle.model.within_groups
    assert len(run.bundle.model.offsets_) > 1
    scores = score(study.patients, run.bundle)
    assert any(
        "compare samples of one lineage" in warning for warning in scores.provenance.warnings
    )
    alone = replace(config, spec=str(within), curves=True, run_folder=tmp_path / "curves")
    with pytest.raises(InputError, match="learns within lineages"):
        train(alone)
    assert not (tmp_path / "curves").exists()
