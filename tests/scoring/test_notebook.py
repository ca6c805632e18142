"""Scores in a notebook: shown, and written from there."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser

import anndata
import numpy as np
import pandas as pd
import pytest

import nkpredict
from nkpredict import explain_scores, score
from nkpredict.errors import InputError
from nkpredict.report import write_results

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def patients(genes) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    names = [HOSTILE, *(f"P{i:02d}" for i in range(1, 40))]
    return pd.DataFrame(rng.normal(5, 2, (40, len(genes))), columns=genes, index=names)


class Shown(HTMLParser):
    """Tags and texts of a piece of HTML."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.texts.append(data)


def test_the_verdict_stands_before_the_ranking_with_its_intervals(bundle, patients) -> None:
    scores = score(patients, bundle)
    shown = Shown(scores._repr_html_())
    text = " ".join(shown.texts)
    assert text.index(f"Verdict: {scores.verdict.level}") < text.index("susceptibility")
    assert text.index(scores.verdict.sentence) < text.index("P01")
    ranked = scores.table.sort_values("susceptibility", ascending=False)
    named = [each for each in shown.texts if each in set(patients.index)]
    assert named == [*ranked.index[:10], *ranked.index[-5:]]
    assert "… 25 more …" in text
    first = ranked.iloc[0]
    assert f"{first['lower']:.3f} to {first['upper']:.3f}" in text
    assert "Not a medical device" in text
    assert "SIMULATED" not in text


def test_names_and_lineages_are_escaped(bundle, patients) -> None:
    adata = anndata.AnnData(
        patients.head(8), obs=pd.DataFrame({"kind": HOSTILE}, patients.index[:8])
    )
    shown = Shown(score(adata, bundle, lineage="kind")._repr_html_())
    assert shown.texts.count(HOSTILE) == 9  # one sample and eight lineages
    assert not {"script", "style", "link", "img"} & set(shown.tags)


def test_simulated_and_forced_scores_are_marked(bundle, patients, genes) -> None:
    simulated = score(patients.rename(index=lambda name: f"SIM-{name}"), bundle)
    assert Shown(simulated._repr_html_()).texts[0] == "SIMULATED"
    forced = score(patients[genes[80:]], bundle, force=True)
    assert Shown(forced._repr_html_()).texts[0] == "FORCED"


def test_one_sample_and_scores_without_a_verdict_are_shown_too(bundle, patients) -> None:
    scores = score(patients.head(1), bundle)
    bare = replace(scores, provenance=replace(scores.provenance, verdict=None))
    assert HOSTILE in Shown(bare._repr_html_()).texts


def test_a_csv_is_the_one_of_the_command(bundle, patients, tmp_path) -> None:
    scores = score(patients, bundle)
    folder = write_results(explain_scores(scores), tmp_path / "out", report=False)
    written = scores.to_csv(tmp_path / "scores.csv")
    assert written.read_bytes() == (folder / "scores.csv").read_bytes()


def test_saved_scores_are_the_tables_of_the_command(bundle, patients, tmp_path) -> None:
    scores = score(patients, bundle)
    numbers = scores.save(tmp_path / "numbers")
    assert sorted(path.name for path in numbers.iterdir()) == ["provenance.json", "scores.csv"]
    explained = explain_scores(scores)
    expected = nkpredict.write_results(explained, tmp_path / "out", report=False)
    saved = explained.save(numbers)
    assert {p.name: p.read_bytes() for p in saved.iterdir()} == {
        p.name: p.read_bytes() for p in expected.iterdir()
    }
    (saved / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"notes\.txt"):
        scores.save(saved)


def test_an_h5ad_holds_profiles_and_scores(bundle, patients, tmp_path) -> None:
    scores = explain_scores(score(patients.rename(index=lambda name: f"SIM-{name}"), bundle))
    read = anndata.read_h5ad(scores.to_h5ad(tmp_path / "scored.h5ad"))
    assert set(read.var_names) == set(patients.columns)
    np.testing.assert_allclose(read.obs["nk_susceptibility"], scores.table["susceptibility"])
    assert json.loads(read.uns["nkpredict_scores"])["simulated"]
    parts = pd.DataFrame(read.obsm["nk_contributions"], columns=read.uns["nk_contributions_names"])
    total = parts.sum(axis=1) + scores.base_value
    np.testing.assert_allclose(total, scores.table["susceptibility"])


def test_an_h5ad_of_more_samples_leaves_the_others_without_a_number(
    bundle, patients, tmp_path
) -> None:
    mixed = [True, np.nan, "late"] + [False] * 37
    obs = pd.DataFrame({"relapse": [True, np.nan] * 20, "mixed": mixed}, index=patients.index)
    cohort = anndata.AnnData(patients, obs=obs)
    scores = score(patients.head(10), bundle)
    read = anndata.read_h5ad(scores.to_h5ad(tmp_path / "scored.h5ad", cohort))
    assert read.obs["nk_in_domain"].isna().sum() == 30
    assert read.obs["nk_flags"].isna().sum() == 30
    assert read.obs["relapse"].isna().sum() == 20
    assert list(read.obs["mixed"].dropna().unique()[:2]) == ["True", "late"]


def test_dir_holds_public_names_alone() -> None:
    assert not [name for name in dir(nkpredict) if name.startswith("_")]
    assert {"score", "explain_scores", "pl", "tl", "datasets"} <= set(dir(nkpredict))
