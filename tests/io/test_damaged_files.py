"""Damaged files of every format are refused in one short sentence, or read."""

from __future__ import annotations

import gzip
import warnings
from contextlib import suppress
from functools import partial
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import zarr
from pyarrow import feather
from scipy import sparse

from experiments.bounded import run_bounded
from experiments.fuzz_readers import fuzz
from experiments.readable_files import every_reader
from nkpredict import read_expression
from nkpredict.drugs import read_targets
from nkpredict.errors import InputError, NKPredictError
from nkpredict.features import read_gene_sets
from nkpredict.io import matrix_market_as_hdf5, open_cells, read_response


@pytest.fixture(scope="module")
def readers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what writes the files looks ahead to other formats
        found = every_reader(folder)
        for reader in found:
            reader.read(reader.path)
    return found


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_few_mutants_of_every_file(readers) -> None:
    bad = {reader.name: fuzz(reader, 3, first=100_000).bad for reader in readers}
    assert not {name: failures for name, failures in bad.items() if failures}


@pytest.mark.soak
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("part", range(4))  # for as many processes
def test_more_mutants_of_every_file(readers, part: int) -> None:
    bad = {reader.name: fuzz(reader, 60, first=200_000).bad for reader in readers[part::4]}
    assert not {name: failures for name, failures in bad.items() if failures}


DEEP = "[" * 5_000
ALIASES = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "text",
    [
        DEEP,
        '{"a":' * 5_000,
        f'[{{"a": {DEEP}',
        "9" * 5_000,
        f'{{"a": {"9" * 5_000}}}',
        "a: 2020-99-99\n",
        f"{ALIASES}name: *i\n",
        f"{ALIASES}name: *i\nfolds: *i\nrandom_state: *i\nevaluation: {{folds: *i}}\n",
        "&a {b: *a}",
        "!!python/object/apply:os.getcwd []",
        "null",
        "NaN",
        "[[1]]",
        "[{}]",
        '[{"gene": "\\ud800"}]',
        "\x00",
    ],
)
def test_texts_that_lead_a_parser_astray_are_refused_or_read(readers, text: str) -> None:
    for reader in readers:
        if not reader.name.endswith((".yaml", ".json", ".jsonl")):
            continue
        whole = reader.damaged.read_bytes()
        reader.damaged.write_text(text)
        try:
            with suppress(NKPredictError):
                reader.read(reader.path)
        finally:
            reader.damaged.write_bytes(whole)


def test_a_damaged_offset_in_memory_of_arrow_is_told(tmp_path: Path) -> None:
    offsets = np.array([0, 4, 10**9, 12], dtype=np.int32).tobytes()
    names = pa.StringArray.from_buffers(3, pa.py_buffer(offsets), pa.py_buffer(b"TP53MYC1B2M1"))
    table = pa.table({"gene": names, "S1": [1.0, 2.0, 3.0], "S2": [1.0, 2.0, 3.0]})
    feather.write_feather(table, tmp_path / "a.feather", compression="uncompressed")
    with pytest.raises(InputError, match="is not a readable Parquet file"):
        read_expression(tmp_path / "a.feather")


@pytest.fixture
def cohort(genes, tmp_path: Path) -> Path:
    values = np.random.default_rng(0).poisson(20, (4, 40)).astype(np.float32)
    adata = anndata.AnnData(
        sparse.csr_matrix(values),
        obs=pd.DataFrame(index=[f"S{i}" for i in range(4)]),
        var=pd.DataFrame(index=genes[:40]),
    )
    adata.write_h5ad(tmp_path / "a.h5ad")
    return tmp_path / "a.h5ad"


def with_an_index_outside(file: h5py.File) -> None:
    file["X/indices"][0] = 10**8


def with_a_link_to_another_file(file: h5py.File) -> None:
    file["layers/other"] = h5py.ExternalLink("/etc/hostname", "/")


def with_a_claim_of_ten_gigabytes(file: h5py.File) -> None:
    file.create_dataset("layers/huge", shape=(10**5, 10**5), dtype="f4", chunks=(100, 100))


def read_cells(path: Path) -> None:
    """Read what a file of cells holds as scoring does, in stretches."""
    found = open_cells(path)
    with found.open() as rows:
        rows.rows(0, found.cells)
        rows.names(0, found.cells)


IN_STRETCHES = pytest.mark.parametrize("read", [read_expression, read_cells])


@pytest.mark.slow
@IN_STRETCHES
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            with_an_index_outside,
            "sparse matrix is damaged|not a readable AnnData|columns beyond its 40 genes",
        ),
        (with_a_link_to_another_file, "a link to another place or file"),
        (with_a_claim_of_ten_gigabytes, "claims 40,000,000,000 bytes that the file does not hold"),
    ],
)
def test_what_would_end_the_process_is_told(cohort: Path, read, damage, message: str) -> None:
    read(cohort)
    with h5py.File(cohort, "r+") as file:
        damage(file)
    with pytest.raises(InputError, match=message):
        read(cohort)


@pytest.mark.parametrize("index", [10**8, -(10**8)])
def test_cells_stored_by_gene_point_to_no_other_cell(cohort: Path, index: int) -> None:
    adata = anndata.read_h5ad(cohort)
    adata.X = sparse.csc_matrix(adata.X)
    adata.write_h5ad(cohort)
    read_cells(cohort)
    with h5py.File(cohort, "r+") as file:
        file["X/indices"][3] = index
    with pytest.raises(InputError, match=r"Cells 1 to 4 of .* cannot be read"):
        read_cells(cohort)


@pytest.fixture
def zarr_cohort(cohort: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what writes it looks ahead to another format
        anndata.read_h5ad(cohort).write_zarr(cohort.parent / "a.zarr")
    return cohort.parent / "a.zarr"


@pytest.mark.slow
@IN_STRETCHES
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["X/indices/0", "X/data/0", "X/indptr/0"])
def test_a_damaged_part_of_a_zarr_folder_ends_no_process(
    zarr_cohort: Path, read, name: str
) -> None:
    read(zarr_cohort)
    part = zarr_cohort / name
    content = bytearray(part.read_bytes())
    for place in range(16, len(content), 3):  # behind the header of Blosc
        content[place] ^= 0xFF
    part.write_bytes(content)
    with pytest.raises(InputError):
        read(zarr_cohort)


def test_pointers_of_a_sparse_matrix_that_fall_are_told(zarr_cohort: Path) -> None:
    pointers = zarr.open_group(zarr_cohort, mode="r+")["X/indptr"]
    pointers[1:] = np.array([40, 2 * 10**9, -2 * 10**9, 160])
    with pytest.raises(InputError, match="index pointers fall"):
        read_expression(zarr_cohort)


@IN_STRETCHES
def test_a_zarr_folder_that_crashes_the_library_is_told(
    zarr_cohort: Path, read, monkeypatch
) -> None:
    crashing = zarr_cohort.parent / "crash.py"
    crashing.write_text("import os\nos.abort()\n")
    monkeypatch.setattr("nkpredict.io.expression._probe.__file__", str(crashing))
    with pytest.raises(InputError, match="the zarr library ends with SIGABRT"):
        read(zarr_cohort)


@IN_STRETCHES
def test_a_file_that_crashes_the_library_is_told(cohort: Path, read, monkeypatch) -> None:
    crashing = cohort.parent / "crash.py"
    crashing.write_text("import os\nos.abort()\n")
    monkeypatch.setattr("nkpredict.io.expression._probe.__file__", str(crashing))
    with pytest.raises(InputError, match="the HDF5 library ends with SIGABRT"):
        read(cohort)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("3 2 2\n1 1 5\n9 1 5\n", "outside of the matrix"),
        ("3 2 2\n1 1 5\n0 1 5\n", "outside of the matrix"),
        ("3 2 2\n1 1 5\n", "1 of 2 entries"),
        ("3 2 2\n1 1 5\n1 1 x\n", "Matrix Market"),
        ("3 2 2\n1 1 5\n1.5 1 5\n", "outside of the matrix"),
        ("3 2 99999999999\n1 1 5\n", "entries"),
        ("3 999999999 2\n1 1 5\n1 1 5\n", "3 features and 2 barcodes"),
        ("99999999999999999999 2 2\n", "does not state its size"),
        ("", "does not state its size"),
    ],
)
def test_a_damaged_matrix_is_told(tmp_path: Path, body: str, message: str) -> None:
    head = "%%MatrixMarket matrix coordinate integer general\n%\n"
    (tmp_path / "matrix.mtx").write_text(head + body)
    (tmp_path / "features.tsv").write_text("".join(f"{g}\t{g}\n" for g in ("TP53", "MYC", "B2M")))
    (tmp_path / "barcodes.tsv").write_text("a\nb\n")
    with pytest.raises(InputError, match=message):
        read_expression(tmp_path)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("3 2 2\n1 1 5\n9 1 5\n", "outside of the matrix"),
        ("3 2 2\n1 1 5\n1 2000000000 5\n", "outside of the matrix"),
        ("3 2 2\n1 1 5\n0 1 5\n", "outside of the matrix"),
        ("3 2 2\n1 1 5\n1 1 6\n1 2 7\n", "more than its 2 entries"),
        ("3 2 3\n1 1 5\n1 2 5\n", "2 of 3 entries"),
        ("3 2 99999999999\n1 1 5\n", "99,999,999,999 entries in a matrix of 3 × 2"),
        ("3 2 1\n1 99999999999999999999 5\n", "not a readable Matrix Market file"),
    ],
)
def test_a_damaged_matrix_of_cells_is_told(tmp_path: Path, body: str, message: str) -> None:
    head = "%%MatrixMarket matrix coordinate integer general\n%\n"
    (tmp_path / "matrix.mtx").write_text(head + body)
    (tmp_path / "features.tsv").write_text("".join(f"{g}\t{g}\n" for g in ("TP53", "MYC", "B2M")))
    (tmp_path / "barcodes.tsv").write_text("a\nb\n")
    with pytest.raises(InputError, match=message):
        matrix_market_as_hdf5(tmp_path, tmp_path / "cells.h5")
    assert not (tmp_path / "cells.h5").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("read", "name"),
    [
        (read_expression, "a.csv.gz"),
        (read_targets, "a.csv.gz"),
        (read_gene_sets, "a.gmt.gz"),
        (partial(read_response, direction="low=sensitive"), "a.csv.gz"),
    ],
)
def test_what_unpacks_to_more_than_the_memory_is_told(tmp_path: Path, read, name: str) -> None:
    with gzip.open(tmp_path / name, "wb", compresslevel=1) as stream:
        for _ in range(600):
            stream.write(b"TP53,1,2,3\n" * 100_000)
    outcome = run_bounded(partial(read, tmp_path / name), seconds=60, megabytes=300)
    assert outcome.kind == "refused", outcome
    assert "memory" in outcome.message.lower()


def test_a_name_of_a_million_letters_is_cut_in_the_message(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"gene,S1,S2\nTP53,{'x' * 10**6},1\nMYC,2,3\nB2M,4,5\n")
    with pytest.raises(InputError) as raised:
        read_expression(tmp_path / "a.csv")
    assert len(str(raised.value)) <= 600
