"""Examples in docstrings, in the README and in the pages on use run as they are written."""

from __future__ import annotations

import doctest
import importlib
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from nkpredict import Registry, read_expression, read_panel, simulate_study
from nkpredict.cli._app import app
from nkpredict.simulate import SimulatedStudy

PACKAGE = Path(__file__).parents[1] / "nkpredict"
PAGES = [PACKAGE.parent / "README.md", *sorted((PACKAGE.parent / "docs" / "use").glob("*.md"))]
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
CODE = {kind: [b for k, b in FENCED.findall(TEXT) if k == kind] for kind in ("python", "bash", "")}
INLINE = re.findall(r"`([^`]+)`", FENCED.sub("", TEXT))
# File of the pages → what a simulated study has for it.
FILES = {
    "expression.csv": "expression",
    "Model.csv": "lines",
    "NK_PRISM_heme_pctviability.txt": "viability",
    "crispr_mageck_combined.txt": "screens",
}


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> SimulatedStudy:
    folder = tmp_path_factory.mktemp("examples") / "study"
    return simulate_study(folder, n_genes=300, n_patients=6)


def modules_with_examples() -> list[str]:
    files = (path for path in PACKAGE.rglob("*.py") if ">>> " in path.read_text(encoding="utf-8"))
    return sorted(".".join(p.relative_to(PACKAGE.parent).with_suffix("").parts) for p in files)


class _OnlyWhatIsWritten(doctest.OutputChecker):
    """Compare output where the example shows one."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        return not want or super().check_output(want, got, optionflags)


@pytest.mark.slow
@pytest.mark.parametrize("module", modules_with_examples())
@pytest.mark.filterwarnings("ignore::nkpredict.learn.ChanceSkillWarning")
def test_docstrings(
    module: str, study: SimulatedStudy, bundle: Path, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setenv("NKPREDICT_HOME", str(tmp_path))
    panel = read_panel(study.expression, study.viability, obs=study.lines)
    names = {
        "panel": panel,
        "profiles": panel.to_df(),
        "reference": panel.to_df(),
        "susceptibility": panel.obs["susceptibility"],
        "patients": read_expression(study.patients),
    }
    for example in doctest.DocTestFinder().find(importlib.import_module(module)):
        if "Registry" in (example.docstring or "") and example.examples:
            Registry().register(bundle, "nk-susceptibility")
        example.globs |= names
        for line in example.examples:
            line.options.pop(doctest.SKIP, None)  # the names above are all that was lacking
        assert doctest.DocTestRunner(_OnlyWhatIsWritten()).run(example).failed == 0


@pytest.mark.slow
def test_the_python_of_the_pages(study: SimulatedStudy, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, attribute in FILES.items():
        shutil.copy(getattr(study, attribute), name)
    read_expression(study.patients).write_h5ad("patients.h5ad")
    names: dict[str, object] = {}
    assert CODE["python"]
    for block in CODE["python"]:
        exec(compile(block, "a page on use", "exec"), names)
    assert Path("genes.svg").is_file()


def commands() -> Iterator[str]:
    """Every call of the command line in the pages, in blocks and in running text."""
    blocks = "\n".join(CODE["bash"] + CODE[""]).replace("\\\n", " ").splitlines()
    for code in blocks + [" ".join(span.split()) for span in INLINE]:
        command = re.sub(r"^\S*bin/(?=nkpredict )", "", code.strip())
        if command.startswith("nkpredict ") and not command.endswith("…"):
            yield command


def options(command: Any) -> set[str]:
    """Options of a command and of those below it."""
    below = getattr(command, "commands", {}).values()
    return {o for p in command.params for o in p.opts}.union(*map(options, below))


@pytest.mark.parametrize("line", sorted(set(commands())))
def test_commands_of_the_pages_exist(line: str) -> None:
    command: Any = typer.main.get_command(app)
    arguments = shlex.split(line)[1:]
    while hasattr(command, "commands"):
        assert arguments[0] in command.commands, f"there is no command {arguments[0]}"
        command = command.commands[arguments.pop(0)]
    given, left, _ = command.make_parser(command.context_class(command)).parse_args(arguments)
    assert not left
    lacking = [p.name for p in command.params if p.required and p.name not in given]
    assert not lacking


def test_options_of_the_pages_exist() -> None:
    scripts = (PACKAGE.parent / "experiments").glob("*.py")
    others = {o for p in scripts for o in re.findall(r'"(--[a-z-]+)"', p.read_text())}
    known = options(typer.main.get_command(app)) | others
    named = {word for span in INLINE for word in re.findall(r"(?:^|\s)(--[a-z-]+)", span)}
    assert named
    assert named <= known
