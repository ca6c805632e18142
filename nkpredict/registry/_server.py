"""What a tracking server is asked without MLflow, whose import takes longer than all the answers.

Names and paths are those of the REST API that MLflow documents, sign-in is by the variables that it
documents. A server that asks for more than these is left to MLflow, as is all that writes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar
from urllib.parse import quote

from nkpredict.errors import RegistryError
from nkpredict.registry._failures import ServerError

_API = "/api/2.0/mlflow"
_KEPT = "/api/2.0/mlflow-artifacts/artifacts"
_FILES = "mlflow-artifacts:/"
_MOST_FILES = 1000
"""A model has some twenty; set by hand."""
CONNECTING = 10
"""Seconds to wait for the first answer of a server; set by hand."""
_ANSWERING = 120  # seconds, as MLflow waits
_OWN_WAYS = (
    "MLFLOW_TRACKING_AUTH",
    "MLFLOW_TRACKING_AWS_SIGV4",
    "MLFLOW_TRACKING_CLIENT_CERT_PATH",
    "MLFLOW_ENABLE_WORKSPACES",
    "MLFLOW_WORKSPACE",
)
"""Variables by which MLflow signs in or addresses a server in ways that are left to it."""


_Content = TypeVar("_Content")


class _Page(list[Any]):
    """One page of answers and what the next one is asked by, as MLflow's client gives it."""

    token: str | None = None


class Server:
    """Reads models, versions and files of a tracking server; in place of MLflow's client.

    What both can do has the name that MLflow's client gives it, and raises `ServerError` when the
    server answers with something else.

    Parameters
    ----------
    uri
        ``http://`` or ``https://``, maybe with user and password.
    """

    def __init__(self, uri: str) -> None:
        import requests
        from urllib3.util import Retry

        self.uri = uri.rstrip("/")
        self._session = requests.Session()
        # a server that is gone is told at once
        again = Retry(
            total=2, connect=0, status_forcelist=(429, 500, 502, 503, 504), raise_on_status=False
        )
        self._session.mount(self.uri, requests.adapters.HTTPAdapter(max_retries=again))
        given = os.environ.get
        user, password = given("MLFLOW_TRACKING_USERNAME"), given("MLFLOW_TRACKING_PASSWORD")
        if user and password:
            self._session.auth = (user, password)
        elif token := given("MLFLOW_TRACKING_TOKEN"):
            self._session.headers["Authorization"] = f"Bearer {token}"
        if certificate := given("MLFLOW_TRACKING_SERVER_CERT_PATH"):
            self._session.verify = certificate
        elif given("MLFLOW_TRACKING_INSECURE_TLS", "").lower() in ("true", "1"):
            self._session.verify = False

    def search_registered_models(
        self, max_results: int = 100, page_token: str | None = None
    ) -> _Page:
        """Return models with aliases and tags."""
        return self._page("registered-models", _model, max_results, page_token)

    def search_model_versions(self, max_results: int = 100, page_token: str | None = None) -> _Page:
        """Return versions with their tags."""
        return self._page("model-versions", _version, max_results, page_token)

    def get_model_version_by_alias(self, name: str, alias: str) -> Any:
        """Return the version with an alias."""
        return self._one("registered-models/alias", {"name": name, "alias": alias})

    def get_model_version(self, name: str, version: str) -> Any:
        """Return the version with a number."""
        return self._one("model-versions/get", {"name": name, "version": version})

    def fetched(self, source: str, folder: Path) -> Path | None:
        """Copy the files of a version into a folder.

        Parameters
        ----------
        source
            Where the version says that they are.
        folder
            Empty.

        Returns
        -------
        pathlib.Path or None
            The folder; None when the server does not keep the files itself.

        Raises
        ------
        ServerError
            When the server answers with something else.
        RegistryError
            When it names files outside of the folder, or without end.
        """
        if not source.startswith(_FILES) or source.startswith(f"{_FILES}/"):
            return None
        pending, found = [(source.removeprefix(_FILES).strip("/"), folder)], 0
        while pending:
            place, into = pending.pop()
            into.mkdir(exist_ok=True)
            for name, is_folder in _read(self._get(_KEPT, {"path": place}), _listed):
                found += 1
                if Path(name).name != name or name in ("", "..") or found > _MOST_FILES:
                    raise RegistryError(
                        f"The server names {found} files, the last one {name[:100]!r}; expected a "
                        f"model of at most {_MOST_FILES}, each inside of its folder, so nothing is "
                        "loaded from it."
                    )
                if is_folder:
                    pending.append((f"{place}/{name}", into / name))
                else:
                    self._save(f"{place}/{name}", into / name)
        return folder

    def _save(self, place: str, file: Path) -> None:
        with (
            self._get(f"{_KEPT}/{quote(place)}", {}, stream=True) as answer,
            file.open("wb") as stream,
        ):
            if not answer.ok:
                raise _error(answer)
            for part in answer.iter_content(1 << 20):
                stream.write(part)

    def _one(self, of: str, asked: Mapping[str, str]) -> Any:
        answer = self._get(f"{_API}/{of}", asked)
        return _read(answer, lambda content: _version(content["model_version"]))

    def _page(
        self, of: str, read: Callable[[Any], Any], max_results: int, page_token: str | None
    ) -> _Page:
        def page_of(content: Any) -> _Page:
            page = _Page(map(read, content.get(of.replace("-", "_"), [])))
            page.token = content.get("next_page_token") or None
            return page

        asked = {"max_results": str(max_results)}
        if page_token:
            asked["page_token"] = page_token
        return _read(self._get(f"{_API}/{of}/search", asked), page_of)

    def _get(self, path: str, asked: Mapping[str, str], *, stream: bool = False) -> Any:
        import requests

        waiting = (CONNECTING, _ANSWERING)
        try:
            return self._session.get(self.uri + path, params=asked, timeout=waiting, stream=stream)
        except requests.ConnectionError as error:
            # what is wrong stands at the end of a chain of names of classes
            said = str(getattr(error.args[0] if error.args else error, "reason", error))
            raise ConnectionError(said.rsplit(": ", 1)[-1]) from None


def server_of(uri: str) -> Server | None:
    """Return how to ask a store, None where MLflow is needed for it.

    Parameters
    ----------
    uri
        Of the store.
    """
    plain = uri.startswith(("http://", "https://")) and not any(map(os.environ.get, _OWN_WAYS))
    if not plain or (Path.home() / ".mlflow" / "credentials").exists():
        return None
    return None if entry_points(group="mlflow.request_header_provider") else Server(uri)


def _model(answer: Mapping[str, Any]) -> Any:
    aliases = {one["alias"]: one["version"] for one in answer.get("aliases", [])}
    return SimpleNamespace(name=answer["name"], aliases=aliases, tags=_tags(answer))


def _version(answer: Mapping[str, Any]) -> Any:
    return SimpleNamespace(
        name=answer["name"],
        version=answer["version"],
        run_id=answer.get("run_id"),
        source=answer.get("source", ""),
        creation_timestamp=answer.get("creation_timestamp"),
        tags=_tags(answer),
    )


def _tags(answer: Mapping[str, Any]) -> dict[str, str]:
    return {one["key"]: one.get("value", "") for one in answer.get("tags", [])}


def _listed(content: Any) -> list[tuple[str, bool]]:
    return [(str(one["path"]), bool(one.get("is_dir"))) for one in content.get("files", [])]


def _read(answer: Any, of: Callable[[Any], _Content]) -> _Content:
    """Return what an answer says.

    Raises
    ------
    ServerError
        When it says something else.
    """
    if not answer.ok:
        raise _error(answer)
    try:
        return of(answer.json())
    except (ValueError, LookupError, TypeError, AttributeError):
        raise ServerError("what answers there is no MLflow server") from None


def _code(answer: Any) -> str | None:
    try:
        return str(answer.json()["error_code"])
    except (ValueError, LookupError, TypeError):
        return None


def _error(answer: Any) -> ServerError:
    code = _code(answer)
    known = answer.status_code in (401, 403) or code is not None
    said = answer.text if known else "what answers there is no MLflow server"
    return ServerError(f"error code {answer.status_code}: {said}", code)
