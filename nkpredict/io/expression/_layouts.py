"""Tables of programs that count reads: which column is the expression of the one sample."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from nkpredict.errors import InputError, name_some
from nkpredict.io._genes import recognised_share
from nkpredict.io.expression._numbers import text_columns
from nkpredict.io.expression._raw import RawTable


@dataclass(frozen=True)
class _Quantifier:
    """A program that writes one table a sample, known by its header."""

    name: str
    header: frozenset[str]
    gene: str
    value: str


# Headers as the manuals of the programs show them.
_QUANTIFIERS = (
    _Quantifier(
        "STAR gene counts of the GDC",
        frozenset({"gene_id", "gene_name", "gene_type", "unstranded", "tpm_unstranded"}),
        "gene_id",
        "tpm_unstranded",
    ),
    _Quantifier(
        "RSEM gene results",
        frozenset({"gene_id", "transcript_id(s)", "expected_count", "TPM"}),
        "gene_id",
        "TPM",
    ),
    _Quantifier(
        "Salmon quantification",
        frozenset({"Name", "EffectiveLength", "TPM", "NumReads"}),
        "Name",
        "TPM",
    ),
    _Quantifier(
        "kallisto abundances",
        frozenset({"target_id", "eff_length", "est_counts", "tpm"}),
        "target_id",
        "tpm",
    ),
    _Quantifier(
        "StringTie gene abundances",
        frozenset({"Gene ID", "Gene Name", "Coverage", "FPKM", "TPM"}),
        "Gene Name",
        "TPM",
    ),
    _Quantifier(
        "Cufflinks FPKM tracking",
        frozenset({"tracking_id", "gene_short_name", "locus", "FPKM"}),
        "gene_short_name",
        "FPKM",
    ),
)
# TCGA's RSEM tables have several columns a sample; what they are stands in the second header row.
_KINDS_OF_TCGA = ("raw_count", "normalized_count", "scaled_estimate")


def recognise_layout(table: RawTable, path: str) -> RawTable:
    """Reduce the table of a known program to gene names and one column a sample.

    Parameters
    ----------
    table
        As read.
    path
        The file, for messages.

    Returns
    -------
    RawTable
        The same table when it is of no known program.

    Raises
    ------
    InputError
        When the table has no header, no row, or one row for each gene and sample.
    """
    if table.columns.empty:
        raise InputError(
            f"{path} has a header ({name_some(table.labels, 3)}) and 0 rows; expected expression "
            "values below it."
        )
    for recognises, read in _LAYOUTS:
        if recognises(table):
            return read(table, path)
    return table


def is_of_a_known_layout(table: RawTable) -> bool:
    """Tell whether `recognise_layout` would reduce or refuse a table of more than ten columns."""
    return any(recognises(table) for recognises, _ in _LAYOUTS)


def _quantifier(table: RawTable) -> _Quantifier | None:
    labels = set(table.labels)
    return next((known for known in _QUANTIFIERS if known.header <= labels), None)


def _is_quantification(table: RawTable) -> bool:
    return _quantifier(table) is not None


def _read_quantification(table: RawTable, path: str) -> RawTable:
    known = _quantifier(table)
    assert known is not None  # noqa: S101 - recognised before
    gene, value = (table.labels.index(label) for label in (known.gene, known.value))
    return _one_sample(
        table, table.columns[gene], table.columns[value], known.name, f"column {known.value}"
    )


def _one_sample(
    table: RawTable, genes: pd.Series, values: pd.Series, what: str, taken: str
) -> RawTable:
    numbers = pd.to_numeric(values, errors="coerce")
    if (numbers.isna() & values.notna()).any():
        raise InputError(
            f"The {what} hold text among the numbers ({name_some(values[numbers.isna()], 3)}); "
            "expected a number for each gene."
        )
    columns = pd.DataFrame({0: genes.to_numpy(), 1: numbers.to_numpy(dtype=np.float32)})
    return replace(
        table,
        labels=["gene", table.name],
        columns=columns,
        format=what,
        above=pd.DataFrame(index=columns.columns),
        notes=(*table.notes, f"Of the {what}, {taken} was read."),
    )


def _all_numbers(labels: list[str]) -> bool:
    return bool(labels) and bool(pd.to_numeric(pd.Series(labels), errors="coerce").notna().all())


def _is_star(table: RawTable) -> bool:
    # STAR's ReadsPerGene.out.tab has no header: four lines of sums, then the genes
    return len(table.labels) == 4 and table.labels[0] == "N_unmapped"


def _read_star(table: RawTable, path: str) -> RawTable:
    return _one_sample(
        table, table.columns[0], table.columns[1], "STAR gene counts", "the unstranded column"
    )


def _is_headless(table: RawTable) -> bool:
    first, *others = table.labels
    if not _all_numbers(others):
        return False
    return recognised_share([first]) == 1 and recognised_share(_texts(table.columns[0])) > 0.3


def _read_headless(table: RawTable, path: str) -> RawTable:
    if len(table.labels) != 2:
        raise InputError(
            f"{path} has no header: its first line ({name_some(table.labels, 4)}) is a gene with "
            "its values. Add a line with the names of the samples."
        )
    gene, value = table.labels
    genes = pd.Series([gene, *table.columns[0]], dtype=object)
    values = pd.Series([float(value), *table.columns[1]])
    return _one_sample(table, genes, values, "counts without a header", "the only column")


def _is_tcga(table: RawTable) -> bool:
    kinds = set((_tcga_kinds(table) or [])[1:])
    return bool(kinds & set(_KINDS_OF_TCGA)) and kinds <= {*_KINDS_OF_TCGA, "transcript_id"}


def _tcga_kinds(table: RawTable) -> list[str] | None:
    if table.above.shape[1] != 1:
        return None
    return ["", *table.above.iloc[1:, 0].fillna("").astype(str)]


def _read_tcga(table: RawTable, path: str) -> RawTable:
    kinds = _tcga_kinds(table) or []
    kind = next(kind for kind in _KINDS_OF_TCGA if kind in kinds)
    taken = [0, *(position for position, found in enumerate(kinds) if found == kind)]
    return replace(
        table,
        labels=[table.labels[position] for position in taken],
        columns=table.columns[taken].set_axis(range(len(taken)), axis=1),
        format="RSEM table of TCGA",
        above=pd.DataFrame(index=pd.RangeIndex(len(taken))),
        notes=(*table.notes, f"Of the RSEM table of TCGA, the columns {kind} were read."),
    )


def _is_long(table: RawTable) -> bool:
    if not 3 <= len(table.labels) <= 10 or len(table.columns) < 50:
        return False
    text = text_columns(table.columns)
    if len(text) < 2:
        return False
    names = {p: table.columns[p].nunique() for p in text}
    genes = max(text, key=lambda p: recognised_share(_texts(table.columns[p])))
    if recognised_share(_texts(table.columns[genes])) < 0.3:
        return False
    others = [p for p in text if p != genes and names[p] > 1]
    pairs = [table.columns[[genes, p]].duplicated().sum() == 0 for p in others]
    return names[genes] * 2 <= len(table.columns) and any(pairs)


def _refuse_long(table: RawTable, path: str) -> RawTable:
    raise InputError(
        f"{path} is in long form (columns {name_some(table.labels, 6)}: one row for each gene and "
        "sample); expected one column a sample. Pivot it to genes × samples."
    )


def _is_result_of_a_test(table: RawTable) -> bool:
    labels = {label.lower() for label in table.labels}
    tested = {"log2foldchange", "logfc", "avg_log2fc"} & labels
    return bool(tested) and len(table.labels) <= 8


def _refuse_result(table: RawTable, path: str) -> RawTable:
    raise InputError(
        f"{path} holds the results of a test for differential expression (columns "
        f"{name_some(table.labels, 8)}) and no sample; expected the expression of each sample."
    )


def _is_screen(table: RawTable) -> bool:
    labels = [label.lower() for label in table.labels]
    ends = tuple(label.endswith(("_lfc", "_rrascore")) for label in labels[1:])
    return (
        labels[:2] == ["sgrna", "gene"]
        or any("|beta" in label or label.startswith(("neg|", "pos|")) for label in labels)
        or (bool(ends) and all(ends))
    )


def _refuse_screen(table: RawTable, path: str) -> RawTable:
    raise InputError(
        f"{path} is the table of a CRISPR screen (columns {name_some(table.labels, 4)}); expected "
        "the expression of samples. Give it as a screen (nkpredict evidence, train --screens)."
    )


def _texts(column: Any) -> list[str]:
    return [str(value) for value in column.dropna().iloc[:2000]]


_LAYOUTS: tuple[tuple[Callable[[RawTable], bool], Callable[[RawTable, str], RawTable]], ...] = (
    (_is_quantification, _read_quantification),
    (_is_star, _read_star),
    (_is_headless, _read_headless),
    (_is_tcga, _read_tcga),
    (_is_screen, _refuse_screen),
    (_is_result_of_a_test, _refuse_result),
    (_is_long, _refuse_long),
)
