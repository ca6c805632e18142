"""Atomic writers: a file is there whole or not at all, and holds nothing that runs."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import resource
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiments.bounded import run_bounded
from nkpredict.errors import InputError
from nkpredict.io import (
    atomic_folder,
    atomic_path,
    file_sha256,
    require_file,
    to_json,
    write_csv,
    write_json,
    write_text,
)


class HalfWayError(Exception):
    """Raised half-way."""


def write_half(path: Path) -> None:
    path.write_text("half")
    raise HalfWayError


def test_a_file_that_fails_half_way_leaves_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "new" / "a.txt"
    write_text(target, "old")
    with pytest.raises(HalfWayError), atomic_path(target) as path:
        write_half(path)
    assert target.read_text() == "old"
    assert [p.name for p in target.parent.iterdir()] == ["a.txt"]


def test_a_folder_is_replaced_as_a_whole_or_stays(tmp_path: Path) -> None:
    target = tmp_path / "out"
    for name in ("a", "b"):
        with atomic_folder(target) as folder:
            (folder / name).write_text(name)
        assert [p.name for p in target.iterdir()] == [name]
    with pytest.raises(HalfWayError), atomic_folder(target) as folder:
        write_half(folder / "c")
    assert [p.name for p in target.iterdir()] == ["b"]
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_what_is_written_may_be_read_by_those_the_umask_allows(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "a", "")
        with atomic_folder(tmp_path / "b"):
            pass
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o750


def test_json_is_sorted_plain_and_strict(tmp_path: Path) -> None:
    content = {
        "b": np.float32(0.5),
        "a": [np.int64(3), np.nan, -np.inf, np.array([1.0, np.nan]), {2, 1}],
        3: Path("x/y"),
        "µ": np.bool_(True),
    }
    write_json(tmp_path / "a.json", content)
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert "µ" in text
    assert text == to_json(content)
    assert json.loads(text, parse_constant=pytest.fail) == {
        "3": "x/y",
        "a": [3, None, None, [1.0, None], [1, 2]],
        "b": 0.5,
        "µ": True,
    }


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=6), min_size=1, max_size=4))
def test_no_cell_begins_like_a_formula(tmp_path: Path, texts: list[str]) -> None:
    table = pd.DataFrame({"=first": texts}, index=[f"@{text}" for text in texts])
    write_csv(tmp_path / "a.csv", table)
    read = pd.read_csv(tmp_path / "a.csv", keep_default_na=False, dtype=str)
    for cell in [*read.columns, *read.to_numpy().ravel()]:
        if cell[:1] in ("=", "+", "-", "@", "\t"):
            float(cell)  # nothing but a number may begin so


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "\r=1+1",
        "A\r=1+1",
        "A\n=1+1",
        "\r\n=1+1",
        "\ufeff=1+1",
        "\ufeff\u200b =1+1",
        " =1+1",
        "\t=1+1",
        "＝1+1",
        "＋1+1",
        "－1+1",
        "＠SUM(1)",
        "\x00=1+1",
        "A\u2028=1+1",
    ],
)
def test_no_line_of_a_table_runs_as_a_formula(tmp_path: Path, text: str) -> None:
    table = pd.DataFrame({"a": [text, "sound"], text: ["x", "y"]}, index=["S1", text])
    write_csv(tmp_path / "a.csv", table)
    lines = re.split("[\r\n\u2028]", (tmp_path / "a.csv").read_text(encoding="utf-8").strip("\n"))
    assert len(lines) == 3
    cells = [cell for line in lines for cell in next(csv.reader([line]))]
    passed_over = "".join(map(chr, range(33))) + "\ufeff\u200b"
    assert not [c for c in cells if c.strip(passed_over).startswith(tuple("=+-@＝＋－＠"))]


def in_child(action, limit: int | None = None) -> tuple[str, str]:
    """Run in a child that may write files of so many bytes; return how it ended and the message."""

    def limited() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        action()

    outcome = run_bounded(limited, seconds=60, megabytes=2048)
    return outcome.kind, outcome.message


def test_a_full_disk_leaves_the_old_result(tmp_path: Path) -> None:
    def writes_a_folder() -> None:
        with atomic_folder(tmp_path / "out") as folder:
            (folder / "a").write_text("x" * 100_000)

    write_text(tmp_path / "a.txt", "old")
    with atomic_folder(tmp_path / "out") as folder:
        (folder / "a").write_text("old")
    for action in (lambda: write_text(tmp_path / "a.txt", "x" * 100_000), writes_a_folder):
        kind, message = in_child(action, limit=1000)
        assert (kind, "cannot be written (File too large)" in message) == ("refused", True), message
    assert (tmp_path / "a.txt").read_text() == (tmp_path / "out" / "a").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "out"]


@pytest.mark.parametrize("target", ["file/below", "/proc/nkpredict/out", "/dev/null/out"])
def test_a_place_that_cannot_be_written_is_told(tmp_path: Path, target: str) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="cannot be written"):
        write_text(tmp_path / target, "x")
    with pytest.raises(InputError, match="cannot be written"), atomic_folder(tmp_path / target):
        pass


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "a.txt").write_text("old")
    (tmp_path / "out").symlink_to(tmp_path / "disk")
    (tmp_path / "a.txt").symlink_to(tmp_path / "disk" / "a.txt")
    write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "disk" / "a.txt").read_text() == "new"
    with atomic_folder(tmp_path / "out") as folder:
        (folder / "b").write_text("b")
    assert (tmp_path / "out").is_symlink()
    assert (tmp_path / "a.txt").is_symlink()
    assert [path.name for path in (tmp_path / "disk").iterdir()] == ["b"]


def test_of_several_writers_one_result_is_there_whole(tmp_path: Path) -> None:
    target = tmp_path / "out"
    # left behind by a process that was killed between two moves
    (tmp_path / ".out.old.killed" / "out").mkdir(parents=True)

    def write_often(name: str) -> None:
        for _ in range(40):
            with atomic_folder(target) as folder:
                for part in ("1", "2"):
                    (folder / part).write_text(name)

    children = []
    for name in ("a", "b", "c"):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                write_often(name)
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0, 0]
    assert len({(target / part).read_text() for part in ("1", "2")}) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_numbers_and_negative_numbers_stay_as_they_are(tmp_path: Path) -> None:
    table = pd.DataFrame({"a": [-1.5, 1 / 3], "b": ["-1.5", "-x"]}, index=[-1, 2])
    write_csv(tmp_path / "a.csv", table)
    assert (tmp_path / "a.csv").read_text() == ",a,b\n-1,-1.5,-1.5\n2,0.333333,'-x\n"


def test_a_missing_empty_or_foreign_path_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"There is no file .*expected the profiles"):
        require_file(tmp_path / "a", "profiles")
    with pytest.raises(InputError, match="is a folder; expected a file with the profiles"):
        require_file(tmp_path, "profiles")
    (tmp_path / "a").touch()
    with pytest.raises(InputError, match=r"is empty \(0 bytes\)"):
        require_file(tmp_path / "a", "profiles")
    (tmp_path / "a").write_text("x")
    assert require_file(str(tmp_path / "a"), "profiles") == tmp_path / "a"


def test_a_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"nkpredict")
    assert file_sha256(tmp_path / "a") == hashlib.sha256(b"nkpredict").hexdigest()
