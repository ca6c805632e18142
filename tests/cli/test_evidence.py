"""The commands on screens as their user meets them."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nkpredict.io import approved_symbols


@pytest.fixture
def evidence(run):
    """Run a command of ``nkpredict evidence``."""
    return partial(run, "evidence")


def screen_file(path: Path, prefix: str = "") -> Path:
    genes = [*sorted(approved_symbols())[:600], "B7H6", "IFNGR2", "7-Mar", "NonTargeting"]
    blocks = []
    screens = (("K562_r1", "primary NK"), ("K562_r2", "primary NK"), ("other", "NK-92"))
    for seed, (screen, effector) in enumerate(screens):
        effect = np.random.default_rng(seed).normal(0, 0.4, len(genes))
        effect[600:602] = (3.0, -3.0) if effector == "primary NK" else (3.0, 3.0)
        blocks.append(
            pd.DataFrame(
                {
                    "gene": genes,
                    "screen": prefix + screen,
                    "cell_line": "K562",
                    "perturbation": "loss",
                    "effector": effector,
                    "lfc": effect,
                    "p": np.clip(10.0 ** (-2 * np.abs(effect)), 1e-9, 1),
                }
            )
        )
    pd.concat(blocks).to_csv(path, index=False)
    return path


@pytest.fixture
def screens(tmp_path: Path) -> Path:
    return screen_file(tmp_path / "screens.csv")


@pytest.mark.parametrize("command", ["", "build", "show", "plot", "compare"])
def test_every_help_shows_an_example(evidence, command: str) -> None:
    code, out, _ = evidence(*command.split(), "--help")
    assert code == 0
    assert not command or f"nkpredict evidence {command}" in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.slow
def test_build_writes_all_columns_and_says_what_was_read(
    evidence, screens: Path, tmp_path: Path
) -> None:
    out = tmp_path / "evidence.csv"
    code, said, progress = evidence("build", screens, "--out", out, "--json", tmp_path / "e.json")
    assert code == 0
    assert "reading" in progress
    table = pd.read_csv(out, index_col="gene")
    assert list(table.columns) == [
        *("evidence", "confidence", "n_screens", "agreement", "conflict"),
        *("sources", "lines", "effectors", "axis", "group", "heterogeneity", "score", "p"),
    ]
    assert table.loc["NCR3LG1", "evidence"] > 0 > table.loc["IFNGR2", "evidence"]
    assert table.loc["IFNGR2", "conflict"]
    for words in ("rows read", "dropped controls", "restored dates", "updated names"):
        assert words in said
    assert "Top sensitizing genes" in said
    assert "conflict" in said
    assert max(len(line) for line in said.splitlines() if str(tmp_path) not in line) <= 80
    content = json.loads((tmp_path / "e.json").read_text())
    assert content["simulated"] is False
    assert content["top"]["protecting"][0]["evidence"] < 0
    assert any("chance alone gives" in held for held in content["notes"])
    assert content["provenance"]["chance"]
    code, said, progress = evidence("build", screens, "--out", tmp_path / "again.csv", "--quiet")
    assert (code, said, progress) == (0, "", "")
    assert (tmp_path / "again.csv").read_bytes() == out.read_bytes()


def test_the_knowledge_base_can_be_left_out(evidence, screens: Path, tmp_path: Path) -> None:
    out = tmp_path / "evidence.csv"
    code, said, _ = evidence("build", screens, "--out", out, "--no-knowledge")
    assert code == 0
    assert "The knowledge base takes no part, as it was asked to be left out" in said
    table = pd.read_csv(out, index_col="gene")
    assert set(table.index[table["evidence"] != 0]) == {"IFNGR2", "NCR3LG1"}
    assert table["evidence"].idxmin() == "IFNGR2"
    code, _, error = evidence("show", "JAK1", "--no-knowledge")
    assert code == 2
    assert "screens must be given" in error


def test_the_effector_asked_for_decides(evidence) -> None:
    said = {
        effector: " ".join(evidence("show", "JAK1", "--effector", effector)[1].split())
        for effector in ("primary-NK", "NK-92")
    }
    assert "Judgement for primary NK: protects" in said["primary-NK"]
    assert "Judgement for NK-92: sensitizes" in said["NK-92"]
    assert all("Conflict: YES" in words for words in said.values())
    assert all("chance alone gives" in words for words in said.values())
    code, _, error = evidence("show", "JAK1", "--effector", "NK")
    assert code == 2
    assert "'NK'" in error


def test_functional_experiments_are_shown_with_their_source(evidence, tmp_path: Path) -> None:
    code, said, _ = evidence("show", "FAS", "--json", tmp_path / "fas.json")
    assert code == 0
    assert max(map(len, said.splitlines())) <= 80
    content = json.loads((tmp_path / "fas.json").read_text())
    for row in content["functional"]:
        assert row["doi"] in said
        assert row["study"] in said
    assert content["judgement"]["evidence"] > 0.5
    assert content["judgement"]["sources"] >= 3
    assert any("chance alone gives" in note for note in content["notes"])


def test_simulated_evidence_is_marked(evidence, tmp_path: Path) -> None:
    path = screen_file(tmp_path / "sim.csv", "SIM-")
    code, said, _ = evidence("build", path, "--out", tmp_path / "e.csv")
    assert code == 0
    assert "SIMULATED: Top protecting genes" in said
    assert set(pd.read_csv(tmp_path / "e.csv")["note"]) == {"SIMULATED"}
    assert "SIMULATED IFNGR2" in evidence("show", "IFNGR2", path)[1]
    assert "SIMULATED: " in evidence("compare", path, "--bootstrap", "2")[1]


def test_counts_need_their_sample_sheet(evidence, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    genes = np.repeat(sorted(approved_symbols())[:40], 4)
    counts = pd.DataFrame({"sgRNA": [f"g{i}" for i in range(160)], "Gene": genes})
    counts = counts.assign(a=rng.poisson(400, 160), b=rng.poisson(400, 160))
    counts.to_csv(tmp_path / "counts.txt", sep="\t", index=False)
    (tmp_path / "sheet.csv").write_text("sample,role\na,control\nb,NK\n")
    command = ("build", tmp_path / "counts.txt", "--out", tmp_path / "e.csv")
    code, _, error = evidence(*command)
    assert code == 2
    assert "sample sheet" in error
    assert not (tmp_path / "e.csv").exists()
    code, said, _ = evidence(*command, "--sample-sheet", tmp_path / "sheet.csv")
    assert code == 0
    assert "guides read" in said


@pytest.mark.slow
def test_show_tells_all_with_sources(evidence, screens: Path, tmp_path: Path) -> None:
    code, said, progress = evidence("show", "B7H6")
    assert (code, progress) == (0, "")
    assert "B7H6 is another name of NCR3LG1" in said
    assert "10.3389/fimmu.2019.02879" in said
    assert max(map(len, said.splitlines())) <= 80
    code, said, _ = evidence("show", "IFNGR2", screens, "--json", tmp_path / "gene.json")
    assert code == 0
    flat = " ".join(said.split())
    assert "conflict between effector types: YES" in flat
    assert "heterogeneity" in flat
    assert "NK-92" in said
    assert max(map(len, said.splitlines())) <= 80
    content = json.loads((tmp_path / "gene.json").read_text())
    assert content["combined"]["conflict"] is True
    assert [row["screen"] for row in content["screens"]] == ["K562_r1", "K562_r2", "other"]
    assert "in none of the screens" in evidence("show", "STAT1", screens)[1]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["volcano", "dots", "agreement"])
def test_plots_are_written(evidence, screens: Path, tmp_path: Path, kind: str) -> None:
    extra = {
        "volcano": ("--screen", "other"),
        "dots": ("--genes", "B7H6, IFNGR2"),
        "agreement": (),
    }[kind]
    out = tmp_path / "figure.svg"
    code, said, progress = evidence("plot", screens, "--kind", kind, "--out", out, *extra)
    assert (code, said.split()) == (0, ["Figure:", *str(out).split()])
    assert "drawing" in progress
    assert out.read_text().startswith("<?xml")


def test_compare_ranks_the_methods(evidence, screens: Path, tmp_path: Path) -> None:
    code, said, progress = evidence(
        "compare", screens, "--bootstrap", "3", "--json", tmp_path / "c.json"
    )
    assert code == 0
    assert "comparing" in progress
    assert "Mean AUPRC" in said
    assert max(map(len, said.splitlines())) <= 80
    content = json.loads((tmp_path / "c.json").read_text())
    assert set(content["mean_auprc"]) >= {"weighted-stouffer", "as shipped"}


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("show", "GBA"), "GBA1, GBAP1"),
        (("show", "NOTAGENE1"), "no gene of the reference table"),
        (("show", "JAK1", "--screen-meta", "m.csv"), "no file with screens"),
        (("show", "JAK1", "nowhere.csv"), "no file nowhere.csv"),
        (("build", "nowhere.csv", "--out", "e.csv"), "no file nowhere.csv"),
        (("build", "FILE", "--out", "e.csv", "--method", "mean"), "'mean' is not known"),
        (("build", "FILE", "--out", "e.csv", "--screen-meta", "nowhere.csv"), "nowhere.csv"),
        (("plot", "FILE", "--kind", "pie", "--out", "f.png"), "'pie' is unknown"),
        (("plot", "FILE", "--kind", "dots", "--out", "f.gif"), "no name of a figure"),
        (("plot", "FILE", "--kind", "dots", "--out", "f.png", "--screen", "x"), "for --kind volc"),
        (("plot", "FILE", "--kind", "volcano", "--out", "f.png"), "expected the name of the one"),
        (("plot", "FILE", "--kind", "dots", "--out", "f.png", "--genes", "Q"), "None of the genes"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    evidence, screens: Path, tmp_path: Path, monkeypatch, command: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, error = evidence(*(screens if part == "FILE" else part for part in command))
    assert code == 2
    last = error.strip().splitlines()[-1]
    assert last.startswith("nkpredict: ")
    assert message in last
    assert "Traceback" not in error
    assert not list(tmp_path.glob("[ef].*"))
