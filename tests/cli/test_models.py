"""The registry from the command line: its models, its health and its settings."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from nkpredict import Registry, save_bundle
from nkpredict.facts import ModelFacts, PerformanceFacts

pytestmark = pytest.mark.slow


@pytest.fixture
def registry(trained_model, tmp_path: Path) -> Path:
    """Hold three versions: in use, better on the same samples, and of other samples."""
    folder = tmp_path / "registry"
    for number, (skill, folds) in enumerate(((0.4, "a"), (0.5, "a"), (0.6, "b"))):
        row = PerformanceFacts(
            split="random", model="nkpredict", spearman=skill, spearman_within_lineage=0.1, rmse=1.0
        )
        facts = ModelFacts(name="m", performance=(row,), evaluated_on=folds)
        Registry(folder).register(save_bundle(trained_model, tmp_path / str(number), facts), "m")
    return folder


def test_a_model_on_its_way_through_the_registry(run, registry: Path, tmp_path: Path) -> None:
    where = ("--registry", registry)
    kept = tmp_path / "kept.json"
    code, said, _ = run("models", "compare", "m", "m/2", *where, "--json", kept)
    assert code == 0
    assert "random 0.400 → 0.500. m/2 is better in a split and worse in none." in said
    assert json.loads(kept.read_text())["better"] is True
    assert "cannot be compared" in run("models", "compare", "m", "m/3", *where)[1]
    code, _, error = run("models", "promote", "m/3", *where)
    assert code == 2
    assert "not evaluated on the same samples and folds" in error
    assert "--force --reason" in error
    assert run("models", "promote", "m/2", *where)[0] == 0
    code, said, _ = run("models", "promote", "m/3", "--force", "--reason", "new assay", *where)
    assert "Version 3 is now champion" in said
    assert "Version 2 is now champion" in run("models", "rollback", "m", *where)[1]
    assert run("models", "history", "m", *where, "--json", kept)[0] == 0
    assert [(e["event"], e["version"]) for e in json.loads(kept.read_text())] == [
        ("first", 1),
        ("promoted", 2),
        ("forced", 3),
        ("rolled back", 2),
    ]
    assert run("models", "export", "m", "--out", tmp_path / "out", *where)[0] == 0
    assert "is whole: SHA-256" in run("models", "verify", tmp_path / "out", *where)[1]
    said = run("models", "import", tmp_path / "out", "--name", "other", *where)[1]
    assert "Registered other/1" in said
    assert run("models", "delete", "m/2", "--yes", *where)[0] == 2
    assert run("models", "delete", "m/1", "--yes", "--reason", "old", *where)[0] == 0
    assert "3, 2 " in run("models", "list", *where)[1]


def test_a_damaged_bundle_does_not_verify(run, registry: Path, tmp_path: Path) -> None:
    (tmp_path / "0" / "card.md").write_text("best model ever")
    code, _, error = run("models", "verify", tmp_path / "0", "--registry", registry)
    assert code == 2
    assert "is not the file that was saved" in error


def test_the_doctor_finds_what_is_wrong_and_mends_it(run, registry: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    assert run("doctor", "--registry", registry)[0] == 0
    assert run("doctor", "--registry", tmp_path / "none")[0] == 0
    assert not (tmp_path / "none").exists()
    shutil.rmtree(Path(Registry(registry).show("m/3")["folder"]).parents[1])
    code, said, _ = run("doctor", "--registry", registry, "--json", kept)
    assert code == 1
    wrong = [c for c in json.loads(kept.read_text())["checks"] if not c["passed"]]
    assert [check["check"] for check in wrong] == ["files of versions"]
    assert "m/3" in wrong[0]["detail"]
    # tables that are gone, as after a creation that was cut short
    with sqlite3.connect(registry / "mlflow.db") as store:
        store.executescript(
            "DROP TABLE model_versions; UPDATE alembic_version SET version_num = '451aebb31d03'"
        )
    store.close()
    code, _, error = run("models", "list", "--registry", registry)
    assert code == 2
    assert "damaged" in error
    assert "doctor --mend" in error
    code, said, _ = run("doctor", "--mend", "--registry", registry)
    assert code == 0
    assert "The damaged file is now" in said
    assert Registry(registry).models()[0]["versions"] == [2, 1]


def test_settings_are_shown_with_their_source(run, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("NKPREDICT_ARTIFACT_LOCATION", raising=False)
    monkeypatch.setenv("NKPREDICT_HOME", str(tmp_path / "home"))
    (tmp_path / "work" / "deep").mkdir(parents=True)
    (tmp_path / "work" / "mlflow.yaml").write_text(
        "tracking_uri: 'sqlite:///{home}/t.db'\nregistry_uri: 'sqlite:///{home}/t.db'\n"
        "artifact_location: '{home}/files'\nexperiment: lab\nmodel_names: {default: d}\n"
        "aliases: {new_version: candidate, in_use: champion}\n"
    )
    kept = tmp_path / "kept.json"

    def shown() -> dict[str, tuple[str, str]]:
        code, _, error = run("config", "show", "--json", kept)
        assert code == 0
        announced.append(error)
        return {row["setting"]: (row["value"], row["from"]) for row in json.loads(kept.read_text())}

    announced: list[str] = []
    monkeypatch.chdir(tmp_path / "work" / "deep")
    found = shown()
    assert found["tracking_uri"][0] == f"sqlite:///{tmp_path}/home/t.db"
    assert "NKPREDICT_HOME" in found["tracking_uri"][1]
    assert found["experiment"] == ("lab", str(tmp_path / "work" / "mlflow.yaml"))
    assert "above the working folder" in announced[0]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/other/x.db")
    found = shown()
    assert found["registry_uri"][1] == "MLFLOW_TRACKING_URI"
    assert found["artifact_location"] == (f"{tmp_path}/other/artifacts", "beside the store")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql://nk@db/nk")
    assert shown()["artifact_location"][0] == f"{tmp_path}/home/files"
    monkeypatch.setenv("NKPREDICT_ARTIFACT_LOCATION", "/shared/files")
    assert shown()["artifact_location"] == ("/shared/files", "NKPREDICT_ARTIFACT_LOCATION")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://server")
    assert shown()["artifact_location"][1] == "the tracking server"


def test_a_log_file_tells_the_course_of_a_command(run, bundle: Path, tmp_path: Path) -> None:
    log = tmp_path / "logs" / "command.log"
    run("--log-file", log, "models", "verify", bundle)
    run("--log-file", log, "models", "verify", tmp_path / "nothing")
    lines = log.read_text().splitlines()
    assert ["models verify" in line for line in lines] == [True, False, True, False]
    assert "is whole" in lines[1]
    assert "failed: " in lines[3]
    code, _, error = run("--log-file", tmp_path, "models", "list", "--registry", tmp_path / "r")
    assert code == 2
    assert "cannot be written" in error
