"""What a folder of results holds of the explanation of scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from nkpredict.features import row_blocks
from nkpredict.io import write_csv
from nkpredict.scoring import mark_of, marked

_ROWS_AT_ONCE = 2048
# Table of the scores → its file and the column that names a row.
_TABLES = {
    "resistance_genes": ("resistance_genes.csv", "gene"),
    "separating_genes": ("separating_genes.csv", "gene"),
    "targets": ("druggable_targets.csv", "gene"),
    "drugs": ("drugs.csv", "drug"),
    "sample_drugs": ("drugs_by_sample.csv", "sample"),
}


def write_explanation(scores: Any, folder: Path) -> None:
    """Write what `ExplainedScores` add: contributions, lists of genes, and drugs."""
    for name, (file, label) in _TABLES.items():
        table = getattr(scores, name, None)
        if table is not None and label in table:
            write_csv(folder / file, marked(table, scores).set_index(label))
    by_sample = getattr(scores, "sample_genes", None)
    if by_sample is not None and len(by_sample):
        kept = folder / "resistance_genes_by_sample.parquet"
        marked(by_sample, scores).to_parquet(kept, index=False)
    _write_contributions(scores, folder / "contributions.parquet")


def _write_contributions(scores: Any, path: Path) -> None:
    # Built column by column: going through pandas takes seconds for many thousand genes. Many
    # samples are written some at a time, since the arrays are a copy.
    parts = scores.contributions.to_numpy()
    samples = [str(name) for name in scores.contributions.index]
    names = ["sample", "base_value", *map(str, scores.contributions.columns)]
    mark = {"nkpredict": mark_of(scores) or "measured"}
    numbers = [pa.field(name, pa.float64()) for name in names[1:]]
    schema = pa.schema([pa.field(names[0], pa.string()), *numbers], metadata=mark)
    with pq.ParquetWriter(path, schema, use_dictionary=["sample"], write_statistics=False) as file:
        for rows in row_blocks(len(samples), _ROWS_AT_ONCE):
            values = np.ascontiguousarray(parts[rows].T)
            columns = [samples[rows], np.full(values.shape[1], scores.base_value), *values]
            file.write_table(pa.Table.from_arrays([*map(pa.array, columns)], schema=schema))
