"""Reading from a tracking server without MLflow, against a server that says what a test wants."""

from __future__ import annotations

import json
import socket
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from nkpredict import Registry
from nkpredict.errors import RegistryError

API, FILES = "/api/2.0/mlflow", "/api/2.0/mlflow-artifacts/artifacts"


class Said(HTTPServer):
    """Answers by path; remembers what it was asked."""

    answers: dict[str, Any]
    asked: list[tuple[str, dict[str, list[str]], str | None]]

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Said

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        path, query = unquote(parts.path), parse_qs(parts.query)
        self.server.asked.append((path, query, self.headers.get("Authorization")))
        answer = self.server.answers.get(path, (404, {"error_code": "RESOURCE_DOES_NOT_EXIST"}))
        if callable(answer):
            answer = answer(query)
        status, content = answer
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Said]:
    monkeypatch.setenv("HOME", str(tmp_path))
    with Said(("127.0.0.1", 0), Handler) as server:
        server.answers, server.asked = {}, []
        thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def version(number: int) -> dict[str, Any]:
    # 64-bit integers are text in the JSON of protocol buffers
    return {
        "name": "m",
        "version": str(number),
        "creation_timestamp": "1700000000000",
        "source": "mlflow-artifacts:/1/models/m-1/artifacts",
        "tags": [{"key": "simulated", "value": "true"}],
    }


def test_all_pages_of_models_and_versions_are_read(said: Said) -> None:
    def versions(query: dict[str, list[str]]) -> tuple[int, dict[str, Any]]:
        if "page_token" in query:
            return 200, {"model_versions": [version(2)]}
        return 200, {"model_versions": [version(1)], "next_page_token": "more"}

    said.answers[f"{API}/model-versions/search"] = versions
    models = [{"name": "m", "aliases": [{"alias": "champion", "version": "2"}]}, {"name": "empty"}]
    said.answers[f"{API}/registered-models/search"] = (200, {"registered_models": models})
    assert Registry(said.uri).models() == [
        {"name": "m", "versions": [2, 1], "aliases": {"champion": 2}, "tags": {}},
        {"name": "empty", "versions": [], "aliases": {}, "tags": {}},
    ]


def test_one_version_is_asked_for_alone(said: Said) -> None:
    said.answers[f"{API}/registered-models/alias"] = (200, {"model_version": version(7)})
    name, entry = Registry(said.uri).find("m@champion")
    assert (name, entry.version, entry.tags) == ("m", 7, {"simulated": "true"})
    assert [path for path, _, _ in said.asked] == [f"{API}/registered-models/alias"]


def test_what_is_not_there_is_told_with_what_is(said: Said) -> None:
    said.answers[f"{API}/model-versions/search"] = (200, {"model_versions": [version(1)]})
    said.answers[f"{API}/registered-models/search"] = (200, {"registered_models": [{"name": "m"}]})
    with pytest.raises(RegistryError, match=r"m/9"):
        Registry(said.uri).find("m/9")


@pytest.mark.parametrize(
    ("status", "content", "sentence"),
    [
        (401, b"You are not authenticated.", "refuses the user or the password"),
        (403, {"error_code": "PERMISSION_DENIED"}, "refuses the user or the password"),
        (418, {"error_code": "TEAPOT", "message": "I am one"}, "error code 418: .*I am one"),
        (404, b"<html>\n not here", "error code 404: what answers there is no MLflow server"),
        (200, b"<html>no JSON", "gave an error"),
        (200, {"registered_models": [{"title": "m"}]}, "gave an error"),
        (200, ["m"], "gave an error"),
    ],
)
def test_an_answer_that_is_none_is_one_sentence(
    said: Said, status: int, content: Any, sentence: str
) -> None:
    for of in ("registered-models/search", "model-versions/search"):
        said.answers[f"{API}/{of}"] = (status, content)
    with pytest.raises(RegistryError, match=sentence) as caught:
        Registry(said.uri).models()
    assert "\n" not in str(caught.value)


def test_a_server_that_is_gone_is_told_in_few_words() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # nobody listens, and nobody else can take the port
        with pytest.raises(
            RegistryError, match=r"cannot be reached \(\[Errno \d+\] Connection refused\)"
        ):
            Registry(f"http://127.0.0.1:{held.getsockname()[1]}").models()


@pytest.mark.parametrize(
    ("user", "password", "token", "expected"),
    [
        ("ada", "s3cret", None, "Basic " + b64encode(b"ada:s3cret").decode()),
        (None, None, "t0ken", "Bearer t0ken"),
        ("ada", "s3cret", "t0ken", "Basic " + b64encode(b"ada:s3cret").decode()),
        (None, None, None, None),
    ],
)
def test_it_signs_in_as_mlflow_does(
    said: Said,
    monkeypatch: pytest.MonkeyPatch,
    user: str | None,
    password: str | None,
    token: str | None,
    expected: str | None,
) -> None:
    for name, value in (("USERNAME", user), ("PASSWORD", password), ("TOKEN", token)):
        if value is not None:
            monkeypatch.setenv(f"MLFLOW_TRACKING_{name}", value)
    with pytest.raises(RegistryError):
        Registry(said.uri).models()
    assert {given for _, _, given in said.asked} == {expected}


@pytest.mark.parametrize("name", ["../evil", "..", "a/b", "/etc/passwd", ""])
def test_a_file_is_never_written_outside_of_its_folder(said: Said, name: str) -> None:
    said.answers[f"{API}/registered-models/alias"] = (200, {"model_version": version(1)})
    said.answers[FILES] = (200, {"files": [{"path": name, "is_dir": False}]})
    with pytest.raises(RegistryError, match="each inside of its folder"):
        Registry(said.uri).load("m@champion")


def test_files_without_end_are_not_fetched(said: Said) -> None:
    said.answers[f"{API}/registered-models/alias"] = (200, {"model_version": version(1)})
    said.answers[FILES] = (200, {"files": [{"path": f"d{n}", "is_dir": True} for n in range(3)]})
    with pytest.raises(RegistryError, match="names 1001 files"):
        Registry(said.uri).load("m@champion")


def test_files_are_fetched_with_their_folders(said: Said, tmp_path: Path, bundle: Path) -> None:
    root, placed = "1/models/m-1/artifacts", "1/models/m-1/artifacts/data/a b"

    def listed(query: dict[str, list[str]]) -> tuple[int, dict[str, Any]]:
        folders = {root: ["data"], f"{root}/data": ["a b"]}
        (place,) = query["path"]
        names = folders.get(place, [path.name for path in bundle.iterdir()])
        return 200, {"files": [{"path": n, "is_dir": place in folders} for n in names]}

    said.answers[f"{API}/model-versions/get"] = (200, {"model_version": version(3)})
    said.answers[FILES] = listed
    for path in bundle.iterdir():
        said.answers[f"{FILES}/{placed}/{path.name}"] = (200, path.read_bytes())
    assert Registry(said.uri).load("m/3").metadata.registry_version == 3
    exported = Registry(said.uri).export("m/3", tmp_path / "out")
    assert {p.name: p.read_bytes() for p in exported.iterdir()} == {
        p.name: p.read_bytes() for p in bundle.iterdir()
    }
