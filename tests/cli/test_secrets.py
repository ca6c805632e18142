"""A password in the URI of a registry is never seen again, whatever is asked and goes wrong."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from nkpredict import Registry
from nkpredict.credentials import hide_credentials
from nkpredict.errors import RegistryError
from nkpredict.training import TrainingConfig

SECRETS = ("Hunter2", "p@ssw0rd/9", "p%40ssw0rd", "p%40ssw0rd%2F9", "0ther-key")
STORES = {
    "PostgreSQL": "postgresql://nk:p%40ssw0rd%2F9@127.0.0.1:1/nk?sslpassword=Hunter2",
    "PostgreSQL, unescaped": "postgresql://nk:p@ssw0rd/9@127.0.0.1:1/nk",
    "tracking server": "http://nk:Hunter2@127.0.0.1:1/?access_token=0ther-key",
    "token": "https://Hunter2@127.0.0.1:1",
    "no driver": "oracle://nk:Hunter2@127.0.0.1/nk",
    "SQLite": "sqlite:///{folder}/nk.db?password=Hunter2",
    "encrypted SQLite": "sqlite+pysqlcipher://:Hunter2@/{folder}/nk.db",
    "nothing known": "whatever://nk:Hunter2@127.0.0.1:1/nk;token=0ther-key",
}
COMMANDS = [
    ("models", "list"),
    ("models", "show", "m"),
    ("models", "compare", "m/1", "m/2"),
    ("models", "promote", "m/2"),
    ("models", "promote", "m/2", "--force", "--reason", "x"),
    ("models", "rollback", "m"),
    ("models", "history", "m"),
    ("models", "export", "m", "--out", "{folder}/export"),
    ("models", "import", "{bundle}", "--name", "m"),
    ("models", "delete", "m/2", "--yes"),
    ("models", "verify", "m"),
    ("score", "{patients}", "--model", "m", "--out", "{folder}/out"),
    ("score", "{patients}", "--out", "{folder}/out"),
    ("inspect", "{patients}", "--model", "m"),
    ("train", "--expression", "{patients}", "--response", "{response}", "--target", "y",
     "--direction", "higher-is-sensitive", "--name", "m", "--run-folder", "{folder}/run"),
    ("doctor",),
    ("config", "show"),
]  # fmt: skip


@pytest.fixture
def patients(profiles: pd.DataFrame, tmp_path: Path) -> Path:
    profiles.rename_axis("sample").to_csv(tmp_path / "patients.csv")
    return tmp_path / "patients.csv"


@pytest.fixture
def response(susceptibility: pd.Series, tmp_path: Path) -> Path:
    susceptibility.rename("y").rename_axis("sample").to_csv(tmp_path / "response.csv")
    return tmp_path / "response.csv"


def assert_hidden(text: str) -> None:
    assert not [secret for secret in SECRETS if secret in text], text


@pytest.mark.slow
@pytest.mark.parametrize("given", ["option", "environment", "file"])
@pytest.mark.parametrize("store", STORES)
def test_no_command_tells_the_password(
    run, store, given, patients, response, bundle, tmp_path: Path, monkeypatch, caplog
) -> None:
    uri = STORES[store].format(folder=tmp_path)
    log, kept = tmp_path / "command.log", tmp_path / "kept.json"
    monkeypatch.setenv("NKPREDICT_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MLFLOW_REGISTRY_URI", raising=False)
    (tmp_path / "work" / "here").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work" / "here")
    option = ("--registry", uri) if given == "option" else ()
    if given == "environment":
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    if given == "file":
        (tmp_path / "work" / "mlflow.yaml").write_text(
            f"tracking_uri: '{uri}'\nregistry_uri: '{uri}'\nartifact_location: artifacts\n"
            "experiment: e\nmodel_names: {default: d}\naliases: {new_version: n, in_use: u}\n"
        )
    places = {"folder": tmp_path, "bundle": bundle, "patients": patients, "response": response}
    for command in COMMANDS:
        words = [word.format(**places) for word in command]
        json = ("--json", kept) if {"doctor", "config", "list"} & set(words) else ()
        code, out, err = run("--log-file", log, *words, *option, *json)
        assert_hidden(out + err + caplog.text)
        if words[0] == "config":
            assert code == 0
            assert "***" in out
        elif words[0] == "doctor":
            assert code == (0 if store == "SQLite" else 1)
        elif store == "SQLite":  # a file that is not there yet is an empty registry
            assert code in (0, 2)
        else:
            assert code == 2
            assert err.count("nkpredict: ") == (
                2 if given == "file" and command == COMMANDS[0] else 1
            )
            assert "Traceback" not in err
    for path in tmp_path.rglob("*"):
        assert_hidden(path.name)
        if path.is_file() and path.name != "mlflow.yaml":
            assert_hidden(path.read_bytes().decode("utf-8", "replace"))


@pytest.mark.slow
@pytest.mark.parametrize("store", STORES)
def test_no_command_tells_the_password_of_a_storage(
    run, store: str, patients, response, tmp_path: Path, monkeypatch, caplog
) -> None:
    monkeypatch.setenv("NKPREDICT_HOME", str(tmp_path / "home"))
    uri = STORES[store].format(folder=tmp_path)
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        "name: r\nrandom_state: 0\nfolds: 3\nridge: {}\n"
        "search_space: {boosting__trees: {type: int, low: 5, high: 9}}\nboosting: {}\n"
        "evaluation: {folds: 3, repeats: 1, trials: 2}\n"
    )
    training = (
        "train", "--expression", patients, "--response", response, "--target", "y", "--name", "m",
        "--direction", "higher-is-sensitive", "--spec", recipe, "--run-folder", tmp_path / "run",
    )  # fmt: skip
    for words in (("tune", "status"), (*training, "--worker"), training):
        code, out, err = run("--log-file", tmp_path / "command.log", *words, "--storage", uri)
        assert code == 2
        assert err.count("nkpredict: ") == 1
        assert "Traceback" not in err
        assert_hidden(out + err + caplog.text)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert_hidden(path.read_bytes().decode("utf-8", "replace"))


@pytest.mark.parametrize("store", STORES)
def test_no_object_and_no_error_tells_the_password(store: str, tmp_path: Path) -> None:
    uri = STORES[store].format(folder=tmp_path)
    registry = Registry(uri)
    assert_hidden(repr(registry) + repr(registry.settings) + str(vars(registry)))
    config = TrainingConfig(expression=tmp_path, response=tmp_path, name="m", registry=uri)
    assert_hidden(repr(config))
    with pytest.raises(RegistryError) as caught:
        registry.load("m")
    assert_hidden(str(caught.value))
    # a traceback shows no other error either
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_malformed_settings_file_is_not_quoted(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for text in ("tracking_uri: [postgresql://nk:Hunter2@db/nk", "tracking_uri: {a: Hunter2}\n"):
        (tmp_path / "mlflow.yaml").write_text(text)
        with pytest.raises(ValueError, match="malformed") as caught:
            Registry()
        assert_hidden(str(caught.value))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql://nk:Hunter2@db:5432/nk", "postgresql://nk:***@db:5432/nk"),
        ("at postgresql://nk:p@ssw0rd/9@db/nk failed", "at postgresql://nk:***@db/nk failed"),
        ("postgresql://nk@db/nk", "postgresql://nk@db/nk"),
        ("https://Hunter2@host/x", "https://***@host/x"),
        ("postgresql%3A%2F%2Fnk%3AHunter2%40db%2Fnk", "postgresql%3A%2F%2F***%40db%2Fnk"),
        ("http://h/?a=1&pass%77ord=Hunter2&b=2", "http://h/?a=1&pass%77ord=***&b=2"),
        ("host=db password=Hunter2 user=nk", "host=db password=*** user=nk"),
        ("sqlite:////home/me@lab/mlflow.db", "sqlite:////home/me@lab/mlflow.db"),
        ("no model m@champion in sqlite:///a.db", "no model m@champion in sqlite:///a.db"),
    ],
)
def test_what_is_hidden_and_what_stays(text: str, expected: str) -> None:
    assert hide_credentials(text) == expected
    assert hide_credentials(expected) == expected


def test_a_known_password_is_hidden_alone_and_in_any_coding() -> None:
    uri = "postgresql://nk:p%40ssw0rd%2F9@db/nk"
    for form in ("p@ssw0rd/9", "p%40ssw0rd%2F9", "p%40ssw0rd/9"):
        assert hide_credentials(f"FATAL: {form} is wrong", uri) == "FATAL: *** is wrong"
