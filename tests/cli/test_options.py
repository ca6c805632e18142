"""Options, defaults and YAML keys come from the same dataclasses."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Literal

import pytest
import typer
from typer.testing import CliRunner

from nkpredict.cli._options import with_options
from nkpredict.configuration import (
    EvaluationSettings,
    InputFiles,
    Setting,
    TrainingSettings,
    check_settings,
)
from nkpredict.errors import InputError
from nkpredict.training import TrainingConfig, read_config


@dataclass(frozen=True, kw_only=True)
class Walk:
    """Settings of every type."""

    start: Annotated[Path, Setting("Where to begin.", "DIR")]
    steps: Annotated[int, Setting("How many.", "N", least=1)] = 3
    pace: Annotated[Literal["slow", "fast"] | None, Setting("slow or fast.", "PACE")] = None
    stops: Annotated[tuple[Path, ...], Setting("Where to rest.", "DIR")] = (Path("home"),)
    map_file: Annotated[str | Path | None, Setting("Map.", "FILE", option="map")] = None
    dog: Annotated[bool, Setting("Take the dog.")] = False

    def __post_init__(self) -> None:
        check_settings(self)


@pytest.fixture
def walked() -> list[Walk]:
    return []


@pytest.fixture
def walk(walked: list[Walk]):
    @with_options
    def command(loud: Annotated[bool, typer.Option("--loud")] = False, *, walk: Walk) -> None:
        """Go."""
        walked.append(walk)

    app = typer.Typer(add_completion=False)
    app.command()(command)
    return lambda *given: CliRunner().invoke(app, given, env={"COLUMNS": "80"})


def test_an_option_left_out_leaves_the_default_alone(walk, walked: list[Walk]) -> None:
    assert walk("--start", "a").exit_code == 0
    assert walked == [Walk(start=Path("a"))]


def test_every_type_of_setting_can_be_given(walk, walked: list[Walk]) -> None:
    given = "--start a --steps 5 --pace fast --stops b --stops c --map d --dog --loud"
    assert walk(*given.split()).exit_code == 0
    assert walked == [
        Walk(
            start=Path("a"),
            steps=5,
            pace="fast",
            stops=(Path("b"), Path("c")),
            map_file=Path("d"),
            dog=True,
        )
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("--steps", "0"), "steps is 0; expected a whole number from 1 up"),
        (("--pace", "mad"), "The pace 'mad' is unknown; expected slow or fast"),
    ],
)
def test_a_wrong_value_is_told_in_one_sentence(walk, given, message: str) -> None:
    error = walk("--start", "a", *given).exception
    assert isinstance(error, InputError)
    assert message in str(error)


def test_help_shows_words_defaults_and_what_is_required(walk) -> None:
    lines = walk("--help").stdout.splitlines()
    order = [line.split("--")[1].split()[0] for line in lines if " --" in line]
    assert order == ["start", "loud", "steps", "pace", "stops", "map", "dog", "help"]
    text = " ".join(lines)
    assert "[default: 3]" in text
    assert "no-dog" not in text
    assert text.count("[required]") == 1


@pytest.mark.parametrize(
    ("command", "kind"), [("train", TrainingSettings), ("evaluate", EvaluationSettings)]
)
def test_every_setting_is_an_option(run, command: str, kind: type[InputFiles]) -> None:
    _, out, _ = run(command, "--help")
    for name in (field.name for field in fields(kind)):
        option = {"random_state": "seed"}.get(name, name).replace("_", "-")
        assert f" --{option} " in out, name


def test_a_file_without_values_has_the_defaults_of_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("name: a\nexpression: x.csv\nresponse: y.csv\nscreens: z.csv\nspec:\n")
    assert read_config(path) == TrainingConfig(
        name="a",
        expression=tmp_path / "x.csv",
        response=tmp_path / "y.csv",
        screens=(tmp_path / "z.csv",),
    )
    path.write_text("name:\nexpression: x.csv\nresponse: y.csv\n")
    with pytest.raises(InputError, match="has no name; expected the keys expression, response"):
        read_config(path)
