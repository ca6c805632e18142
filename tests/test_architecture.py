"""The rules of the house: who may import whom, how large a module is, what is never used."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "nkpredict"
# A room may import the floors below it and nothing beside it on its own floor.
FLOORS = [
    {"errors", "shipped"},
    {"io"},
    {"evidence", "simulate"},
    {"features"},
    {"learn"},
    {"evaluate", "registry", "explain"},
    {"scoring"},
    {"report"},
    {"training"},
    {"cli"},
]
FLOOR = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}
# features sees no evidence, but learn does; the ladder is that of the way of the data.
MODULES = sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} uses a relative import"
            names = [node.module or ""]
            if node.module == "nkpredict":
                names = [f"nkpredict.{alias.name}" for alias in node.names]
        rooms |= {n.split(".")[1] for n in names if n.startswith("nkpredict.")}
    return rooms


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_one_way(path: Path) -> None:
    room = room_of(path)
    for other in imported_rooms(path) - {room, "__version__"}:
        assert FLOOR[other] < FLOOR[room], f"{room} must not import {other}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_modules_stay_small_and_free_of_pickle(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name.split(".")[0] for alias in node.names}
            names.add((getattr(node, "module", None) or "").split(".")[0])
            assert not names & {"pickle", "cloudpickle", "dill", "shelve", "marshal"}
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            assert isinstance(node.value, ast.Constant)
            assert node.value.value is False


def test_rooms_only_hand_names_on() -> None:
    for init in PACKAGE.glob("*/__init__.py"):
        body = ast.parse(init.read_text(encoding="utf-8")).body
        for node in body:
            assert isinstance(node, ast.Expr | ast.ImportFrom | ast.Assign), init


def test_importing_the_package_and_the_command_line_loads_nothing_heavy() -> None:
    code = (
        "import sys, nkpredict, nkpredict.cli\n"
        "heavy = {'numpy', 'pandas', 'mlflow', 'lightgbm', 'sklearn', 'anndata', 'optuna'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_every_public_name_can_be_imported() -> None:
    import nkpredict

    for name in nkpredict.__all__:
        assert getattr(nkpredict, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = nkpredict.nothing
