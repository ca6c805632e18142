"""Scores of BioGRID ORCS, with p-values among them."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from nkpredict.errors import InputError
from nkpredict.evidence import combine_screens, describe_gene, read_screens
from nkpredict.io import approved_symbols

GENES = [g for g in sorted(approved_symbols()) if g.isalnum() and g not in ("AAVS1", "CTRL")][:4500]
# a table of thousands of genes does not shrink to anything that tells more
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
NAME = "author2019_K562_orcs1_scores"
META = {
    NAME: {"cell_line": "K562", "effector": "primary NK", "source": "Author 2019"},
    "author2019": {"cell_line": "K562", "effector": "primary NK", "source": "Author 2019"},
}


def scores(seed: int, n_genes: int, n_p: int, centre: float = 0.3, spread: float = 1.0):
    """Build scores of which the last ``n_p`` are p-values, and say which."""
    rng = np.random.default_rng(seed)
    values = rng.normal(centre, spread, n_genes)
    values[n_genes - n_p :] = 10 ** rng.uniform(-5, -2.302, n_p)
    return pd.DataFrame({"action_id": GENES[:n_genes], "score": values}), np.arange(
        n_genes
    ) >= n_genes - n_p


def written(folder: Path, table: pd.DataFrame, name: str = f"{NAME}.csv", **how: str) -> Path:
    table.to_csv(folder / name, index=False, **how)
    return folder / name


@pytest.mark.slow
@settings(max_examples=10, phases=PHASES)
@given(
    seed=st.integers(0, 2**32 - 1),
    n_genes=st.integers(3000, 4500),
    share=st.floats(0.03, 0.3),
    centre=st.floats(-0.5, 0.5),
)
def test_p_values_among_scores_are_never_read_as_effects(
    seed: int, n_genes: int, share: float, centre: float
) -> None:
    table, is_p = scores(seed, n_genes, int(share * n_genes), centre)
    with tempfile.TemporaryDirectory() as folder:
        screens = read_screens(written(Path(folder), table))
    read = screens.table.set_index("gene").reindex(table["action_id"])
    effect, p = read["effect"].to_numpy(), read["p"].to_numpy()
    assert np.isnan(effect[is_p]).all()
    np.testing.assert_allclose(p[is_p], table["score"][is_p])
    # of the scores, few are near enough to 0 to be taken for p-values
    assert np.isnan(effect[~is_p]).mean() < 0.02
    kept = ~np.isnan(effect)
    np.testing.assert_allclose(effect[kept], table["score"][kept])
    (read_file,) = screens.provenance.files
    assert read_file.counts["p_values_among_scores"] == np.isnan(effect).sum()
    assert any("taken for genes without effect" in words for words in read_file.assumptions)


@settings(max_examples=10, phases=PHASES)
@given(seed=st.integers(0, 2**32 - 1), n_genes=st.integers(200, 4500), centre=st.floats(-0.5, 0.5))
def test_plain_scores_are_all_effects(seed: int, n_genes: int, centre: float) -> None:
    table, _ = scores(seed, n_genes, 0, centre)
    with tempfile.TemporaryDirectory() as folder:
        screens = read_screens(written(Path(folder), table))
    assert screens.table["effect"].notna().all()
    assert screens.table["p"].isna().all()
    assert screens.provenance.files[0].counts["p_values_among_scores"] == 0


def test_the_tab_format_of_orcs_is_read_by_its_first_score(tmp_path: Path) -> None:
    table, _ = scores(0, 300, 0)
    table = pd.DataFrame(
        {
            "#SCREEN_ID": 1081,
            "IDENTIFIER_ID": range(300),
            "OFFICIAL_SYMBOL": table["action_id"],
            "SCORE.1": table["score"].astype(str),
            "SCORE.2": "-",
            "HIT": "NO",
        }
    )
    table.loc[0, "SCORE.1"] = "-"
    screens = read_screens(written(tmp_path, table, "1081.screen.tab.txt", sep="\t"))
    assert len(screens.table) == 299
    (read,) = screens.provenance.files
    assert read.counts["not_measured"] == 1
    assert "the file does not say what SCORE.2 mean" in " ".join(read.assumptions)


def test_scores_without_a_sign_are_refused(tmp_path: Path) -> None:
    table, _ = scores(0, 300, 0)
    with pytest.raises(InputError, match="have no negative value, so they are no effects"):
        read_screens(written(tmp_path, table.assign(score=table["score"].abs())))


def two_analyses(folder: Path, n_genes: int = 4000, n_p: int = 300) -> list[Path]:
    table, is_p = scores(1, n_genes, n_p)
    rng = np.random.default_rng(2)
    beta = rng.normal(0, 0.2, n_genes)
    beta[is_p] = np.where(np.arange(n_p) % 2, 0.6, -0.6)
    mle = pd.DataFrame(
        {
            "Gene": table["action_id"],
            "sgRNA": 4,
            "NK|beta": beta,
            "NK|wald-p-value": np.where(is_p, 0.02, rng.uniform(0.01, 1, n_genes)),
        }
    )
    path = folder / "author2019.gene_summary.txt"
    mle.to_csv(path, sep="\t", index=False)
    return [path, written(folder, table)]


def test_a_second_analysis_gives_p_values_their_sign_and_counts_once(tmp_path: Path) -> None:
    paths = two_analyses(tmp_path)
    screens = read_screens(*paths, metadata=META)
    assert len(set(screens.provenance.experiments.values())) == 1
    for read in screens.provenance.files:
        assert "taken for an analysis of the same cells" in read.assumptions[-1]
    evidence = combine_screens(screens)
    gene = screens.table.loc[screens.table["effect"].isna(), "gene"].iloc[0]
    assert evidence.table["n_screens"].max() == 1
    (experiment,) = evidence.provenance.screens
    assert experiment.signs_joined == screens.table["effect"].isna().sum()
    alone = combine_screens(read_screens(paths[0], metadata={"author2019": META["author2019"]}))
    together, before = (e.table.loc[gene, "score"] for e in (evidence, alone))
    assert np.sign(together) == np.sign(before)
    assert abs(together) > abs(before)


def test_an_experiment_stated_for_each_makes_them_independent(tmp_path: Path) -> None:
    paths = two_analyses(tmp_path)
    stated = {name: fields | {"experiment": name} for name, fields in META.items()}
    screens = read_screens(*paths, metadata=stated)
    assert combine_screens(screens).table["n_screens"].max() == 2


def test_screens_of_another_study_or_line_are_independent(tmp_path: Path) -> None:
    paths = two_analyses(tmp_path)
    for change in ({"source": "Author 2020"}, {"cell_line": "MOLM14"}, {"effector": "NK-92"}):
        screens = read_screens(*paths, metadata=META | {NAME: META[NAME] | change})
        assert screens.provenance.experiments is None


def test_a_gene_with_a_p_alone_is_not_called_null(tmp_path: Path) -> None:
    table, _ = scores(3, 4000, 300)
    screens = read_screens(written(tmp_path, table), metadata={NAME: META[NAME]})
    gene = str(table["action_id"].iloc[-1])
    (told,) = describe_gene(gene, screens).screens
    assert told["side"] == "unknown"
    assert told["rank"] is None
    assert told["p"] == pytest.approx(table["score"].iloc[-1])
