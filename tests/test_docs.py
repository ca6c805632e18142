"""What the pages say about the code is so: the ladder, the rooms, and the steps of each how-to."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.test_architecture import FLOORS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
ARCHITECTURE = (DOCS / "architecture.md").read_text(encoding="utf-8")
HOW_TO = sorted(path for path in (DOCS / "how-to").glob("*.md") if path.name != "README.md")
DECISIONS = sorted((DOCS / "decisions").glob("[0-9]*.md"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
EVERY_HOW_TO = pytest.mark.parametrize("page", HOW_TO, ids=lambda page: page.stem)


class Block(NamedTuple):
    """Code of a page: its language, what it does to which file, and its text."""

    language: str
    role: str
    file: str
    text: str


def blocks(page: Path) -> list[Block]:
    fences = r"^```(\w+)(?: (\w+)=(\S+))?\n(.*?)^```"
    found = re.findall(fences, page.read_text(encoding="utf-8"), flags=re.M | re.S)
    return [Block(*block) for block in found]


def before_and_after(diff: str) -> tuple[str, str]:
    """What stands in the file, and what is to stand there."""
    lines = diff.splitlines(keepends=True)
    assert all(line[0] in " +" for line in lines)
    after = "".join(line[1:] for line in lines)
    return "".join(line[1:] for line in lines if line[0] == " "), after


def section(title: str) -> str:
    return ARCHITECTURE.split(f"## {title}\n")[1].split("\n## ")[0]


def rooms() -> dict[str, str]:
    """Rooms of the table, and the cell with their public names."""
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", section("Rooms"), flags=re.M)
    return {room: cells.split("|")[-1] for room, cells in rows}


def test_the_ladder_of_the_page_is_the_one_that_is_tested() -> None:
    ladder = section("Who imports whom").split("```")[1].strip()
    printed = [{room.strip() for room in floor.split("·")} for floor in ladder.splitlines()]
    assert printed == FLOORS


def test_every_room_has_its_row_and_every_row_its_room() -> None:
    package = ROOT / "nkpredict"
    folders = {path.parent.name for path in package.glob("*/__init__.py")}
    modules = {path.stem for path in package.glob("*.py")} - {"__init__"}
    assert set(rooms()) == folders | modules == set().union(*FLOORS)


@pytest.mark.parametrize("room", rooms())
def test_public_names_of_the_page_are_handed_on(room: str) -> None:
    door = importlib.import_module(f"nkpredict.{room}")
    missing = [n for n in re.findall(r"`(\w+)`", rooms()[room]) if not hasattr(door, n)]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_paths_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    linked = [page.parent / link for link in re.findall(r"\]\(([^)#:]+)\)", text)]
    named = [ROOT / path for path in re.findall(r"`((?:docs|nkpredict|tests)/[\w./-]+)`", text)]
    assert not [path for path in linked + named if not path.exists()]


def test_decisions_are_numbered_listed_and_of_one_form() -> None:
    assert [int(page.name[:3]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    index = (DOCS / "decisions" / "README.md").read_text(encoding="utf-8")
    for page in DECISIONS:
        text = page.read_text(encoding="utf-8")
        assert text.startswith(f"# {page.name[:3]} ")
        assert re.findall(r"^- \*\*(\w+)\*\*:", text, flags=re.M) == [
            "Date",
            "Decision",
            "Measured",
            "Consequence",
        ]
        assert f"]({page.name})" in index


def test_decisions_that_the_code_points_to_exist() -> None:
    numbers = {page.name[:3] for page in DECISIONS}
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "nkpredict").rglob("*.py")]
    named = set(re.findall(r"docs/decisions/(\w+)", "\n".join(sources)))
    assert named
    assert named <= numbers


@EVERY_HOW_TO
def test_what_a_how_to_quotes_is_in_the_code(page: Path) -> None:
    for block in blocks(page):
        if block.role == "from":
            assert block.text in (ROOT / block.file).read_text(encoding="utf-8")
        elif block.language == "diff":
            standing, _ = before_and_after(block.text)
            assert (ROOT / block.file).read_text(encoding="utf-8").count(standing) == 1
        elif block.language == "python":
            compile(block.text, page.name, "exec")


@pytest.mark.slow
@EVERY_HOW_TO
def test_a_how_to_works_to_the_letter(page: Path, tmp_path: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "nkpredict", tmp_path / "nkpredict", ignore=ignored)
    for shipped in ("data", "models", "mlflow.yaml"):
        (tmp_path / shipped).symlink_to(ROOT / shipped)
    written = {block.file: block.text for block in blocks(page) if block.role == "in"}
    for block in blocks(page):
        if block.role == "new":
            (tmp_path / block.file).write_text(block.text, encoding="utf-8")
        elif block.language == "diff":
            file = tmp_path / block.file
            standing, changed = before_and_after(block.text)
            function = written.pop(block.file, "")
            changed = f"{function}\n\n{changed}" if function else changed
            file.write_text(file.read_text("utf-8").replace(standing, changed), encoding="utf-8")
    assert not written
    check = "\n".join(b.text for b in blocks(page) if b.language == "python" and not b.role)
    adds = any(block.role for block in blocks(page))
    assert ("check_" in check) == adds
    where = "import nkpredict, pathlib; assert pathlib.Path(nkpredict.__file__).is_relative_to("
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"{where}{str(tmp_path)!r})\n{check}"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
