from __future__ import annotations

import contextlib
import csv
import gzip
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from nkpredict import read_expression
from nkpredict.errors import InputError
from nkpredict.facts import ExpressionFacts
from nkpredict.io import facts_of


@pytest.fixture
def counts(genes: list[str]) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    values = rng.negative_binomial(0.3, 0.002, (12, len(genes)))
    return pd.DataFrame(values, index=[f"P{i}" for i in range(12)], columns=genes)


def write(frame: pd.DataFrame, path: Path) -> Path:
    frame.to_csv(path, sep="\t" if path.suffix == ".tsv" else ",")
    return path


def facts(adata: anndata.AnnData) -> ExpressionFacts:
    return facts_of(adata).expression


def test_counts_become_log2_counts_per_million(tmp_path: Path, counts: pd.DataFrame) -> None:
    adata = read_expression(write(counts, tmp_path / "a.csv"))
    expected = np.log2(counts.div(counts.sum(axis=1), axis=0) * 1e6 + 1)
    pd.testing.assert_frame_equal(
        adata.to_df(), expected[sorted(expected)], check_dtype=False, check_names=False, rtol=1e-5
    )
    assert facts(adata).unit == "counts"
    assert facts(adata).orientation == "samples-by-genes"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Writing zarr v2 data:UserWarning")
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".csv.gz", ".parquet", ".h5ad", ".zarr"])
@pytest.mark.parametrize("transposed", [False, True])
def test_every_format_and_orientation_reads_alike(
    tmp_path: Path, counts: pd.DataFrame, suffix: str, transposed: bool
) -> None:
    frame = counts.T if transposed else counts
    path = tmp_path / f"a{suffix}"
    if suffix == ".parquet":
        frame.to_parquet(path)
    elif suffix in (".h5ad", ".zarr"):
        stored = anndata.AnnData(frame.astype("float32"))
        stored.write_h5ad(path) if suffix == ".h5ad" else stored.write_zarr(path)
    elif suffix == ".csv.gz":
        path.write_bytes(gzip.compress(frame.to_csv().encode()))
    else:
        write(frame, path)
    adata = read_expression(path)
    reference = read_expression(write(counts, tmp_path / "reference.csv"))
    assert list(adata.obs_names) == list(counts.index)
    np.testing.assert_array_equal(adata.X, reference.X)
    assert (facts(adata).orientation == "genes-by-samples") is transposed


@pytest.mark.parametrize(
    ("unit", "make"),
    [
        ("log2", lambda x: np.log2(x + 1)),
        ("tpm", lambda x: x / x.sum(axis=1, keepdims=True) * 1e6),
        ("linear", lambda x: x * 1.37 + 0.01),
        ("log2_intensity", lambda x: 3 + np.log2(x + 1)),
        ("standardised", lambda x: (x - x.mean()) / x.std()),
        ("counts", lambda x: x),
    ],
)
def test_units_are_detected(tmp_path: Path, counts: pd.DataFrame, unit: str, make) -> None:
    frame = pd.DataFrame(make(counts.to_numpy(float)), counts.index, counts.columns)
    assert facts(read_expression(write(frame, tmp_path / "a.csv"))).unit == unit


def test_a_sample_read_alone_has_the_values_of_its_cohort(
    tmp_path: Path, counts: pd.DataFrame
) -> None:
    cohort = read_expression(write(counts, tmp_path / "all.csv"))
    alone = read_expression(write(counts.iloc[[4]], tmp_path / "one.csv"))
    np.testing.assert_array_equal(alone.X, cohort.X[[4]])


def test_ensembl_ids_of_one_gene_are_added_up_and_unknown_ones_dropped(tmp_path: Path) -> None:
    # two ids of HLA-A on alternative haplotypes, one id that is no gene
    frame = pd.DataFrame(
        [[100, 20, 7, 900], [50, 0, 3, 400]],
        index=["A", "B"],
        columns=[
            "ENSG00000206503.13",
            "ENSG00000224320.2",
            "ENSG99999999999",
            "ENSG00000141510.18",
        ],
    )
    adata = read_expression(write(frame, tmp_path / "a.csv"))
    assert list(adata.var_names) == ["HLA-A", "TP53"]
    np.testing.assert_allclose(
        adata.to_df()["HLA-A"], np.log2(1 + np.array([120 / 1027, 50 / 453]) * 1e6), rtol=1e-6
    )
    assert facts(adata).genes_merged == 1
    assert facts(adata).genes_without_symbol_dropped == 1


def test_a_column_under_the_present_name_wins_over_the_old_name(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        [[1.5, 9.5, 0.0, 2.0]], index=["A"], columns=["NCR3LG1", "B7H6", "TP53", "CD58"]
    )
    adata = read_expression(write(frame, tmp_path / "a.csv"), orientation="samples-by-genes")
    assert adata.to_df().loc["A", "NCR3LG1"] == 1.5
    assert facts(adata).genes_superseded_dropped == 1


def test_tables_of_r_lack_a_corner_and_quote_their_labels(
    tmp_path: Path, counts: pd.DataFrame
) -> None:
    path = tmp_path / "r.txt"
    lines = counts.T.to_csv(sep="\t", quoting=csv.QUOTE_NONNUMERIC).splitlines()
    lines[0] = lines[0].split("\t", 1)[1]
    path.write_text("\n".join(lines) + "\n")
    reference = read_expression(write(counts, tmp_path / "reference.csv"))
    adata = read_expression(path)
    assert list(adata.obs_names) == list(counts.index)
    np.testing.assert_array_equal(adata.X, reference.X)


def test_a_label_may_hold_the_separator(tmp_path: Path, counts: pd.DataFrame) -> None:
    frame = counts.rename(index={"P0": "Doe, John"})
    assert read_expression(write(frame.T, tmp_path / "a.csv")).obs_names[0] == "Doe, John"


def test_annotations_are_joined_by_name(tmp_path: Path, counts: pd.DataFrame) -> None:
    table = pd.DataFrame({"lineage": ["AML"] * 11}, index=counts.index[:0:-1])
    table.to_csv(tmp_path / "obs.csv")
    adata = read_expression(write(counts, tmp_path / "a.csv"), obs=tmp_path / "obs.csv")
    assert adata.obs["lineage"].notna().sum() == 11
    assert facts_of(adata).annotations.samples_without_annotation == 1


def test_simulated_samples_are_recognised(tmp_path: Path, counts: pd.DataFrame) -> None:
    assert not facts_of(read_expression(write(counts, tmp_path / "a.csv"))).simulated
    frame = counts.rename(index=lambda name: f"SIM-{name}")
    assert facts_of(read_expression(write(frame, tmp_path / "b.csv"))).simulated


def test_depmap_profiles_are_the_default_ones_of_their_model(
    tmp_path: Path, counts: pd.DataFrame
) -> None:
    values = np.log2(counts + 1)
    values.columns = [f"{gene} ({i})" for i, gene in enumerate(values.columns, start=1)]
    values.insert(0, "SequencingID", [f"CDS-{i}" for i in range(12)])
    values.insert(1, "ModelID", ["ACH-000001"] * 2 + [f"ACH-{i:06d}" for i in range(2, 12)])
    values.insert(2, "IsDefaultEntryForModel", ["No"] + ["Yes"] * 11)
    values.insert(3, "ModelConditionID", "MC-1")
    values.insert(4, "IsDefaultEntryForMC", "Yes")
    adata = read_expression(write(values, tmp_path / "OmicsExpression.csv"))
    assert list(adata.obs_names) == [f"ACH-{i:06d}" for i in range(1, 12)]
    assert adata.n_vars == counts.shape[1]
    assert facts(adata).profiles_other_than_default_dropped == 1
    assert facts(adata).identifiers == "symbol (Entrez id)"


def bad(frame: pd.DataFrame, kind: str, path: Path) -> Path:
    frame = frame.copy()
    gene = frame.columns[5]
    if kind == "empty":
        path.write_text("")
        return path
    if kind == "missing":
        return path.parent / "nowhere.csv"
    if kind == "header only":
        frame = frame.iloc[:0]
    if kind == "text":
        frame = frame.astype(object)
        frame.loc["P3", gene] = "high"
    if kind == "duplicate sample":
        frame = frame.rename(index={"P4": "P3"})
    if kind == "duplicate gene":
        frame = frame.rename(columns={frame.columns[6]: gene})
    if kind == "infinite":
        frame = frame.astype(float)
        frame.loc["P2", gene] = np.inf
    if kind == "negative counts":
        frame.loc["P2", gene] = -3
    if kind == "no genes":
        frame.columns = [f"x{i}" for i in range(frame.shape[1])]
    if kind == "not text":
        path.write_bytes(bytes(range(256)) * 4)
        return path
    return write(frame, path)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("empty", r"is empty \(0 bytes\)"),
        ("missing", r"There is no file .*nowhere\.csv"),
        ("header only", "0 rows"),
        ("text", r"text among the numbers in 1 cell of 1 column \('high' at P3"),
        ("duplicate sample", r"1 duplicate sample name \(P3\)"),
        ("duplicate gene", r"1 gene more than once .*--duplicates mean, max or first"),
        ("infinite", "1 infinite values in 1 genes"),
        ("negative counts", r"1 negative value \(lowest -3\)"),
        ("no genes", "Could not tell genes from samples"),
        ("not text", "not readable text"),
    ],
)
def test_bad_files_get_one_clear_sentence(
    tmp_path: Path, counts: pd.DataFrame, kind: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read_expression(bad(counts, kind, tmp_path / "bad.csv"))


def test_a_truncated_h5ad_is_told(tmp_path: Path, counts: pd.DataFrame) -> None:
    whole, cut = tmp_path / "whole.h5ad", tmp_path / "cut.h5ad"
    anndata.AnnData(counts.astype("float32")).write_h5ad(whole)
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(InputError, match=r"not a readable HDF5 file .* truncated"):
        read_expression(cut)


def test_a_truncated_gzip_is_told(tmp_path: Path, counts: pd.DataFrame) -> None:
    path = tmp_path / "cut.csv.gz"
    data = gzip.compress(counts.to_csv().encode())
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match=r"cut\.csv\.gz is not"):
        read_expression(path)


@pytest.mark.slow
@given(
    values=st.lists(
        st.lists(st.floats(-5, 25, width=32) | st.just(float("nan")), min_size=4, max_size=4),
        min_size=1,
        max_size=6,
    ),
    transposed=st.booleans(),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_is_what_is_read(
    tmp_path: Path, values: list[list[float]], transposed: bool
) -> None:
    frame = pd.DataFrame(
        np.array(values, dtype="float32"),
        index=[f"sample {i}" for i in range(len(values))],
        columns=["B2M", "CD58", "STAT1", "TP53"],
    )
    path = write(frame.T if transposed else frame, tmp_path / "a.csv")
    orientation = "genes-by-samples" if transposed else "samples-by-genes"
    if frame.isna().all(axis=None):
        with pytest.raises(InputError, match="no expression value"):
            read_expression(path, orientation=orientation, unit="standardised")
        return
    left = frame.dropna(how="all").dropna(how="all", axis=1)
    adata = read_expression(path, orientation=orientation, unit="standardised")
    np.testing.assert_array_equal(adata.X, left.to_numpy())
    assert list(adata.obs_names) == list(left.index)
    assert facts(adata).missing_values == int(left.isna().to_numpy().sum())
    assert facts(adata).genes_without_value_dropped == 4 - left.shape[1]
    assert facts(adata).samples_without_value_dropped == tuple(frame.index.difference(left.index))


BEGINNINGS = (
    b"",
    b"BZh9",
    b"\x1f\x8b",
    b"\xfd7zXZ\x00",
    b"PK\x03\x04",
    b"\x89HDF\r\n\x1a\n",
    b"PAR1",
    b"\xff\xfe",
    b"#1.3\n2\t2\t1\t1\n",
    b"gene,a,b\nTP53,1,2\n",
    b"N_unmapped\t1\t2\t3\n",
    b"Hybridization REF\ta\ta\ngene_id\traw_count\tscaled_estimate\n",
)


@pytest.mark.slow
@given(
    start=st.sampled_from(BEGINNINGS),
    content=st.binary(max_size=200)
    | st.lists(
        st.sampled_from(["\t", ",", "\n", "1", "2,5", "TP53", '"', "NA", " "]), max_size=40
    ).map(lambda parts: "".join(parts).encode()),
    ending=st.sampled_from([".csv", ".gct", ".parquet", ".h5ad", ".h5", ".xlsx", ".mtx"]),
)
@example(start=b"#1.3\n2\t2\t1\t1\n", content=b"\t\n\t", ending=".csv")
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_read_or_refused_in_words(
    tmp_path: Path, start: bytes, content: bytes, ending: str
) -> None:
    path = tmp_path / f"any{ending}"
    path.write_bytes(start + content)
    with contextlib.suppress(InputError):
        read_expression(path)


@pytest.mark.slow
@given(
    sep=st.sampled_from([",", ";", "\t"]),
    decimal=st.sampled_from([".", ","]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"]),
    line_end=st.sampled_from(["\n", "\r\n"]),
    turned=st.booleans(),
    packed=st.booleans(),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_dress_of_a_table_changes_nothing(
    tmp_path: Path, counts: pd.DataFrame, sep, decimal, encoding, line_end, turned, packed
) -> None:
    frame = np.log2(counts + 1).round(4).rename(index={"P0": "Müller"})
    path = tmp_path / "a.csv"
    dressed = frame.T if turned else frame
    content = dressed.to_csv(sep=sep, decimal=decimal, lineterminator=line_end).encode(encoding)
    path.write_bytes(gzip.compress(content) if packed else content)
    adata = read_expression(path)
    assert list(adata.obs_names) == list(frame.index)
    np.testing.assert_allclose(adata.to_df()[frame.columns], frame, rtol=1e-6)


@pytest.mark.slow
@given(values=st.lists(st.floats(0, 20, width=32), min_size=4, max_size=4), seed=st.integers(0, 9))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_stands_twice_is_taken_together_as_asked(
    tmp_path: Path, values: list[float], seed: int
) -> None:
    rows = np.array([values, [5.0, 1.0, 2.0, 3.0]], dtype="float32")
    frame = pd.DataFrame(rows, ["A", "B"], ["CD58", "TP53", "B2M", "STAT1"])
    twice = pd.concat([frame, frame[["CD58"]] + 1], axis=1)
    path = write(twice.iloc[:, np.random.default_rng(seed).permutation(5)], tmp_path / "a.csv")
    options = {"orientation": "samples-by-genes", "unit": "standardised"}
    with pytest.raises(InputError, match="1 gene more than once"):
        read_expression(path, **options)
    highest = read_expression(path, duplicates="max", **options).to_df()
    np.testing.assert_allclose(highest["CD58"], frame["CD58"] + 1, rtol=1e-5)
    mean = read_expression(path, duplicates="mean", **options).to_df()
    np.testing.assert_allclose(mean["CD58"], frame["CD58"] + 0.5, rtol=1e-5)
