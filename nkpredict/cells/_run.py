"""Score single cells in one pass over the file."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from nkpredict.cells._depth import FEW_UMIS, depth_of, depth_words, with_all_cells
from nkpredict.cells._groups import score_groups
from nkpredict.cells._plan import CellPlan, plan_of
from nkpredict.cells._result import CellScores
from nkpredict.cells._source import cells_of
from nkpredict.cells._store import FolderStore, MemoryStore, Store
from nkpredict.cells._workers import scored
from nkpredict.errors import InputError
from nkpredict.io import atomic_path
from nkpredict.learn import GeneModel, KillingCurveModel
from nkpredict.registry import Bundle, Registry, model_digest
from nkpredict.scoring import LOW_COVERAGE, bundle_of, constant_flags, genes_of
from nkpredict.threads import one_thread
from nkpredict.types import FloatArray, Progress

if TYPE_CHECKING:
    from anndata import AnnData

_CELLS = "cells.parquet"


class CellReading(TypedDict, total=False):
    """What the user says about a file of cells; see `nkpredict.read_expression`."""

    layer: str | None
    var_column: str | None


def score_cells(
    source: str | Path | AnnData,
    model: str | Path | Bundle | GeneModel | KillingCurveModel | None = None,
    *,
    groupby: str | None = None,
    cells: str | None = None,
    registry: str | Path | Registry | None = None,
    effector: str | None = None,
    force: bool = False,
    workers: int | None = None,
    dask: str | None = None,
    keep: str | Path | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    **reading: Unpack[CellReading],
) -> CellScores:
    """Score single cells: one number a cell, and groups of cells as bulk samples.

    The file is read once, in stretches of cells; zeros are never filled in, and memory does not
    grow with the number of cells but for some bytes each. A cell gets the number that
    ``model.predict`` gives for its dense profile. The counts of each group are added up and scored
    by `nkpredict.score`; how surely the sum is known is told by drawing its cells anew (a bootstrap
    over random parts of the group) and by taking half of its UMIs away. The numbers are the same
    for any number of workers, on Dask, and after a run was killed and went on.

    Parameters
    ----------
    source
        ``.h5ad``, ``.zarr``, Cell Ranger's HDF5 or folder, or AnnData, in memory or backed.
    model, registry, effector, force
        As `nkpredict.score` takes them.
    groupby
        Column of the cells' table that names their groups (patient, cluster); None or ``"none"``
        for the cells alone. Groups need counts.
    cells
        ``"COLUMN=VALUE|VALUE"``: score only these cells, such as the malignant ones.
    workers
        Threads, one for each processor when not given; processes of a local Dask cluster.
    dask
        Address of a Dask scheduler whose workers can read the file, or ``"local"``; needs the
        extra ``dask``.
    keep
        Folder for finished stretches: a run that was killed goes on from them. In memory when not
        given.
    seed
        Of the random parts and draws.
    progress
        Called with what is being done, steps done and steps in all.
    **reading
        ``layer, var_column``: see `nkpredict.read_expression`. Counts are taken wherever they lie.

    Returns
    -------
    CellScores

    Raises
    ------
    InputError
        When the file cannot be read, holds too little of the model or no counts for groups, or the
        disk is full.
    RegistryError, BundleError
        When the model is not found or damaged.
    """
    told: Progress = progress or (lambda stage, done, total: None)
    bundle = bundle_of(model, registry, effector)
    folder = None if keep is None else Path(keep)
    converted = None if folder is None else folder.with_name(f"{folder.name}.h5")
    found = cells_of(source, known=genes_of(bundle), converted=converted, **reading)
    with one_thread():  # the stretches share the processors
        plan = plan_of(found, bundle, groupby=groupby, cells=cells, force=force, seed=seed)
        if not plan.facts.cells:
            raise InputError(f"No cell of {found.path} is left by {cells}; expected some.")
        plan = replace(plan, facts=replace(plan.facts, depth=depth_of(plan)))
        store: Store = MemoryStore() if folder is None else FolderStore(folder, _about(plan))
        done = store.finished()
        told("cells", len(done), plan.stretches)
        left = (plan.stretch(n) for n in range(plan.stretches) if n not in done)
        count = len(done)
        threads = workers or os.cpu_count() or 1
        for number, result in scored(plan.task, left, threads, dask):
            store.put(number, result)
            count += 1
            told("cells", count, plan.stretches)
        target = None if folder is None else folder / _CELLS
        content, totals, facts = _gathered(plan, store, target)
        groups = None
        if plan.groups:
            groups, grouping = score_groups(plan, store, bundle, totals, force, threads)
            facts = replace(facts, grouping=grouping)
    facts = replace(facts, warnings=depth_words(facts.depth))
    kept = tuple(path for path in (folder, converted) if path is not None)
    return CellScores(content, groups, facts, bundle, kept)


def _about(plan: CellPlan) -> dict[str, Any]:
    facts = plan.facts
    return {
        "fingerprint": facts.fingerprint,
        "model": model_digest(plan.task.model),
        "groups": "" if facts.grouping is None else facts.grouping.column,
        "kept": facts.kept,
        "bins": plan.task.bins,
        "seed": plan.seed,
        "size": plan.size,
    }


def _gathered(
    plan: CellPlan, store: Store, target: Path | None
) -> tuple[pa.Table | Path, pd.DataFrame, Any]:
    """Put the stretches together, and add up what is asked of all cells."""
    groups = max(len(plan.groups), 1)
    cells, umis = np.zeros(groups, dtype=np.int64), np.zeros(groups)
    flags: dict[str, int] = {}
    seen: list[tuple[FloatArray, FloatArray]] = []

    def finished() -> Any:
        for table in store.tables():
            part, raised = _with_flags(table, plan)
            codes = table["group"].to_numpy()
            own, total = codes[codes >= 0], table["umis"].to_numpy()
            cells[:] += np.bincount(own, minlength=groups)
            umis[:] += np.bincount(own, total[codes >= 0], minlength=groups)
            seen.append((table["susceptibility"].to_numpy(), total))
            for name, count in raised.items():
                flags[name] = flags.get(name, 0) + count
            yield part

    content: pa.Table | Path
    if target is None:
        content = pa.concat_tables(finished())
    else:
        with atomic_path(target) as path:
            writer = None
            for part in finished():
                writer = writer or pq.ParquetWriter(path, part.schema)
                writer.write_table(part)
            if writer is not None:
                writer.close()
        content = target
    columns = [np.concatenate(column) for column in zip(*seen, strict=True)]
    depth = with_all_cells(plan.facts.depth, *columns)
    totals = pd.DataFrame({"cells": cells, "umis": umis}, index=list(plan.groups) or ["all"])
    used = totals[totals["umis"] > 0]
    return content, used, replace(plan.facts, depth=depth, cells_by_flag=flags)


def _with_flags(table: pa.Table, plan: CellPlan) -> tuple[pa.Table, dict[str, int]]:
    facts = plan.facts
    coverage = facts.genes.found / max(facts.genes.in_model, 1)
    few = (table["umis"].to_numpy() < FEW_UMIS) if plan.task.source.whole else None
    constant = {
        "forced": bool(facts.forced),
        "low_gene_coverage": coverage < LOW_COVERAGE,
        **constant_flags(plan.task.model),
    }
    common = [name for name, on in constant.items() if on]
    texts = [";".join([*own, *common]) for own in ([], ["few_umis"], ["no_gene_read"])]
    codes = np.zeros(len(table), dtype=np.int32) if few is None else few.astype(np.int32)
    codes[np.isnan(table["susceptibility"].to_numpy())] = 2
    group = table["group"].to_numpy()
    names = pa.array(plan.groups or [""], pa.string())
    columns = {
        "sample": table["sample"],
        "group": pa.DictionaryArray.from_arrays(
            pa.array(np.where(group < 0, 0, group), pa.int32(), mask=group < 0), names
        ),
        "susceptibility": table["susceptibility"],
        "gene_coverage": pa.array(np.full(len(table), coverage)),
        "umis": table["umis"],
        "genes": table["genes"],
        "flags": pa.DictionaryArray.from_arrays(codes, pa.array(texts)),
    }
    raised = dict.fromkeys(common, len(table))
    raised |= {"few_umis": int((codes == 1).sum()), "no_gene_read": int((codes == 2).sum())}
    return pa.table(columns), raised
