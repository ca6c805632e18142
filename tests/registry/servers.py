"""An empty PostgreSQL and an MLflow server, started for a test and stopped behind it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

PASSWORD = "p@ss w0rd/9"
_USER = "postgres"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def empty_postgresql() -> Iterator[str]:
    """Yield the URI of an empty database that asks for a password."""
    with restarting_postgresql() as (uri, _):
        yield uri


@contextmanager
def restarting_postgresql() -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield the URI of an empty database, and what stops its server at once and starts it again."""
    pytest.importorskip("psycopg", reason="the extra postgresql is not installed")
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    found = shutil.which("initdb")
    if not folders and found is None:
        pytest.skip("PostgreSQL is not installed (initdb)")
    programs = folders[-1] if folders else Path(str(found)).parent
    folder = Path(tempfile.mkdtemp(prefix="nkpg"))
    port, secret = free_port(), folder / "password"
    secret.write_text(PASSWORD)
    # PostgreSQL refuses to run as root
    other = os.geteuid() == 0
    if other:
        for path in (folder, secret):
            shutil.chown(path, _USER)

    def run(*words: object) -> None:
        command = [str(programs / str(words[0])), *map(str, words[1:])]
        with (folder / "said").open("w") as said:
            user = {"user": _USER, "group": _USER, "extra_groups": []} if other else {}
            subprocess.run(command, check=True, stdout=said, stderr=said, cwd="/", **user)

    data = folder / "data"
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"

    def start() -> None:
        run("pg_ctl", "-D", data, "-o", options, "-l", folder / "log", "-w", "start")

    def restart() -> None:
        run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
        time.sleep(2)
        start()

    try:
        run("initdb", "-D", data, "-U", "nk", "--auth=scram-sha-256", f"--pwfile={secret}", "-N")
        start()
        try:
            yield f"postgresql://nk:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/postgres", restart
        finally:
            run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def mlflow_server(folder: Path) -> Iterator[str]:
    """Yield the URI of a tracking server that keeps files itself."""
    port = free_port()
    folder.mkdir()
    command = [
        sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port),
        "--workers", "1", "--backend-store-uri", f"sqlite:///{folder}/server.db",
        "--artifacts-destination", str(folder / "files"), "--serve-artifacts",
    ]  # fmt: skip
    with (folder / "said").open("w") as said:
        server = subprocess.Popen(
            command, stdout=said, stderr=said, cwd=folder, start_new_session=True
        )
        try:
            for _ in range(600):
                assert server.poll() is None, (folder / "said").read_text()
                with socket.socket() as door:
                    if door.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.5)
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(server.pid, 9)
            server.wait()
