"""Small files of every format that the package reads, each with its reader."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable
from contextlib import chdir
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

from nkpredict import (
    compare,
    explain_scores,
    load_bundle,
    save_bundle,
    score,
    score_cells,
    write_results,
)
from nkpredict.drugs import read_surface_proteins, read_targets
from nkpredict.facts import ModelFacts, TrainingFacts
from nkpredict.features import read_gene_sets
from nkpredict.io import (
    add_genetics,
    approved_symbols,
    matrix_market_as_hdf5,
    read_expression,
    read_response,
    read_screen_tables,
)
from nkpredict.learn import (
    EvidenceBoosting,
    EvidenceRidge,
    KillingCurveModel,
    NKSusceptibilityModel,
)
from nkpredict.registry import registry_settings
from nkpredict.shipped import shipped_path
from nkpredict.testing import toy_panel
from nkpredict.training import read_config, read_spec


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


_ZARR_PARTS = (
    ".zmetadata",
    "X/data/0",
    "X/indices/0",
    "X/indptr/0",
    "layers/counts/0.0",
    "obs/lineage/codes/0",
    "var/_index/0",
)
_ZARR_METADATA = (
    ".zgroup",
    "X/.zattrs",
    "X/data/.zarray",
    "obs/lineage/.zattrs",
    "var/.zattrs",
    "var/_index/.zarray",
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
        ("log2.csv.gz", log2, {"compression": {"method": "gzip", "mtime": 0}}),
        ("log2.csv.bz2", log2, {}),
        ("log2.csv.xz", log2, {}),
        ("utf16.csv", log2, {"encoding": "utf-16"}),
    ):
        table.to_csv(folder / name, **options)
        paths[name] = folder / name
    with zipfile.ZipFile(folder / "log2.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("log2.csv"), (folder / "log2.csv").read_bytes())
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
    mtx = _write_mtx(folder / "mtx", counts)
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
    loose = shutil.copytree(folder / "sparse.zarr", folder / "loose.zarr")
    (loose / ".zmetadata").unlink()  # holds the metadata of all arrays, which are read there alone
    for zarr, damaged in ((folder / "sparse.zarr", _ZARR_PARTS), (loose, _ZARR_METADATA)):
        inside += [Reader.of(zarr, read_expression, zarr / name) for name in damaged]
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
    mtx = _write_mtx(folder / "cells-mtx", pd.DataFrame(counts, profiles.index, genes))

    def scored(path: Path, groupby: str | None) -> object:
        return score_cells(path, model, groupby=groupby, force=True, workers=1)

    return [
        Reader.of(folder / "cells.h5ad", partial(scored, groupby="kind")),
        Reader.of(folder / "layered-cells.h5ad", partial(scored, groupby="kind")),
        Reader.of(folder / "cells.h5", partial(scored, groupby=None)),
        *(
            Reader.of(mtx, partial(matrix_market_as_hdf5, target=folder / "of-mtx.h5"), mtx / name)
            for name in ("matrix.mtx", "features.tsv", "barcodes.tsv")
        ),
    ]


def _write_mtx(folder: Path, counts: pd.DataFrame) -> Path:
    genes = list(counts.columns)
    folder.mkdir()
    mmwrite(folder / "matrix.mtx", sparse.csc_matrix(counts.T.to_numpy()).tocoo())
    pd.DataFrame({"id": genes, "name": genes, "kind": "Gene Expression"}).to_csv(
        folder / "features.tsv", sep="\t", header=False, index=False
    )
    (folder / "barcodes.tsv").write_text("\n".join(counts.index) + "\n", encoding="utf-8")
    return folder


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
    gmt_packed.write_bytes(gzip.compress(gmt.read_bytes(), mtime=0))
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


def screen_readers(folder: Path) -> list[Reader]:
    """Write one small table in each further layout of screens, and a table of surface proteins."""
    rng = np.random.default_rng(3)
    genes = sorted(approved_symbols())[::170][:30]
    effects = rng.normal(0, 1, 30).round(4)
    chances = rng.uniform(0, 1, 30).round(5)
    tables: dict[str, tuple[dict[str, Any], str]] = {
        "tidy.csv": (
            {
                "gene": genes,
                "screen": ["K562"] * 30,
                "perturbation": ["loss"] * 30,
                "effector": ["primary NK"] * 30,
                "lfc": effects,
                "p": chances,
                "fdr": chances,
            },
            ",",
        ),
        "mle.gene_summary.txt": (
            {"Gene": genes, "sgRNA": [4] * 30, "nk|beta": effects, "nk|wald-p-value": chances},
            "\t",
        ),
        "changes.csv": ({"Gene": genes, "K562_LFC": effects, "MM1S_LFC": -effects}, ","),
        "orcs.tab.txt": ({"OFFICIAL_SYMBOL": genes, "SCORE.1": effects, "SCORE.2": chances}, "\t"),
    }
    read = [
        Reader.of(_write_table(folder, name, columns, separator), read_screen_tables)
        for name, (columns, separator) in tables.items()
    ]
    scores = _write_table(
        folder,
        "rra.csv",
        {"Gene": genes, "K562_RRAscore": chances, "MM1S_RRAscore": chances[::-1]},
    )
    changes = folder / "changes.csv"
    read.append(Reader.of(scores, lambda path: read_screen_tables(path, changes)))
    surface = _write_table(folder, "surface.csv", {"gene": genes, "surface": ["yes", "no"] * 15})
    return [*read, Reader.of(surface, read_surface_proteins)]


def model_readers(folder: Path) -> list[Reader]:
    """Write a bundle with everything that one may hold, and the results of a scored cohort."""
    panel = toy_panel()
    curve = pd.DataFrame(
        np.outer(panel.susceptibility.rank(pct=True), [0.0, -20.0, -40.0]) + 100.0,
        panel.profiles.index,
        [0.0, 1.25, 2.5],
    )
    learners = [EvidenceRidge(), EvidenceBoosting(trees=3, models=2, selected_genes=10)]
    model = NKSusceptibilityModel(learners=learners).fit(panel.profiles, panel.susceptibility)
    saved = save_bundle(
        KillingCurveModel().fit(panel.profiles, curve, susceptibility_model=model),
        folder / "bundle",
        ModelFacts(name="m", training=TrainingFacts(samples=60)),
    )
    found = []
    for name in sorted(path.name for path in saved.iterdir() if path.suffix != ".md"):
        here = shutil.copytree(saved, folder / f"bundle-of-{name}")
        read = partial(_used, set_right=name != "bundle.json")
        found.append(Reader.of(here, read, here / name))
    results = write_results(explain_scores(score(panel.profiles, saved)), folder / "results")
    return found + [
        Reader.of(results, lambda path: compare(path, path), results / name)
        for name in ("scores.csv", "contributions.parquet", "provenance.json")
    ]


def hashes_set_right(folder: Path) -> None:
    """Let the manifest of a bundle list the files that lie in the folder, with their hashes."""
    manifest = json.loads((folder / "bundle.json").read_text())
    manifest["sha256"] = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.name != "bundle.json" and path.is_file()
    }
    (folder / "bundle.json").write_text(json.dumps(manifest))


def _used(folder: Path, *, set_right: bool) -> object:
    """Load a bundle, its hashes set right so that they do not tell of the damage, and predict."""
    if set_right:
        hashes_set_right(folder)
    bundle = load_bundle(folder)
    genes = bundle.model.feature_names_in_
    profiles = pd.DataFrame(np.random.default_rng(4).normal(5, 2, (3, len(genes))), columns=genes)
    bundle.model.contributions(profiles)
    return bundle.model.predict(profiles)


def settings_readers(folder: Path) -> list[Reader]:
    """Write the YAML files that settings are read from."""
    recipe = folder / "spec.yaml"
    shutil.copy(shipped_path("models", "nk-susceptibility", "spec.yaml"), recipe)
    work = folder / "work"
    work.mkdir()
    shutil.copy(shipped_path("mlflow.yaml"), work)
    training = folder / "training.yaml"
    training.write_text(
        "name: nk\nexpression: log2.csv\nresponse: response.csv\nscreens: [combined.txt]\n"
        "repeats: 2\nrandom_state: 1\n",
        encoding="utf-8",
    )

    def settings(path: Path) -> object:
        with chdir(path):
            return registry_settings()

    return [
        Reader.of(recipe, lambda path: read_spec(path).model()),
        Reader.of(training, read_config),
        Reader.of(work, settings, work / "mlflow.yaml"),
    ]


def every_reader(folder: Path) -> list[Reader]:
    """Write a file for every reader."""
    return [
        *expression_readers(folder),
        *cell_readers(folder),
        *table_readers(folder),
        *screen_readers(folder),
        *model_readers(folder),
        *settings_readers(folder),
    ]


def _write_table(folder: Path, name: str, columns: dict[str, Any], separator: str = ",") -> Path:
    pd.DataFrame(columns).to_csv(folder / name, sep=separator, index=False)
    return folder / name


def _empty(samples: list[str]) -> anndata.AnnData:
    return anndata.AnnData(np.ones((len(samples), 1)), obs=pd.DataFrame(index=samples))
