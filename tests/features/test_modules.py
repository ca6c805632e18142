from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nkpredict.errors import InputError
from nkpredict.features import ModuleScores, read_gene_sets

NAME = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12)
SETS = st.dictionaries(NAME, st.lists(NAME, min_size=1, max_size=6, unique=True), min_size=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sets")


@pytest.mark.slow
@settings(max_examples=60)
@given(sets=SETS, end=st.sampled_from(["\n", "\r\n"]), compressed=st.booleans())
def test_a_gmt_reads_back_as_it_was_written(folder: Path, sets, end: str, compressed: bool) -> None:
    lines = [f" {name}\t\t" + "\t".join(own) + "\t" for name, own in sets.items()]
    content = end.join([*lines, ""]).encode()
    path = folder / ("sets.gmt.gz" if compressed else "sets.gmt")
    path.write_bytes(gzip.compress(content) if compressed else content)
    assert read_gene_sets(path) == {name: tuple(own) for name, own in sets.items()}
    assert read_gene_sets(sets) == read_gene_sets(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n \n", "holds no gene set"),
        (b"A\tx\tCD48\nset,CD48,PVR\n", "is no GMT file: line 2 has 1 columns and begins with 's"),
        (b"A\tCD48\n", "line 1 has 2 columns"),
        (b"\tx\tCD48\n", "is no GMT file"),
        (b"A\tx\tCD48\nA\tx\tPVR\nB\tx\tPVR\n", r"1 names of gene sets more than once \(A\)"),
        (b"A\tx\t\t \n", r"1 gene sets without any gene \(A\)"),
        (b"A\tx\t\xff\xfe\n", "is not readable text"),
        (gzip.compress(b"A\tx\tCD48\n" * 99, mtime=0)[:30], "is not readable text"),
    ],
    ids=[
        "empty",
        "blank",
        "commas",
        "no genes",
        "no name",
        "repeated",
        "set without genes",
        "not text",
        "cut off",
    ],
)
def test_a_malformed_gmt_is_told(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "s.gmt").write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_gene_sets(tmp_path / "s.gmt")


def test_other_sources_are_checked_alike(tmp_path: Path) -> None:
    shipped = read_gene_sets("nk")
    assert "CD58" in shipped["activating_receptor_ligands"]
    assert min(map(len, shipped.values())) >= 2
    with pytest.raises(InputError, match="There is no file"):
        read_gene_sets(tmp_path / "nothing.gmt")
    for wrong, message in (
        ({}, "holds no gene set"),
        ({"a": "CD48"}, r"no list of gene names \(a\)"),
        ({"a": []}, "without any gene"),
    ):
        with pytest.raises(InputError, match=message):
            read_gene_sets(wrong)


@pytest.fixture
def standard(genes: list[str]) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(rng.normal(size=(9, 120)), columns=genes)


def test_a_score_is_the_mean_of_the_genes_standardised_values(standard, genes) -> None:
    sets = {"b": genes[90:], "a": [*genes[10:14], "NOT_THERE"], "c": genes[12:40]}
    modules = ModuleScores(sets, standard.columns)
    naive = pd.DataFrame(
        {name: standard[[g for g in sets[name] if g in genes]].mean(axis=1) for name in "abc"}
    )
    np.testing.assert_allclose(modules.scores(standard.to_numpy()), naive, atol=1e-15)
    assert modules.gene_sets == {
        "a": tuple(genes[10:14]),
        "b": tuple(genes[90:]),
        "c": tuple(genes[12:40]),
    }
    assert modules.provenance == {
        "used": 3, "left_out": {}, "genes_named": 61, "genes_used": 60
    }  # fmt: skip
    turned = ModuleScores({k: v[::-1] for k, v in sorted(sets.items())}, standard.columns)
    assert turned.scores(standard.to_numpy()).tobytes() == (
        modules.scores(standard.to_numpy()).tobytes()
    )


def test_a_score_does_not_depend_on_the_cohort() -> None:
    rng = np.random.default_rng(1)
    names = np.array([f"G{i}" for i in range(700)], dtype=object)
    sizes = (3, 7, 8, 9, 130, 500)
    modules = ModuleScores({str(k): rng.choice(names, k, replace=False) for k in sizes}, names)
    cohort = rng.normal(size=(300, 700))
    scores = modules.scores(cohort)
    for layout in (cohort, np.asfortranarray(cohort)):
        for rows in ([7], [7, 8], range(100)):
            assert (modules.scores(layout[list(rows)]) == scores[list(rows)]).all()


def test_parts_pass_on_to_genes_without_a_remainder(standard, genes) -> None:
    modules = ModuleScores({"a": genes[:30], "b": genes[20:25]}, standard.columns)
    values = standard.to_numpy()
    slopes = np.array([0.7, -2.0])
    linear = modules.scores(values) * slopes
    passed_on = modules.to_genes(linear, slopes, values)
    np.testing.assert_allclose(passed_on, modules.gene_slopes(slopes) * values, atol=1e-14)
    assert not passed_on[:, 30:].any()
    bent = linear**3 + 1
    np.testing.assert_allclose(
        modules.to_genes(bent, slopes, values).sum(axis=1), bent.sum(axis=1), atol=1e-12
    )


def test_old_symbols_are_found_and_small_sets_and_genetics_left_out(genes) -> None:
    columns = pd.Index(["KMT2A", "PVR", "CD48", "PVRL2", "genetics:TP53", "genetics:NRAS", *genes])
    sets = {
        "renamed": ["MLL", "PVR", "CD48", "PVR"],
        "as named in the data": ["PVRL2", "PVR", "CD48"],
        "small": ["PVR", "CD48", "A1BG-NOT"],
        "genetics": ["genetics:TP53", "genetics:NRAS", "PVR"],
    }
    modules = ModuleScores(sets, columns)
    assert set(modules.gene_sets) == {"renamed", "as named in the data"}
    assert set(modules.gene_sets["renamed"]) == {"KMT2A", "PVR", "CD48"}
    assert "PVRL2" in modules.gene_sets["as named in the data"]
    assert modules.left_out["small"] == "2 of its 3 genes in the data, 3 needed"
    assert modules.left_out["genetics"].startswith("1 of its 3 genes")


def test_sets_of_other_genes_are_refused(genes) -> None:
    with pytest.raises(
        InputError, match=r"None of the 1 gene sets \(a\) has 3 genes .*name 102, 99, the data "
    ):
        ModuleScores({"a": ["99", "102"]}, pd.Index(genes))
