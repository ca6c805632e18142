from __future__ import annotations

from pathlib import Path

import pytest

from nkpredict import Registry, save_bundle
from nkpredict.errors import BundleError, InputError, RegistryError
from nkpredict.facts import ModelFacts
from nkpredict.registry._lookup import artifact_folder
from nkpredict.registry._settings import registry_settings


@pytest.fixture(scope="module")
def bundle(trained_model, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("bundle") / "bundle"
    return save_bundle(trained_model, folder, ModelFacts(name="m", simulated=True))


@pytest.fixture(scope="module")
def registry(bundle: Path, tmp_path_factory) -> Registry:
    store = Registry(tmp_path_factory.mktemp("registry") / "a folder with spaces")
    assert store.models() == []
    for accuracy in (0.4, 0.5):
        store.register(
            bundle, "m", metrics={"spearman": accuracy}, parameters={"trials": 3}, tags={"a": "b"}
        )
    return store


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


def test_the_quick_lookup_agrees_with_mlflow(registry: Registry) -> None:
    store = Path(registry.settings.registry_uri.removeprefix("sqlite:///"))
    for alias, version in (("champion", None), ("candidate", None), (None, 1), (None, 2)):
        quick = artifact_folder(store, "m", alias=alias, version=version)
        slow = registry._find_through_mlflow("m", "m", alias, version)
        assert quick is not None
        assert quick[0] == slow[0]
        assert (quick[1] / "MLmodel").is_file()
        assert slow[1].is_relative_to(quick[1])
    assert artifact_folder(store, "m", alias="nobody") is None
    assert artifact_folder(store, "m", version=9) is None
    assert artifact_folder(store.parent / "nothing.db", "m", version=1) is None


def test_promotion_moves_the_champion(registry: Registry) -> None:
    assert registry.promote("m/2") == 2
    assert registry.load("m").metadata.registry_version == 2
    registry.promote("m/1")


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


def test_a_damaged_bundle_is_not_registered(registry: Registry, bundle: Path, tmp_path) -> None:
    import shutil

    shutil.copytree(bundle, tmp_path / "b")
    (tmp_path / "b" / "model.json").write_text("{}")
    with pytest.raises(BundleError):
        registry.register(tmp_path / "b", "m")
    assert registry.models()[0]["versions"] == [2, 1]
    with pytest.raises(InputError, match="not usable"):
        registry.register(bundle, "a/b")


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
