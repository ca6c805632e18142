"""The commands of the page of questions run on the cohort that ships, and answer."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nkpredict.cli._app import app

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "use" / "questions.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^nkpredict (.*data/examples.*)$", PAGE, flags=re.MULTILINE)


@pytest.mark.slow
@pytest.mark.parametrize("command", [c for c in COMMANDS if not c.endswith(".pdf")])
def test_a_question_is_answered(command: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("NKPREDICT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").symlink_to(ROOT / "data")
    arguments = shlex.split(command)
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert "usable for ranking within this cohort" in done.output
    if "--out" in arguments:
        assert Path(arguments[arguments.index("--out") + 1]).exists()
    if "--knockout" in arguments:
        assert "If HLA-E were lost: +0.1" in done.output


@pytest.mark.slow
def test_what_the_page_says_of_a_patient_is_so(tmp_path: Path) -> None:
    from nkpredict import datasets, explain_scores, score

    patient = explain_scores(score(datasets.chiaretti_all())).sample("10005", ["HLA-E"])
    assert patient.place.startswith("among the lowest of the 128")
    genes = patient.genes.set_index("gene")
    assert genes.index[0] == "HSPA1A"
    assert f"{genes['difference'].iloc[0]:.2f}" == "-0.29"
    (lost,) = patient.knockouts.to_dict("records")
    assert f"{lost['change']:+.3f}" in PAGE
    assert lost["place"] in PAGE
    assert not patient.shared_drugs
    assert not patient.drugs["genes"].str.contains("FAS").any()
