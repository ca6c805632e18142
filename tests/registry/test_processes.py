"""Many processes on one registry, and processes that are killed in the middle of their work."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nkpredict import Registry, save_bundle
from nkpredict.errors import RegistryError
from nkpredict.facts import ModelFacts
from nkpredict.registry import check_registry, mend_registry
from tests.registry.servers import empty_postgresql, mlflow_server

REGISTER = """
import sys
from nkpredict import Registry
from nkpredict.registry import RunRecord
print(Registry(sys.argv[1]).register(sys.argv[2], "m", RunRecord(metrics={"spearman": 0.5})))
"""
WITHOUT_MLFLOW = """
import sys
from nkpredict import Registry
store = Registry(sys.argv[1])
assert store.models() and store.show("m") and store.load("m@champion")
assert "mlflow" not in sys.modules
"""
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bundles(trained_model, tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("bundles")
    return [save_bundle(trained_model, folder / str(n), ModelFacts(name=f"{n}")) for n in range(8)]


def registering(location: str | Path, bundle: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", REGISTER, str(location), str(bundle)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        cwd=bundle.parent,
    )


def all_registered(location: str | Path, bundles: list[Path]) -> list[int]:
    processes = [registering(location, bundle) for bundle in bundles]
    answers = [process.communicate(timeout=1200) for process in processes]
    assert [process.returncode for process in processes] == [0] * len(bundles), answers
    assert not [said for _, said in answers if said]
    return sorted(int(out) for out, _ in answers)


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def fresh(request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Location of a registry that nobody has used yet."""
    monkeypatch.setenv("NKPREDICT_ARTIFACT_LOCATION", str(tmp_path / "files"))
    if request.param == "SQLite":
        yield str(tmp_path / "registry")
        return
    with empty_postgresql() as uri:
        yield uri


@pytest.mark.parametrize("processes", [4, pytest.param(8, marks=pytest.mark.soak)])
def test_processes_share_a_fresh_registry(fresh: str, bundles: list[Path], processes: int) -> None:
    assert all_registered(fresh, bundles[:processes]) == list(range(1, processes + 1))
    (model,) = Registry(fresh).models()
    assert model["versions"] == list(range(processes, 0, -1))
    assert model["aliases"] == {"candidate": processes, "champion": 1}
    names = {Registry(fresh).load(f"m/{n}").metadata.name for n in model["versions"]}
    assert names == {str(n) for n in range(processes)}
    assert not (bundles[0].parent / "mlruns").exists()


def test_the_same_bundle_from_four_processes_is_one_version(
    fresh: str, bundles: list[Path]
) -> None:
    assert all_registered(fresh, bundles[:1] * 4) == [1, 1, 1, 1]
    assert Registry(fresh).models()[0]["versions"] == [1]


def created(registry: Path, size: int) -> Callable[[], bool]:
    return lambda: any(f.stat().st_size > size for f in registry.glob(".creating-*/*.db"))


MOMENTS: dict[str, Callable[[Path], Callable[[], bool]]] = {
    "before the first table": lambda r: lambda: any(r.glob(".creating-*")),
    "some tables": lambda r: created(r, 100_000),
    "half of the tables": lambda r: created(r, 400_000),
    "most tables": lambda r: created(r, 800_000),
    "all tables": lambda r: (r / "mlflow.db").is_file,
    "files of the model": lambda r: lambda: any(r.glob("artifacts/**/MLmodel")),
    "the index": lambda r: lambda: any(r.glob("*.index.json")),
}


@pytest.mark.soak
def test_a_registry_survives_being_killed_in_its_creation(
    bundles: list[Path], tmp_path: Path
) -> None:
    registry = tmp_path / "registry"
    for moment, reached in MOMENTS.items():
        process = registering(registry, bundles[0])
        while process.poll() is None:
            with contextlib.suppress(FileNotFoundError):  # what is listed may go at any time
                if reached(registry)():
                    break
            time.sleep(0.001)
        process.kill()
        process.communicate()
        assert all(check.passed for check in check_registry(registry)), moment
    # a process killed early registered nothing, so that either bundle may be the first
    twice_and_once = all_registered(registry, [bundles[0], bundles[0], bundles[1]])
    assert twice_and_once in ([1, 1, 2], [1, 2, 2])
    store = Registry(registry)
    assert store.models()[0]["aliases"] == {"candidate": 2, "champion": 1}
    assert not list(registry.glob(".creating-*"))
    runs = store.connection.client().search_runs(["1"])
    assert {run.info.status for run in runs} <= {"FINISHED", "FAILED"}
    assert [run.info.status for run in runs].count("FINISHED") == 2
    mend_registry(registry)
    assert store.models()[0]["versions"] == [2, 1]


@pytest.mark.soak
def test_postgresql_survives_a_kill_in_the_creation_of_its_tables(
    bundles: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NKPREDICT_ARTIFACT_LOCATION", str(tmp_path / "files"))
    locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    with empty_postgresql() as uri:
        import psycopg

        for question, least in ((locks, 1), (tables, 1), (tables, 20)):
            process = registering(uri, bundles[0])
            with psycopg.connect(uri, autocommit=True) as watching:
                while process.poll() is None:
                    if watching.execute(question).fetchone()[0] >= least:
                        break
                    time.sleep(0.001)
            process.kill()
            process.communicate()
        assert all_registered(uri, bundles[:2]) == [1, 2]
        (model,) = Registry(uri).models()
        assert model["aliases"] == {"candidate": 2, "champion": 1}


def test_a_registry_that_was_cut_short_in_place_is_mended(
    bundles: list[Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = Registry(tmp_path / "whole")
    whole.register(bundles[0], "m")
    whole.register(bundles[1], "m")
    Registry(tmp_path / "empty").open()
    for folder in (tmp_path / "whole", tmp_path / "empty"):
        # what two processes left that made the tables of one file at once
        store, spoilt = folder / "mlflow.db", folder / "spoilt.db"
        subprocess.run([sys.executable, "-c", CUT_SHORT, str(store), str(spoilt)], check=True)
        # into the file, as MLflow keeps connections of this process to it
        shutil.copyfile(spoilt, store)
    # without any model it is made anew, and the old file kept
    assert Registry(tmp_path / "empty").register(bundles[2], "m") == 1
    assert "was made anew" in caplog.text
    assert len(list((tmp_path / "empty").glob("mlflow.db.damaged-*"))) == 1
    # with models it is refused, and the way out leads to all of them
    with pytest.raises(RegistryError, match=r"is damaged.*doctor --mend"):
        Registry(tmp_path / "whole").models()
    assert not check_registry(tmp_path / "whole")[0].passed
    told = " ".join(mend_registry(tmp_path / "whole"))
    assert "is 0/1." in told
    assert "is 1/1." in told
    assert len(list((tmp_path / "whole").glob("mlflow.db.damaged-*"))) == 1
    mended = Registry(tmp_path / "whole")
    assert {model["name"] for model in mended.models()} == {"0", "1"}
    assert mended.load("1").metadata.name == "1"


CUT_SHORT = """
import sqlite3, sys
source, target = map(sqlite3.connect, sys.argv[1:])
source.backup(target)
tables = [n for n, in target.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
target.execute("PRAGMA foreign_keys = OFF")
for name in sorted(tables)[::3]:
    if not name.startswith(("alembic", "sqlite")):
        target.execute(f'DROP TABLE "{name}"')
target.execute("UPDATE alembic_version SET version_num = '867495a8f9d4'")
target.commit()
"""


def test_a_tracking_server_keeps_models_and_leaves_no_copy(
    bundles: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mlflow_server(tmp_path / "server") as uri:
        assert all_registered(uri, bundles[:2]) == [1, 2]
        temporary = tmp_path / "temporary"
        temporary.mkdir()
        monkeypatch.setattr("tempfile.tempdir", str(temporary))
        store = Registry(uri)
        for reference in ("m@champion", "m/2"):
            assert store.load(reference).metadata.registry_version in (1, 2)
            assert "For research use only" in store.show(reference)["card"]
        store.export("m/2", tmp_path / "out")
        assert store.verify("m/2") == store.verify(tmp_path / "out")
        assert not list(temporary.iterdir())
        # neither a list nor a look-up nor a model waits for the import of MLflow
        subprocess.run([sys.executable, "-c", WITHOUT_MLFLOW, uri], check=True)
        again = store.register(bundles[0], "m")
        assert store.load(f"m/{again}").metadata.name == "0"
        store.promote("m/2", force=True, reason="try")
        store.rollback("m")
        assert store.load("m").metadata.registry_version == 1


def test_another_machine_loads_a_model_from_postgresql(
    bundles: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NKPREDICT_ARTIFACT_LOCATION", str(tmp_path / "shared"))
    with empty_postgresql() as uri:
        Registry(uri).register(bundles[0], "m")
        assert any((tmp_path / "shared").rglob("bundle.json"))
        monkeypatch.setenv("HOME", str(tmp_path / "other"))
        monkeypatch.delenv("NKPREDICT_ARTIFACT_LOCATION")
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        assert Registry().load("m@champion").metadata.name == "0"
        assert Registry().register(bundles[1], "m") == 2
        # where files go is a matter of the registry, not of the machine
        assert len(list((tmp_path / "shared").rglob("bundle.json"))) == 2
        shutil.rmtree(tmp_path / "shared")
        with pytest.raises(RegistryError, match="mount the folder"):
            Registry().load("m")
    with pytest.raises(RegistryError, match="cannot be reached"):
        Registry(uri).models()
