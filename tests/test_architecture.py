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
    {"credentials", "errors", "shipped", "threads", "types", "vocabulary", "yaml_text"},
    {"facts", "configuration"},
    {"io"},
    {"evidence", "simulate"},
    {"datasets", "drugs", "features"},
    {"learn"},
    {"evaluate", "outcome", "registry"},
    {"scoring"},
    {"cells", "dreval", "explain", "serving"},
    {"figures"},
    {"comparison", "training", "pl", "testing", "tl"},
    {"report"},
    {"cli"},
]
FLOOR = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}
# Functions of more than 60 lines of code or 12 parameters; nothing is to be added.
STILL_LONG = {
    "learn.__init__",  # scikit-learn wants every setting of the trees in the constructor
}
# features sees no evidence, but learn does; the ladder is that of the way of the data.
MODULES = sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")
EXPERIMENTS = PACKAGE.parent / "experiments"
SCRIPTS = sorted(EXPERIMENTS.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_modules(path: Path) -> set[str]:
    """Dotted names below ``nkpredict`` that a file imports, wherever in the file."""
    modules = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} uses a relative import"
            modules.add(node.module or "")
            if node.module == "nkpredict":
                modules |= {f"nkpredict.{alias.name}" for alias in node.names}
    modules.discard("nkpredict.__version__")
    return {name for name in modules if name == "nkpredict" or name.startswith("nkpredict.")}


def door_of(path: Path) -> str:
    """Dotted name of the room, or room within a room, that a module lies in."""
    return ".".join(("nkpredict", *path.relative_to(PACKAGE).parent.parts))


def test_imports_go_one_way() -> None:
    for path in MODULES:
        room = room_of(path)
        for name in imported_modules(path):
            if name == "nkpredict":
                continue  # for the version; a name taken from it counts by itself
            other = name.split(".")[1]
            if other != room:
                assert FLOOR[other] < FLOOR[room], f"{path}: {room} must not import {other}"


def test_rooms_are_entered_through_their_doors() -> None:
    for path in MODULES:
        here = door_of(path)
        for name in imported_modules(path):
            outer, _, last = name.rpartition(".")
            if last.startswith("_"):
                inside = here == outer or here.startswith(f"{outer}.")
                assert inside, f"{path.relative_to(PACKAGE)} climbs past the door of {outer}"


def test_experiments_use_the_package_through_its_doors() -> None:
    for path in SCRIPTS:
        for name in imported_modules(path):
            inner = [part for part in name.split(".") if part.startswith("_")]
            assert not inner, f"{path.name} climbs past a door to {name}"
            assert not name.startswith("nkpredict.cli"), f"{path.name} leans on the command line"


@pytest.mark.slow
def test_nobody_imports_the_whole_package_at_once() -> None:
    for path in [*MODULES, *SCRIPTS]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            assert not [n for n in names if n.split(".")[0] == "nkpredict"], path


def test_inner_modules_say_that_they_are_inner() -> None:
    for path in MODULES:
        if path.name != "__init__.py" and path.parent != PACKAGE:
            # MLflow loads a registered model by the name of this module
            assert path.name.startswith("_"), path


def test_no_door_shadows_a_module() -> None:
    for init in PACKAGE.rglob("__init__.py"):
        modules = {p.stem for p in init.parent.iterdir() if p.suffix == ".py" or p.is_dir()}
        handed_on = {
            alias.asname or alias.name
            for node in ast.walk(ast.parse(init.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        assert not handed_on & modules, init


def test_modules_stay_small_and_free_of_pickle() -> None:
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        assert text.count("\n") <= 400, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {alias.name.split(".")[0] for alias in node.names}
                names.add((getattr(node, "module", None) or "").split(".")[0])
                assert not names & {"pickle", "cloudpickle", "dill", "shelve", "marshal"}, path
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                assert isinstance(node.value, ast.Constant), path
                assert node.value.value is False, path


def code_lines(function: ast.FunctionDef) -> int:
    """Lines of a function without its docstring."""
    documented = ast.get_docstring(function, clean=False)
    lines = (function.end_lineno or 0) - function.lineno + 1
    return lines - (documented.count("\n") + 1 if documented else 0)


def test_functions_stay_short() -> None:
    long = set()
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                given = node.args
                parameters = len(given.posonlyargs + given.args + given.kwonlyargs)
                if code_lines(node) > 60 or parameters > 12:
                    long.add(f"{room_of(path)}.{node.name}")
    assert long <= STILL_LONG


def test_rooms_only_hand_names_on() -> None:
    for init in PACKAGE.glob("*/**/__init__.py"):
        body = ast.parse(init.read_text(encoding="utf-8")).body
        for node in body:
            assert isinstance(node, ast.Expr | ast.ImportFrom | ast.Assign), init


def test_the_stub_names_the_rooms_as_they_are() -> None:
    body = ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8")).body
    rooms = [node.module for node in body if isinstance(node, ast.ImportFrom) and node.module]
    assert rooms == sorted(FLOOR.keys() & set(rooms))
    for node in body:
        if isinstance(node, ast.ImportFrom):
            assert [alias.asname for alias in node.names] == sorted(a.name for a in node.names)


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

    assert dir(nkpredict) == sorted(nkpredict.__all__)
    for name in nkpredict.__all__:
        assert getattr(nkpredict, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        _ = nkpredict.nothing
