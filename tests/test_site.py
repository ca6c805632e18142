"""The documentation site builds without a warning and without a network, its tutorials run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))


@pytest.mark.slow
def test_the_site_builds_and_its_tutorials_run(tmp_path: Path) -> None:
    pytest.importorskip("sphinx", reason="needs the extra docs")
    for page in ("CHANGELOG.md", "CONTRIBUTING.md", "data/README.md", "experiments/README.md"):
        (tmp_path / page).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / page, tmp_path / page)
    shutil.copytree(ROOT / "docs", tmp_path / "docs", ignore=shutil.ignore_patterns("generated"))
    built = tmp_path / "site"
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", tmp_path / "docs", built],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    for tutorial in TUTORIALS:
        page = (built / "tutorials" / f"{tutorial.stem}.html").read_text(encoding="utf-8")
        assert "cell_output" in page
    assert (built / "api" / "generated" / "nkpredict.score.html").is_file()


@pytest.mark.parametrize("tutorial", TUTORIALS, ids=lambda page: page.stem)
def test_simulated_data_are_said_to_be(tutorial: Path) -> None:
    text = tutorial.read_text(encoding="utf-8")
    assert "simulate_study" not in text or "SIMULATED" in text
