from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from nkpredict import Registry, save_bundle
from nkpredict.errors import BundleError, InputError, RegistryError
from nkpredict.facts import ModelFacts, PerformanceFacts
from nkpredict.registry import RunRecord, registry_settings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bundles(trained_model, tmp_path_factory) -> list[Path]:
    """Three models that differ in how good they were on the same unseen samples."""
    saved = []
    for number, skill in enumerate((0.4, 0.5, 0.3)):
        folder = tmp_path_factory.mktemp("bundle") / str(number)
        row = PerformanceFacts(
            split="random", model="nkpredict", spearman=skill, spearman_within_lineage=0.1, rmse=1.0
        )
        facts = ModelFacts(name="m", simulated=True, performance=(row,), evaluated_on="folds")
        saved.append(save_bundle(trained_model, folder, facts))
    return saved


@pytest.fixture(scope="module")
def registry(bundles: list[Path], tmp_path_factory) -> Registry:
    store = Registry(tmp_path_factory.mktemp("registry") / "a folder with spaces")
    assert store.models() == []
    for bundle, accuracy in zip(bundles, (0.4, 0.5), strict=False):
        record = RunRecord(
            metrics={"spearman": accuracy}, parameters={"trials": 3}, tags={"a": "b"}
        )
        store.register(bundle, "m", record)
    return store


@pytest.fixture
def own(registry: Registry, tmp_path: Path) -> Registry:
    """Copy a registry of two versions, for tests that change it; its files stay where they are."""
    folder = tmp_path / "own"
    folder.mkdir()
    shutil.copy(registry.settings.registry_uri.removeprefix("sqlite:///"), folder / "mlflow.db")
    return Registry(folder)


def test_versions_and_aliases(registry: Registry) -> None:
    assert registry.models() == [
        {
            "name": "m",
            "versions": [2, 1],
            "aliases": {"candidate": 2, "champion": 1},
            "tags": {"simulated": "true"},
        }
    ]
    assert registry.load("m").metadata.registry_version == 1
    assert registry.load("m@candidate").metadata.registry_version == 2
    assert registry.load("m/2").simulated
    shown = registry.show("m@champion")
    assert shown["aliases"] == ["champion"]
    assert "SIMULATED" in shown["card"]


def test_a_model_registered_twice_keeps_its_version(own: Registry, bundles: list[Path]) -> None:
    assert [own.register(bundle, "m") for bundle in bundles[1::-1]] == [2, 1]
    assert own.register(bundles[0], "other") == 1
    assert {m["name"]: m["versions"] for m in own.models()} == {"m": [2, 1], "other": [1]}
    assert own.load("m@candidate").metadata.registry_version == 2


def test_what_others_write_to_the_store_is_seen(own: Registry) -> None:
    from mlflow import MlflowClient

    assert own.load("m@champion").metadata.registry_version == 1
    client = MlflowClient(own.settings.tracking_uri, own.settings.registry_uri)
    client.set_registered_model_alias("m", "champion", "2")
    client.set_registered_model_alias("m", "best", "1")
    assert own.load("m").metadata.registry_version == 2
    assert own.models()[0]["aliases"] == {"champion": 2, "candidate": 2, "best": 1}
    own.promote("m/1", force=True, reason="back")
    assert [(e["event"], e["version"]) for e in own.history("m")] == [
        ("first", 1),
        ("found in use", 2),
        ("forced", 1),
    ]


def test_an_index_that_is_lost_or_spoilt_is_made_anew(own: Registry) -> None:
    expected = own.models()
    (index,) = Path(own.settings.registry_uri.removeprefix("sqlite:///")).parent.glob("*.json")
    for content in ("", "{}", '{"format": 1, "stamp": [], "models": {}}', "[1"):
        index.write_text(content)
        assert own.models() == expected
        assert own.load("m/2").metadata.registry_version == 2
    index.unlink()
    assert own.models() == expected


def test_only_a_better_model_takes_the_place_of_the_one_in_use(
    own: Registry, bundles: list[Path], trained_model, tmp_path: Path
) -> None:
    own.register(bundles[2], "m")
    other = save_bundle(trained_model, tmp_path / "other", ModelFacts(name="m"))
    own.register(other, "m")
    for reference, message in (
        ("m/3", "random 0.400 → 0.300"),
        ("m/4", "not evaluated in the same way"),
    ):
        with pytest.raises(RegistryError, match=message):
            own.promote(reference)
    with pytest.raises(InputError, match="needs a reason"):
        own.promote("m/3", force=True)
    assert own.promote("m/2") == 2
    assert own.promote("m/2") == 2
    assert own.promote("m/4", force=True, reason="new assay") == 4
    assert own.load("m").metadata.registry_version == 4
    assert own.rollback("m", reason="assay withdrawn") == 2
    assert own.rollback("m") == 1
    with pytest.raises(RegistryError, match="No other version of m was in use before"):
        own.rollback("m")
    events = own.history("m")
    assert [(e["event"], e["version"], e["before"]) for e in events] == [
        ("first", 1, None),
        ("promoted", 2, 1),
        ("forced", 4, 2),
        ("rolled back", 2, 4),
        ("rolled back", 1, 2),
    ]
    assert events[1]["reason"].startswith("Spearman on the same unseen samples: random 0.400 →")
    assert events[2]["reason"] == "new assay"
    assert own.show("m/4")["history"] == [events[2]]
    with pytest.raises(RegistryError, match="no model 'x'"):
        own.history("x")


def test_versions_are_deleted_unless_they_are_in_use(own: Registry, bundles: list[Path]) -> None:
    with pytest.raises(RegistryError, match="is in use"):
        own.delete("m@champion")
    assert own.delete("m/2", reason="wrong file") == 2
    assert own.models()[0]["versions"] == [1]
    with pytest.raises(RegistryError, match="There is no model 'm/2'"):
        own.load("m/2")
    assert own.history("m")[-1]["event"] == "deleted"
    assert own.register(bundles[1], "m") == 3


def test_models_travel_as_folders(own: Registry, tmp_path: Path) -> None:
    folder = own.export("m/2", tmp_path / "copy")
    assert own.verify(folder) == own.verify("m/2")
    with pytest.raises(InputError, match="there already"):
        own.export("m/1", folder)
    elsewhere = Registry(tmp_path / "elsewhere")
    assert elsewhere.register(folder, "m") == 1
    assert elsewhere.verify("m") == own.verify("m/2")


def test_files_that_are_lost_or_exchanged_are_told(
    bundles: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Registry(tmp_path / "r")
    store.register(bundles[0], "m")
    folder = Path(store.show("m")["folder"])
    for path in folder.iterdir():
        shutil.copy(bundles[1] / path.name, path)
    with pytest.raises(BundleError, match="not those that were registered"):
        store.verify("m")
    shutil.rmtree(folder)
    with pytest.raises(RegistryError, match="holds no nkpredict bundle"):
        store.load("m")
    shutil.rmtree(folder.parents[1])
    with pytest.raises(RegistryError, match="mount the folder"):
        store.load("m")
    # what is lost is registered again
    assert store.register(bundles[0], "m") == 2


@pytest.mark.parametrize("reference", ["n@champion", "m@nobody", "m/9"])
def test_unknown_models_list_what_exists(registry: Registry, reference: str) -> None:
    with pytest.raises(RegistryError, match=r"it has m \(versions 2, 1; aliases candidate"):
        registry.load(reference)


def test_an_empty_registry_is_told(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="is empty"):
        Registry(tmp_path / "none").load("m@champion")
    assert not (tmp_path / "none").exists()
    with pytest.raises(RegistryError, match="neither a bundle folder nor a model reference"):
        Registry(tmp_path).load("a/b/c")


def test_a_damaged_bundle_is_not_registered(registry: Registry, bundles, tmp_path) -> None:
    shutil.copytree(bundles[2], tmp_path / "b")
    (tmp_path / "b" / "model.json").write_text("{}")
    with pytest.raises(BundleError):
        registry.register(tmp_path / "b", "m")
    assert registry.models()[0]["versions"] == [2, 1]
    with pytest.raises(InputError, match="not usable"):
        registry.register(bundles[2], "a/b")


def test_settings_come_from_the_file_and_the_environment(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("MLFLOW_REGISTRY_URI", raising=False)
    monkeypatch.setenv("NKPREDICT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    shipped = registry_settings()
    assert shipped.registry_uri == f"sqlite:///{tmp_path}/home/mlflow.db"
    assert shipped.new_version_alias == "candidate"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://server:5000")
    assert registry_settings().registry_uri == "http://server:5000"
    assert registry_settings().artifact_location is None
    assert registry_settings(tmp_path / "r").registry_uri.endswith("/r/mlflow.db")
    (tmp_path / "mlflow.yaml").write_text("tracking_uri: 3\n")
    with pytest.raises(InputError, match="malformed"):
        registry_settings()
