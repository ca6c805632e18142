"""Damage files of every format at random and see whether the readers refuse them in a sentence.

    python -m experiments.fuzz_readers --mutants 300

Each mutant is read in a child process with 10 seconds of CPU time and 2 GB. Good are a result, or
an error that the package raises on purpose in at most 600 characters; anything else is printed with
the seed that makes it again.
"""

from __future__ import annotations

import argparse
import gzip
import shutil
import sys
import tempfile
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import anndata
import h5py
import numpy as np
import pandas as pd
from scipy import sparse
from scipy.io import mmwrite

from experiments.bounded import Outcome, run_bounded
from nkpredict import score_cells
from nkpredict.drugs import read_targets
from nkpredict.features import read_gene_sets
from nkpredict.io import (
    add_genetics,
    approved_symbols,
    read_expression,
    read_response,
    read_screen_tables,
)
from nkpredict.learn import NKSusceptibilityModel

SECONDS, MEGABYTES, LONGEST_MESSAGE = 10.0, 2048, 600


@dataclass(frozen=True)
class Reader:
    """A reader and a small file that it reads.

    ``damaged`` is the file, or the file inside the folder, that the mutations fall on.
    """

    name: str
    path: Path
    read: Callable[[Path], object]
    damaged: Path

    @classmethod
    def of(cls, path: Path, read: Callable[[Path], object], damaged: Path | None = None) -> Reader:
        """Name a reader after its file."""
        return cls(
            path.name if damaged is None else f"{path.name}/{damaged.relative_to(path)}",
            path,
            read,
            path if damaged is None else damaged,
        )


def expression_readers(folder: Path) -> list[Reader]:
    """Write one small cohort in every format of profiles."""
    rng = np.random.default_rng(0)
    genes = sorted(approved_symbols())[::170][:40]
    counts = pd.DataFrame(
        rng.negative_binomial(2, 0.01, (6, 40)), index=[f"S{i}" for i in range(6)], columns=genes
    )
    log2 = np.log2(counts + 1.0).round(4)
    paths = {}
    for name, table, options in (
        ("log2.csv", log2, {}),
        ("turned.tsv", counts.T, {"sep": "\t"}),
        ("comma.csv", log2, {"sep": ";", "decimal": ","}),
        ("log2.csv.gz", log2, {}),
        ("log2.csv.bz2", log2, {}),
        ("log2.csv.xz", log2, {}),
        ("utf16.csv", log2, {"encoding": "utf-16"}),
    ):
        table.to_csv(folder / name, **options)
        paths[name] = folder / name
    with zipfile.ZipFile(folder / "log2.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(folder / "log2.csv", "log2.csv")
    gct = counts.T.rename_axis("Name").reset_index()
    gct.insert(1, "Description", "na")
    (folder / "counts.gct").write_text(
        f"#1.2\n40\t6\n{gct.to_csv(sep=chr(9), index=False)}", encoding="utf-8"
    )
    log2.to_excel(folder / "log2.xlsx")
    log2.to_parquet(folder / "log2.parquet")
    log2.reset_index().to_feather(folder / "log2.feather")
    adata = anndata.AnnData(log2.astype(np.float32), layers={"counts": counts.to_numpy(np.float32)})
    adata.obs["lineage"] = pd.Categorical(["AML", "MM"] * 3)
    adata.write_h5ad(folder / "dense.h5ad")
    adata.X = sparse.csr_matrix(adata.X)
    adata.write_h5ad(folder / "sparse.h5ad", compression="gzip")
    adata.write_zarr(folder / "sparse.zarr")
    _write_loom(folder / "counts.loom", counts)
    _write_tenx(folder / "tenx.h5", counts)
    mtx = folder / "mtx"
    mtx.mkdir()
    mmwrite(mtx / "matrix.mtx", sparse.coo_matrix(counts.T.to_numpy()))
    pd.DataFrame({"id": genes, "name": genes, "kind": "Gene Expression"}).to_csv(
        mtx / "features.tsv", sep="\t", header=False, index=False
    )
    (mtx / "barcodes.tsv").write_text("\n".join(counts.index) + "\n", encoding="utf-8")
    files = [
        *paths.values(),
        *(
            folder / name
            for name in (
                "log2.zip",
                "counts.gct",
                "log2.xlsx",
                "log2.parquet",
                "log2.feather",
                "dense.h5ad",
                "sparse.h5ad",
                "counts.loom",
                "tenx.h5",
            )
        ),
    ]
    inside = [
        Reader.of(mtx, read_expression, mtx / name)
        for name in ("matrix.mtx", "features.tsv", "barcodes.tsv")
    ]
    zarr = folder / "sparse.zarr"
    stored = sorted(path for path in zarr.rglob("*") if path.is_file() and path.stat().st_size)
    inside += [Reader.of(zarr, read_expression, path) for path in stored[:: len(stored) // 8]]
    return [*(Reader.of(path, read_expression) for path in files), *inside]


def cell_readers(folder: Path) -> list[Reader]:
    """Write a few cells in every format that is read in stretches; they are scored by group."""
    rng = np.random.default_rng(2)
    genes = sorted(approved_symbols())[::170][:40]
    counts = rng.negative_binomial(2, 0.01, (60, 40)) * rng.integers(0, 2, (60, 40))
    profiles = pd.DataFrame(np.log2(counts + 1.0), [f"c{i}" for i in range(60)], genes)
    model = NKSusceptibilityModel().fit(profiles, rng.normal(0, 1, 60))
    adata = anndata.AnnData(
        sparse.csr_matrix(counts.astype(np.float32)),
        pd.DataFrame({"kind": pd.Categorical(["a", "b"] * 30)}, index=profiles.index),
        pd.DataFrame(index=genes),
    )
    adata.write_h5ad(folder / "cells.h5ad", compression="gzip")
    adata.layers["counts"] = sparse.csc_matrix(adata.X)
    adata.X = np.log1p(adata.X.toarray())
    adata.write_h5ad(folder / "layered-cells.h5ad")
    _write_tenx(folder / "cells.h5", pd.DataFrame(counts, profiles.index, genes))

    def scored(path: Path, groupby: str | None) -> object:
        return score_cells(path, model, groupby=groupby, force=True, workers=1)

    return [
        Reader.of(folder / "cells.h5ad", partial(scored, groupby="kind")),
        Reader.of(folder / "layered-cells.h5ad", partial(scored, groupby="kind")),
        Reader.of(folder / "cells.h5", partial(scored, groupby=None)),
    ]


def _write_loom(path: Path, counts: pd.DataFrame) -> None:
    with h5py.File(path, "w") as file:
        file["matrix"] = counts.T.to_numpy(np.float32)
        file.create_group("row_attrs")["Gene"] = np.array(counts.columns, dtype="S")
        file.create_group("col_attrs")["CellID"] = np.array(counts.index, dtype="S")
        file.create_group("layers")


def _write_tenx(path: Path, counts: pd.DataFrame) -> None:
    matrix = sparse.csc_matrix(counts.T.to_numpy(np.int32))
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix")
        for name in ("data", "indices", "indptr"):
            group[name] = getattr(matrix, name)
        group["shape"] = np.array(matrix.shape)
        group["barcodes"] = np.array(counts.index, dtype="S")
        features = group.create_group("features")
        features["id"] = features["name"] = np.array(counts.columns, dtype="S")
        features["feature_type"] = np.array(["Gene Expression"] * counts.shape[1], dtype="S")


def table_readers(folder: Path) -> list[Reader]:
    """Write one small file for every other reader."""
    rng = np.random.default_rng(1)
    genes = sorted(approved_symbols())[::170][:30]
    lines = [f"LINE{i}" for i in range(8)]
    write = partial(_write_table, folder)
    combined = write(
        "combined.txt",
        {
            "Gene": genes * 2,
            "lfc": rng.normal(0, 1, 60).round(4),
            "p": rng.uniform(0, 1, 60).round(5),
            "FDR": rng.uniform(0, 1, 60).round(5),
            "cell_line": ["K562"] * 30 + ["MM1S_GOF"] * 30,
            "lfc_z": rng.normal(0, 1, 60).round(4),
        },
    )
    half = [
        f"{side}|{kind}"
        for side in ("neg", "pos")
        for kind in ("score", "p-value", "fdr", "rank", "goodsgrna", "lfc")
    ]
    mageck = write(
        "a.gene_summary.txt",
        {
            "id": genes,
            "num": [4] * 30,
            **{name: rng.uniform(0, 1, 30).round(5) for name in half},
        },
        "\t",
    )
    guides = write(
        "counts.txt",
        {
            "sgRNA": [f"g{i}" for i in range(60)],
            "Gene": genes * 2,
            **{name: rng.poisson(200, 60) for name in ("c1", "c2", "n1", "n2")},
        },
        "\t",
    )
    sheet = write(
        "sheet.csv", {"sample": ["c1", "c2", "n1", "n2"], "role": ["control"] * 2 + ["NK"] * 2}
    )
    (folder / "meta.yaml").write_text(
        "combined:\n  effector: primary NK\n  source: x\nMM1S_GOF:\n  perturbation: gain\n",
        encoding="utf-8",
    )
    ratios = ("CTRL", "NK_0.625", "NK_1.25", "NK_2.5", "NK_5")
    prism = write(
        "viability.txt",
        {
            "cell_line": np.repeat(lines, 5),
            "Condition": [f"D1_{r}" for r in ratios] * 8,
            "pctviability": rng.uniform(5, 100, 40).round(3),
        },
        "\t",
    )
    replicates = write(
        "replicates.txt",
        {
            "Condition": [f"D1_{r}" for r in ratios] * 2,
            "Biological_replicate": [1] * 5 + [2] * 5,
            **{
                f"{line}_HAEMATOPOIETIC_AND_LYMPHOID_TISSUE": rng.uniform(5, 100, 10).round(3)
                for line in lines
            },
        },
        "\t",
    )
    simple = write("response.csv", {"sample": lines, "auc": rng.uniform(0, 1, 8).round(4)})
    own = {
        "drug": ["venetoclax"] * 30,
        "gene": genes,
        "effect_on_gene": ["inhibits"] * 30,
        "action": ["inhibitor"] * 30,
        "source": ["x"] * 30,
    }
    write("targets.csv", own)
    pd.DataFrame(own).to_parquet(folder / "targets.parquet")
    pd.DataFrame(own).to_json(folder / "targets.jsonl", orient="records", lines=True)
    gmt = folder / "sets.gmt"
    gmt.write_text(
        "\n".join("\t".join([f"SET{i}", "na", *genes[i::3]]) for i in range(3)) + "\n",
        encoding="utf-8",
    )
    gmt_packed = folder / "sets.gmt.gz"
    gmt_packed.write_bytes(gzip.compress(gmt.read_bytes()))
    genetics = write("genetics.csv", {"sample": lines, "TP53": [0, 1] * 4, "NRAS": [1, 0] * 4})
    annotated = write(
        "obs.csv", {"sample": [f"S{i}" for i in range(6)], "lineage": ["AML", "MM"] * 3}
    )
    return [
        Reader.of(combined, read_screen_tables),
        Reader.of(mageck, read_screen_tables),
        Reader.of(guides, lambda path: read_screen_tables(path, sample_sheet=sheet)),
        Reader.of(sheet, lambda path: read_screen_tables(guides, sample_sheet=path)),
        Reader.of(folder / "meta.yaml", lambda path: read_screen_tables(combined, metadata=path)),
        Reader.of(prism, read_response),
        Reader.of(replicates, read_response),
        Reader.of(simple, lambda path: read_response(path, direction="low=sensitive")),
        *(
            Reader.of(folder / name, read_targets)
            for name in ("targets.csv", "targets.parquet", "targets.jsonl")
        ),
        *(Reader.of(path, read_gene_sets) for path in (gmt, gmt_packed)),
        Reader.of(genetics, lambda path: add_genetics(_empty(lines), path)),
        Reader.of(annotated, lambda path: read_expression(folder / "log2.csv", obs=path)),
    ]


def every_reader(folder: Path) -> list[Reader]:
    """Write a file for every reader."""
    return [*expression_readers(folder), *cell_readers(folder), *table_readers(folder)]


def _write_table(folder: Path, name: str, columns: dict[str, Any], separator: str = ",") -> Path:
    pd.DataFrame(columns).to_csv(folder / name, sep=separator, index=False)
    return folder / name


def _empty(samples: list[str]) -> anndata.AnnData:
    return anndata.AnnData(np.ones((len(samples), 1)), obs=pd.DataFrame(index=samples))


_CELLS = (
    b"",
    b"NA",
    b"nan",
    b"inf",
    b"-inf",
    b"1e999",
    b"-1",
    b"1,5",
    b"abc",
    b'"',
    b"=1+1",
    b"\xff",
    b"9" * 400,
    b"x" * 100_000,
    b"\x00",
    b"TP53",
    b"S0",
    b"7-Mar",
    "＝1".encode(),
    b"{}",
    b"[",
)


def mutate(content: bytes, rng: np.random.Generator) -> bytes:
    """Damage bytes in one to four places: flipped, cut, spliced, cells of text replaced."""
    damaged = bytearray(content)
    for _ in range(int(rng.integers(1, 5))):
        if not damaged:
            break
        place = int(rng.integers(len(damaged)))
        length = int(rng.integers(1, max(2, min(200, len(damaged)))))
        match int(rng.integers(8)):
            case 0:  # some bytes flipped
                for _ in range(int(rng.integers(1, 9))):
                    damaged[int(rng.integers(len(damaged)))] ^= 1 << int(rng.integers(8))
            case 1:  # cut off
                del damaged[place:]
            case 2:  # a part left out
                del damaged[place : place + length]
            case 3:  # a part stands twice
                damaged[place:place] = damaged[place : place + length]
            case 4:  # noise
                damaged[place : place + length] = rng.bytes(length)
            case 5:  # numbers of a binary header
                value = int(
                    rng.choice([0, 1, 255, 2**16 - 1, 2**31 - 1, 2**32 - 1, 2**62, 2**63 - 1])
                )
                damaged[place : place + 8] = value.to_bytes(8, "little")
            case 6:  # lines in another order, or one many times
                lines = bytes(damaged).split(b"\n")
                one = int(rng.integers(len(lines)))
                damaged = bytearray(
                    b"\n".join(
                        [*lines[:one], *[lines[-1 - one]] * int(rng.integers(1, 40)), *lines[one:]]
                    )
                )
            case _:  # a cell replaced
                marks = [i for i, byte in enumerate(damaged) if byte in b",\t;\n"]
                if marks:
                    one = int(rng.integers(len(marks)))
                    end = marks[one + 1] if one + 1 < len(marks) else len(damaged)
                    damaged[marks[one] + 1 : end] = _CELLS[int(rng.integers(len(_CELLS)))]
    return bytes(damaged)


def verdict(outcome: Outcome) -> str:
    """Say what is wrong with an outcome; empty when nothing is."""
    if outcome.kind == "refused" and len(outcome.message) > LONGEST_MESSAGE:
        return "long message"
    return "" if outcome.kind in ("done", "refused") else outcome.kind


def fuzz(reader: Reader, mutants: int, first: int) -> list[tuple[int, str, Outcome]]:
    """Read mutants of one file; return seed, what is wrong and how it ended of those that fail."""
    original = reader.damaged.read_bytes()
    bad = []
    for seed in range(first, first + mutants):
        reader.damaged.write_bytes(mutate(original, np.random.default_rng([seed, len(original)])))
        outcome = run_bounded(
            partial(reader.read, reader.path), seconds=SECONDS, megabytes=MEGABYTES
        )
        wrong = verdict(outcome)
        if wrong:
            bad.append((seed, wrong, outcome))
    reader.damaged.write_bytes(original)
    return bad


def main() -> None:
    """Fuzz the readers named, or all of them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--mutants", type=int, default=300, help="for each reader")
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--only", default="", help="readers whose name holds this")
    parser.add_argument("--keep", type=Path, help="folder for the mutants that fail")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    failed = 0
    with tempfile.TemporaryDirectory() as temporary:
        readers = every_reader(Path(temporary))
        for reader in readers:
            reader.read(reader.path)  # the undamaged file is read, and everything is imported
        for reader in (r for r in readers if options.only in r.name):
            bad = fuzz(reader, options.mutants, options.first)
            failed += len(bad)
            print(f"{reader.name}: {len(bad)} of {options.mutants}", flush=True)
            classes = Counter((wrong, outcome.message[:160]) for _, wrong, outcome in bad)
            first = {(wrong, o.message[:160]): seed for seed, wrong, o in reversed(bad)}
            for (wrong, message), count in classes.most_common():
                print(f"  {count} × {wrong} (seed {first[wrong, message]}): {message}", flush=True)
            if bad and options.keep:
                _keep(reader, bad, options.keep)
    sys.exit(1 if failed else 0)


def _keep(reader: Reader, bad: list[tuple[int, str, Outcome]], folder: Path) -> None:
    original = reader.damaged.read_bytes()
    for seed, _, _ in bad:
        target = folder / f"{seed}-{reader.path.name}"
        if reader.path.is_dir():
            shutil.copytree(reader.path, target, dirs_exist_ok=True)
            target = target / reader.damaged.relative_to(reader.path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(mutate(original, np.random.default_rng([seed, len(original)])))


if __name__ == "__main__":
    main()
