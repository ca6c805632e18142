"""The recipe for PostgreSQL in the documentation, followed from an empty server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.registry.servers import PASSWORD, empty_postgresql

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "registry.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.M | re.S)
    return found


@pytest.mark.slow
def test_the_recipe_works_from_an_empty_server(bundle: Path, tmp_path: Path) -> None:
    import psycopg

    with empty_postgresql() as uri:
        place = re.search(r"@(.*):(\d+)/", uri)
        assert place is not None
        with psycopg.connect(uri, autocommit=True) as administrator:
            # the superuser of the test is called nk, so the user of the recipe gets another name
            for statement in block("sql").replace("nk ", "lab ").splitlines():
                administrator.execute(
                    statement.replace("DATABASE lab OWNER nk", "DATABASE nk OWNER lab")
                )
        host, port = place.groups()
        settings = block("yaml").replace("nk@dbserver:5432", f"lab@{host}:{port}")
        settings = settings.replace("/shared/nkpredict", str(tmp_path / "shared"))
        passwords = block("text").replace("dbserver:5432:nk:nk", f"{host}:{port}:nk:lab")

        def run(machine: str, *words: object) -> str:
            home = tmp_path / machine
            (home / "work").mkdir(parents=True, exist_ok=True)
            (home / "work" / "mlflow.yaml").write_text(settings)
            (home / ".pgpass").write_text(passwords)
            (home / ".pgpass").chmod(0o600)
            done = subprocess.run(
                [str(Path(sys.executable).with_name("nkpredict")), *map(str, words)],
                cwd=home / "work",
                env={**os.environ, "HOME": str(home), "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            assert {p.name for p in (home / "work").iterdir()} <= {"mlflow.yaml", "copy"}
            assert "choose one" not in done.stdout + done.stderr
            return done.stdout

        assert "Registered m/1" in run("first", "models", "import", bundle, "--name", "m")
        for command in block("sh").splitlines():
            assert run("second", *command.split()[1:])
        assert "is whole" in run("second", "models", "verify", "m@champion")
        run("second", "models", "export", "m", "--out", "copy")
        assert PASSWORD not in "".join(
            path.read_text("utf-8", "replace") for path in tmp_path.rglob("*") if path.is_file()
        )
