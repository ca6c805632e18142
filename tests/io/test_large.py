"""Cohorts of more than 2,000 samples are read in blocks, with the same result as at once."""

from __future__ import annotations

import errno
import gzip
import warnings
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from nkpredict.errors import InputError
from nkpredict.io import ReadingOptions, approved_symbols, facts_of, read_profiles

SAMPLES = 2_103
GENES = sorted(approved_symbols())[100:220] + [f"RPL{n}" for n in range(3, 15)]
KNOWN = GENES[5::3]
Write = Callable[[pd.DataFrame, Path], Path]


def cohort(kind: str = "log2") -> pd.DataFrame:
    """Return samples × genes in a unit."""
    rng = np.random.default_rng(3)
    level = np.where(np.char.startswith(GENES, "RPL"), 11.0, rng.uniform(-4, 9, len(GENES)))
    values = np.maximum(level + rng.normal(size=(SAMPLES, len(GENES))), 0.0)
    if kind == "counts":
        values = np.floor(2**values)
    elif kind in ("linear", "tpm"):
        values = 2**values - 1
        values *= 1e6 / values.sum(axis=1, keepdims=True) if kind == "tpm" else 1.0
    elif kind == "intensity":
        values = np.clip(values, 3.0, 14.0)
    samples = [f"P{n:05d}" for n in range(SAMPLES)]
    return pd.DataFrame(values.round(4).astype(np.float32), samples, GENES)


def h5ad(table: pd.DataFrame, folder: Path) -> Path:
    """Write a dense h5ad."""
    anndata.AnnData(table).write_h5ad(folder / "cohort.h5ad")
    return folder / "cohort.h5ad"


def sparse_h5ad(table: pd.DataFrame, folder: Path) -> Path:
    """Write a sparse h5ad."""
    adata = anndata.AnnData(
        sparse.csr_matrix(table.to_numpy()),
        pd.DataFrame({"lineage": "AML"}, index=table.index),
        pd.DataFrame(index=table.columns),
    )
    adata.write_h5ad(folder / "cohort.h5ad")
    return folder / "cohort.h5ad"


def zarr(table: pd.DataFrame, folder: Path) -> Path:
    """Write a zarr folder."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the format of the future
        anndata.AnnData(table).write_zarr(folder / "cohort.zarr")
    return folder / "cohort.zarr"


def parquet(table: pd.DataFrame, folder: Path) -> Path:
    """Write samples in rows."""
    table.to_parquet(folder / "cohort.parquet")
    return folder / "cohort.parquet"


def parquet_of_genes(table: pd.DataFrame, folder: Path) -> Path:
    """Write genes in rows, their names in a column."""
    table.T.rename_axis("gene").reset_index().to_parquet(folder / "cohort.parquet")
    return folder / "cohort.parquet"


def csv(table: pd.DataFrame, folder: Path) -> Path:
    """Write samples in rows."""
    table.to_csv(folder / "cohort.csv")
    return folder / "cohort.csv"


def tsv_of_genes(table: pd.DataFrame, folder: Path) -> Path:
    """Write genes in rows, with a second column of text."""
    turned = table.T.rename_axis("gene")
    turned.insert(0, "kind", "protein coding")
    turned.to_csv(folder / "cohort.tsv", sep="\t")
    return folder / "cohort.tsv"


def gzipped(table: pd.DataFrame, folder: Path) -> Path:
    """Write genes in rows, compressed, with the line ends of Windows and a line on top."""
    text = "# made by hand\n" + table.T.to_csv(lineterminator="\n")
    with gzip.open(folder / "cohort.csv.gz", "wb") as stream:
        stream.write(text.replace("\n", "\r\n").encode())
    return folder / "cohort.csv.gz"


def gct(table: pd.DataFrame, folder: Path) -> Path:
    """Write genes in rows, as the Broad Institute has them."""
    turned = table.T.rename_axis("Name")
    turned.insert(0, "Description", "na")
    head = f"#1.2\n{table.shape[1]}\t{len(table)}\n"
    (folder / "cohort.gct").write_text(head + turned.to_csv(sep="\t"))
    return folder / "cohort.gct"


def loom(table: pd.DataFrame, folder: Path) -> Path:
    """Write a loom file."""
    with h5py.File(folder / "cohort.loom", "w") as file:
        file["matrix"] = table.T.to_numpy()
        file["row_attrs/Gene"] = np.asarray(table.columns, dtype=h5py.string_dtype())
        file["col_attrs/CellID"] = np.asarray(table.index, dtype=h5py.string_dtype())
        file["col_attrs/age"] = np.arange(len(table))
    return folder / "cohort.loom"


FORMATS: list[Write] = [
    gct,
    loom,
    h5ad,
    sparse_h5ad,
    zarr,
    parquet,
    parquet_of_genes,
    csv,
    tsv_of_genes,
    gzipped,
]


def assert_same(path: Path, known: list[str] = KNOWN, **options: object) -> None:
    """Check that a file gives the same profiles and facts in blocks as at once."""
    whole = read_profiles(path, ReadingOptions(known=known, **options))
    blocks = read_profiles(path, ReadingOptions(known=known, known_alone=True, **options))
    assert set(blocks.var_names) == set(whole.var_names) & set(known)
    assert blocks.n_vars < whole.n_vars
    pd.testing.assert_frame_equal(blocks.obs, whole.obs)
    expected = whole[:, blocks.var_names].X
    np.testing.assert_array_equal(blocks.X, expected)
    assert blocks.X.dtype == expected.dtype
    assert asdict(facts_of(blocks)) == asdict(facts_of(whole))


@pytest.mark.parametrize("write", FORMATS)
def test_every_format_is_read_alike(write: Write, tmp_path: Path) -> None:
    assert_same(write(cohort(), tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["counts", "linear", "tpm", "intensity"])
@pytest.mark.parametrize("write", [h5ad, tsv_of_genes])
def test_every_unit_is_told_alike(write: Write, kind: str, tmp_path: Path) -> None:
    assert_same(write(cohort(kind), tmp_path))


def missing(table: pd.DataFrame) -> pd.DataFrame:
    """Leave out values, a gene and a sample."""
    table = table.mask(np.random.default_rng(1).random(table.shape) < 0.02)
    table.iloc[:, 7] = np.nan
    table.iloc[1_000] = np.nan
    return table


def annotated(table: pd.DataFrame) -> pd.DataFrame:
    """Put the age of the samples and a row of lengths among the values."""
    table = table.copy()
    table.insert(3, "age", np.arange(len(table), dtype=np.float32))
    table.loc["Length"] = np.arange(table.shape[1], dtype=np.float32)
    return table


def unknown_names(table: pd.DataFrame) -> pd.DataFrame:
    """Call some genes by names that nobody knows."""
    return table.rename(columns={gene: f"odd {gene}" for gene in GENES[::9]})


def of_old_names(table: pd.DataFrame) -> pd.DataFrame:
    """Call genes by old names and by their identifiers."""
    return table.rename(columns={GENES[8]: "ICAM5", GENES[11]: "SEPT2", GENES[14]: "MARCH1"})


@pytest.mark.slow
@pytest.mark.parametrize("change", [missing, annotated, unknown_names, of_old_names])
@pytest.mark.parametrize("write", [csv, tsv_of_genes, parquet])
def test_what_is_set_aside_is_the_same(
    write: Write, change: Callable[[pd.DataFrame], pd.DataFrame], tmp_path: Path
) -> None:
    assert_same(write(change(cohort()), tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("duplicates", [None, "mean", "max", "first"])
def test_genes_that_are_there_twice_are_taken_together_alike(
    duplicates: str | None, tmp_path: Path
) -> None:
    table = cohort()
    twice = table[GENES[5:9]] if duplicates is None else table[GENES[5:9]] * 0.5 + 1
    path = tsv_of_genes(pd.concat([table, twice, table[GENES[:1]]], axis=1), tmp_path)
    assert_same(path, duplicates=duplicates)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["counts", "log2"])
def test_several_identifiers_of_one_gene_are_merged_alike(kind: str, tmp_path: Path) -> None:
    # an Ensembl id in two versions, and beside the symbol with its Entrez id
    names = ["ENSG00000206503.4", "ENSG00000206503.9", "TP53|7157", "TP53"]
    renamed = dict(zip(GENES[8:20:3], names, strict=True))
    table = cohort(kind).rename(columns=renamed)
    assert_same(h5ad(table, tmp_path), [*KNOWN, "HLA-A", "TP53"])


@pytest.mark.slow
def test_samples_may_be_numbered(tmp_path: Path) -> None:
    table = cohort()
    assert_same(parquet(table.set_axis(np.arange(10, 10 + SAMPLES)), tmp_path))
    assert_same(csv(table.set_axis(np.arange(SAMPLES)), tmp_path))


@pytest.mark.parametrize("write", [csv, parquet])
def test_of_depmap_the_profiles_that_it_recommends_are_read(write: Write, tmp_path: Path) -> None:
    table = cohort()
    twice = np.arange(SAMPLES) // 2
    table.insert(0, "ModelID", [f"ACH-{n:06d}" for n in twice])
    recommended = np.where(np.arange(SAMPLES) % 2, "No", "Yes")
    table.insert(1, "IsDefaultEntryForModel", recommended)
    path = write(table.rename_axis("SequencingID"), tmp_path)
    blocks = read_profiles(path, ReadingOptions(known=KNOWN, known_alone=True))
    whole = read_profiles(path, ReadingOptions(known=KNOWN))
    assert blocks.n_obs == whole.n_obs == (SAMPLES + 1) // 2
    assert asdict(facts_of(blocks)) == asdict(facts_of(whole))


def negative(table: pd.DataFrame) -> pd.DataFrame:
    """Make one count negative."""
    table = np.floor(2**table)
    table.iloc[2_000, 5] = -3
    return table


def constant(table: pd.DataFrame) -> pd.DataFrame:
    """Give every gene of one sample the same value."""
    table = table.copy()
    table.iloc[77] = 2.0
    return table


def infinite(table: pd.DataFrame) -> pd.DataFrame:
    """Make one value infinite."""
    table = table.copy()
    table.iloc[5, 5] = np.inf
    return table


def repeated(table: pd.DataFrame) -> pd.DataFrame:
    """Name two samples alike."""
    return table.rename(index={"P00007": "P00008"})


def different(table: pd.DataFrame) -> pd.DataFrame:
    """Add a gene once more with other values."""
    return pd.concat([table, table[GENES[5:6]] + 1], axis=1)


@pytest.mark.slow
@pytest.mark.parametrize("damage", [negative, constant, infinite, repeated, different])
def test_what_is_refused_is_refused_in_the_same_words(
    damage: Callable[[pd.DataFrame], pd.DataFrame], tmp_path: Path
) -> None:
    path = csv(damage(cohort()), tmp_path)
    with pytest.raises(InputError) as whole:
        read_profiles(path, ReadingOptions(known=KNOWN))
    with pytest.raises(InputError) as blocks:
        read_profiles(path, ReadingOptions(known=KNOWN, known_alone=True))
    assert str(blocks.value) == str(whole.value)


def test_a_text_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = csv(cohort(), tmp_path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match="cut off"):
        read_profiles(path, ReadingOptions(known=KNOWN, known_alone=True))


@pytest.mark.slow
def test_text_among_numbers_is_found_wherever_it_stands(tmp_path: Path) -> None:
    table = cohort().astype(object)
    table.iloc[2_050, 9] = "below"
    with pytest.raises(InputError, match="text among the numbers in 1 cell"):
        read_profiles(csv(table, tmp_path), ReadingOptions(known=KNOWN, known_alone=True))


@pytest.mark.parametrize("write", [csv, parquet])
def test_a_full_disk_is_told(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(cohort(), tmp_path)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    with pytest.raises(InputError, match=r"no room for them \(No space left.*TMPDIR"):
        read_profiles(path, ReadingOptions(known=KNOWN, known_alone=True))
