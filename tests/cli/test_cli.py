"""The command line as its user meets it: examples, bad input, nothing half-written."""

from __future__ import annotations

import json
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest

from nkpredict import Registry
from nkpredict.io import approved_symbols


@pytest.fixture(scope="module")
def registry(bundle: Path, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("registry")
    Registry(folder).register(bundle, "m")
    return folder


@pytest.fixture
def patients(genes, tmp_path: Path) -> Path:
    rng = np.random.default_rng(1)
    names = [f"patient {i}" for i in range(12)]
    table = pd.DataFrame(rng.normal(5, 2, (120, 12)), index=genes, columns=names)
    table.to_csv(tmp_path / "patients.csv")
    return tmp_path / "patients.csv"


COMMANDS = [
    ("demo",),
    ("train",),
    ("evaluate",),
    ("score",),
    ("models",),
    ("models", "list"),
    ("models", "show"),
    ("models", "promote"),
    ("models", "compare"),
    ("models", "rollback"),
    ("models", "history"),
    ("models", "export"),
    ("models", "import"),
    ("models", "delete"),
    ("models", "verify"),
    ("config", "show"),
    ("doctor",),
    ("simulate",),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_help_shows_an_example(run, command: tuple[str, ...]) -> None:
    code, out, _ = run(*command, "--help")
    assert code == 0
    assert command == ("models",) or f"nkpredict {' '.join(command)}" in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.slow
def test_scoring_writes_results_and_says_what_it_found(
    run, registry: Path, patients: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    code, said, progress = run(
        "score", patients, "--model", "m@champion", "--registry", registry, "--out", out,
        "--json", tmp_path / "scores.json",
    )  # fmt: skip
    assert code == 0
    assert "Read 12 samples (genes-by-samples, symbol" in said
    assert "found 120 of the model's 120 genes" in said.replace("\n", " ")
    assert "scoring" in progress
    assert (out / "report.html").is_file()
    content = json.loads((tmp_path / "scores.json").read_text())
    assert len(content["scores"]) == 12
    assert set(content["genes"]) == {"against the reference", "separating these samples"}
    told = content["genes"]["against the reference"]
    assert all(gene["mean_contribution"] < 0 for gene in told)
    assert content["provenance"]["explanation"]["evidence_role"] == "used in training"
    assert "against the average training profile" in said.replace("\n", " ")
    assert "that separate the third of these samples" in said.replace("\n", " ")
    assert set(content["drugs"]) == {"cohort", "samples", "in_words"}
    listed = content["drugs"]["cohort"]
    assert "harms" not in {drug["nk_liability"] for drug in listed["above_the_line"]}
    assert all(drug["listed"] != "above the line" for drug in listed["below_the_line"])
    assert content["drugs"]["in_words"] in said
    again = tmp_path / "again"
    code, said, progress = run(
        "score", patients, "--model", "m/1", "--registry", registry, "--out", again, "--quiet"
    )
    assert (code, said, progress) == (0, "", "")
    assert (again / "scores.csv").read_bytes() == (out / "scores.csv").read_bytes()
    assert (again / "report.html").read_bytes() == (out / "report.html").read_bytes()
    tables = tmp_path / "tables"
    code, said, _ = run(
        "score", patients, "--model", "m/1", "--registry", registry, "--out", tables, "--no-report"
    )
    assert code == 0
    assert f"Results: {tables}" in said.replace("\n", "")
    assert {file.name for file in out.iterdir()} - {file.name for file in tables.iterdir()} == {
        "report.html"
    }
    lowest = pd.read_parquet(tables / "resistance_genes_by_sample.parquet")
    assert (lowest["contribution"] < 0).all()
    assert lowest.groupby("sample")["rank"].max().between(1, 10).all()


@pytest.mark.slow
def test_models_are_listed_shown_and_promoted(run, registry: Path, tmp_path: Path) -> None:
    code, said, _ = run("models", "list", "--registry", registry)
    assert code == 0
    assert "candidate → 1" in said
    assert "champion → 1" in said
    code, said, _ = run("models", "show", "m", "--registry", registry)
    assert code == 0
    assert "For research use only" in said
    assert run("models", "promote", "m/1", "--registry", registry)[0] == 0
    code, said, _ = run("models", "list", "--registry", tmp_path / "none")
    assert code == 0
    assert "No models in" in said


def spoil(kind: str, path: Path) -> Path:
    table = pd.read_csv(path, index_col=0)
    gene = table.index[3]
    bad = path.parent / ("bad.h5ad" if kind == "truncated h5ad" else "bad.csv")
    if kind == "missing file":
        return path.parent / "nowhere.csv"
    if kind == "empty file":
        bad.write_text("")
        return bad
    if kind == "truncated h5ad":
        anndata.AnnData(table.T.astype("float32")).write_h5ad(bad)
        bad.write_bytes(bad.read_bytes()[:2000])
        return bad
    if kind == "text":
        table = table.astype(object)
        table.loc[gene, "patient 2"] = "high"
    if kind == "duplicate samples":
        table = table.rename(columns={"patient 3": "patient 2"})
    if kind == "duplicate genes":
        table = table.rename(index={table.index[4]: gene})
    if kind == "no common gene":
        table.index = sorted(approved_symbols() - set(table.index))[: len(table)]
    if kind == "negative counts":
        table = (table.abs() * 100).round()
        table.loc[gene, "patient 1"] = -7
    table.to_csv(bad)
    return bad


BAD = {
    "missing file": r"There is no file .*nowhere\.csv",
    "empty file": r"bad\.csv is empty",
    "truncated h5ad": "not a readable HDF5 file",
    "text": "text among the numbers in 1 cell",
    "duplicate samples": r"1 duplicate sample name \(patient 2\)",
    "duplicate genes": "1 gene more than once .*--duplicates",
    "no common gene": "None of the 120 genes given",
    "negative counts": "1 negative value",
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_profiles_end_in_one_sentence_and_exit_code_2(
    run, bundle: Path, patients: Path, tmp_path: Path, kind: str
) -> None:
    bad = spoil(kind, patients)
    before = sorted(tmp_path.iterdir())
    code, said, errors = run("score", bad, "--model", bundle, "--out", tmp_path / "out", "-q")
    assert code == 2
    assert said == ""
    assert len(errors.strip().splitlines()) == 1
    assert errors.startswith("nkpredict: ")
    assert pd.Series([errors]).str.contains(BAD[kind]).all(), errors
    assert sorted(tmp_path.iterdir()) == before


def test_an_unknown_model_lists_what_exists(run, registry, patients, tmp_path: Path) -> None:
    code, _, errors = run(
        "score", patients, "--model", "n@champion", "--registry", registry,
        "--out", tmp_path / "out", "-q",
    )  # fmt: skip
    assert code == 2
    assert "it has m (versions 1; aliases candidate, champion)" in errors
    assert not (tmp_path / "out").exists()


@pytest.fixture
def study(tmp_path: Path, profiles: pd.DataFrame, susceptibility: pd.Series) -> Path:
    profiles.to_csv(tmp_path / "x.csv")
    susceptibility.rename_axis("sample").to_csv(tmp_path / "y.csv")
    pd.DataFrame({"lineage": ["AML", "MM"] * 30}, index=profiles.index).to_csv(tmp_path / "obs.csv")
    return tmp_path


@pytest.mark.parametrize(
    ("response", "message"),
    [
        ("sample,v\n" + "".join(f"S0{i},0.{i}\n" for i in range(5)), "Found 5 samples"),
        ("sample,v\nS00,0.5\nX1,0.4\nX2,0.4\n", "2 of 3 samples with a response are not in the"),
        ("sample,v\nS00,high\n", "has 0 columns of numbers"),
        ("", "is empty"),
    ],
)
def test_bad_training_input_writes_nothing(run, study: Path, response: str, message: str) -> None:
    (study / "y.csv").write_text(response)
    before = sorted(study.iterdir())
    code, _, errors = run(
        "train", "--expression", study / "x.csv", "--response", study / "y.csv", "--name", "m",
        "--direction", "higher-is-sensitive", "--run-folder", study / "run",
        "--registry", study / "registry", "-q",
    )  # fmt: skip
    assert code == 2
    assert message in errors
    assert len(errors.strip().splitlines()) == 1
    assert sorted(study.iterdir()) == before


@pytest.mark.slow
def test_evaluate_prints_baselines_beside_the_model(run, study: Path) -> None:
    code, said, _ = run(
        "evaluate", "--expression", study / "x.csv", "--response", study / "y.csv",
        "--obs", study / "obs.csv", "--direction", "higher-is-sensitive", "--trials", "0",
        "--jobs", "1", "--json", study / "cv.json",
    )  # fmt: skip
    assert code == 0
    for name in ("nkpredict", "mean", "lineage mean", "best single gene"):
        assert name in said
    performance = json.loads((study / "cv.json").read_text())["performance"]
    assert {row["split"] for row in performance} == {"random", "lineage-held-out"}


@pytest.mark.slow
def test_evaluate_scores_gene_sets(run, study: Path, genes: list[str]) -> None:
    (study / "small.yaml").write_text(
        "name: small\nrandom_state: 0\nfolds: 3\nridge: {}\nboosting: {trees: 5, models: 1}\n"
        "search_space: {}\nevaluation: {folds: 3, repeats: 1, trials: 0}\n"
    )
    rows = {"first": genes[:30], "second": genes[50:60], "few": genes[:2], "none": ["NOT_THERE"]}
    sets = study / "pathways.gmt"

    def evaluate() -> tuple[int, str, str]:
        return run(
            "evaluate", "--expression", study / "x.csv", "--response", study / "y.csv",
            "--direction", "higher-is-sensitive", "--spec", study / "small.yaml",
            "--gene-sets", sets, "--jobs", "1", "--json", study / "cv.json", "-q",
        )  # fmt: skip

    sets.write_text("".join("\t".join([name, "", *own]) + "\n" for name, own in rows.items()))
    code, _, errors = evaluate()
    assert code == 0, errors
    found = json.loads((study / "cv.json").read_text())["provenance"]["gene_sets"]
    assert found.pop("source").startswith("pathways.gmt ")
    assert found == {
        "used": 2,
        "left_out": {
            "few": "2 of its 2 genes in the data, 3 needed",
            "none": "0 of its 1 genes in the data, 3 needed",
        },
        "genes_named": 41,
        "genes_used": 40,
    }
    sets.write_text("first,CD48,PVR\n")
    code, _, errors = evaluate()
    assert code == 2
    assert "is no GMT file: line 1" in errors
    assert len(errors.strip().splitlines()) == 1


def test_simulate_and_demo_refuse_foreign_folders(run, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x")
    for command in ("simulate", "demo"):
        code, _, errors = run(command, "--out", tmp_path, "-q")
        assert code == 2
        assert "other file" in errors
    assert run("simulate", "--out", tmp_path / "s", "--genes", "300", "--patients", "4")[0] == 0
    assert all(p.name.startswith("SIMULATED_") for p in (tmp_path / "s").iterdir())


def test_an_unknown_option_value_is_told(run, patients: Path, bundle: Path, tmp_path) -> None:
    code, _, errors = run(
        "score", patients, "--model", bundle, "--out", tmp_path / "o", "--unit", "miles", "-q"
    )
    assert code == 2
    assert "expected one of counts" in errors


@pytest.mark.slow
def test_score_without_a_model_uses_the_shipped_one(run, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("NKPREDICT_HOME", str(tmp_path / "home"))
    cohort = Path(__file__).parents[2] / "data" / "examples" / "chiaretti_all.parquet"
    code, out, err = run("score", cohort, "--out", tmp_path / "results")
    assert code == 0, err
    assert out.startswith("VERDICT: usable for ranking within this cohort\n")
    assert "Model: screen-prior" in out
    assert "no measured response" in out
    assert (tmp_path / "results" / "report.html").is_file()


@pytest.mark.slow
def test_scores_are_held_against_an_outcome(
    run, registry: Path, patients: Path, tmp_path: Path
) -> None:
    pytest.importorskip("statsmodels", reason="the extra 'outcome' is not installed")
    obs = pd.DataFrame(
        {
            "sample": [f"patient {i}" for i in range(12)],
            "days": [*range(30, 140, 10), None],
            "status": ["relapse", "lost"] * 6,
            "lineage": ["B", "T"] * 6,
        }
    )
    obs.to_csv(tmp_path / "obs.csv", index=False)
    given = (
        "score", patients, "--model", "m@champion", "--registry", registry,
        "--obs", tmp_path / "obs.csv", "--lineage", "lineage", "--out", tmp_path / "out",
    )  # fmt: skip
    code, _, said = run(*given, "--outcome", "days,status")
    assert code == 2
    assert "Say which values mean an event, such as status=lost" in said
    assert not (tmp_path / "out").exists()
    code, said, _ = run(
        *given, "--outcome", "days,status=relapse", "--json", tmp_path / "scores.json"
    )
    assert code == 0
    said = " ".join(said.split())
    assert "Event: status is relapse; no event: lost. 11 samples with 6 events" in said
    assert "1 lack the time, 0 the event" in said
    assert "Too few events to say anything about this outcome (11 samples, 6 events" in said
    facts = json.loads((tmp_path / "scores.json").read_text())["outcome"]
    provenance = json.loads((tmp_path / "out" / "provenance.json").read_text())
    assert provenance["outcome"] == facts
    assert (facts["samples"], facts["events"], facts["says_something"]) == (11, 6, False)
    table = pd.read_csv(tmp_path / "out" / "outcome.csv", index_col="order")
    assert list(table.index) == ["score", "score within lineages", "lineage alone"]
    curves = pd.read_csv(tmp_path / "out" / "outcome_curves.csv")
    assert set(curves["group"]) == {"lowest third", "middle third", "highest third"}
    report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert '<h2 id="outcome">' in report
    assert facts["conclusion"] in report


@pytest.mark.slow
def test_the_example_cohort_has_an_outcome(run, tmp_path: Path, monkeypatch) -> None:
    pytest.importorskip("statsmodels", reason="the extra 'outcome' is not installed")
    monkeypatch.setenv("NKPREDICT_HOME", str(tmp_path / "home"))
    examples = Path(__file__).parents[2] / "data" / "examples"
    code, said, problem = run(
        "score", examples / "chiaretti_all.parquet", "--obs", examples / "chiaretti_all_obs.csv",
        "--lineage", "BT", "--outcome", "days_in_remission,relapse", "--out", tmp_path / "out",
    )  # fmt: skip
    assert code == 0, problem
    assert "88 samples with 64 events; 40 lack the time, 28 the event" in " ".join(said.split())


def test_inspect_tells_what_would_be_read(run, bundle: Path, patients: Path, tmp_path) -> None:
    found = tmp_path / "found.json"
    code, said, _ = run("inspect", patients, "--model", bundle, "--json", found)
    assert code == 0
    assert "genes-by-samples" in said
    assert "Can be scored." in said
    assert said.startswith("VERDICT: ")
    assert max(len(line) for line in said.splitlines()) <= 80
    assert json.loads(found.read_text())["scored"] is True
    code, said, _ = run("inspect", spoil("duplicate genes", patients), "--model", bundle)
    assert code == 2
    assert "--duplicates mean, max or first" in said


def test_score_takes_a_rule_for_duplicates(run, bundle: Path, patients: Path, tmp_path) -> None:
    bad = spoil("duplicate genes", patients)
    options = ("--model", bundle, "--out", tmp_path / "out", "--duplicates")
    assert run("score", bad, *options, "first")[0] == 0
    code, _, errors = run("score", bad, *options, "median")
    assert code == 2
    assert "expected mean, max or first" in errors


def test_a_cohort_mapped_as_a_whole_is_marked_everywhere(
    run, bundle: Path, patients: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    code, said, _ = run("score", patients, "--model", bundle, "--out", out, "--cohort")
    assert code == 0
    assert "relative to this cohort" in " ".join(said.split())
    table = pd.read_csv(out / "scores.csv", index_col=0)
    assert table["flags"].str.contains("relative_to_cohort").all()
    assert json.loads((out / "provenance.json").read_text())["relative_to_cohort"] is True
    assert "RELATIVE TO THIS COHORT" in (out / "report.html").read_text("utf-8")
    few = tmp_path / "few.csv"
    pd.read_csv(patients, index_col=0).iloc[:, :5].to_csv(few)
    code, _, error = run("score", few, "--model", bundle, "--out", tmp_path / "no", "--cohort")
    assert code == 2
    assert "has 5 samples; mapping a cohort as a whole takes 10" in " ".join(error.split())
