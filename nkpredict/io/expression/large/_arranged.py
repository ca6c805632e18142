"""Arrange a large matrix some samples at a time; the result is that of `arranged`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from nkpredict.configuration import Orientation
from nkpredict.io._units import (
    Unit,
    ValueSummary,
    detect_unit,
    refine_linear,
    require_not_negative,
    to_log2,
)
from nkpredict.io.expression._annotation import AsideLabels, labels_aside
from nkpredict.io.expression._arranged import (
    MANY_GENES,
    Arranged,
    approval_of,
    known_genes,
    require_finite,
    require_samples_once,
    require_values,
    require_varied,
    sample_table,
)
from nkpredict.io.expression._genes_of import Approval, Single, one_column_each
from nkpredict.io.expression._kind import looked_at
from nkpredict.io.expression._options import ReadingOptions
from nkpredict.io.expression._orientation import oriented
from nkpredict.io.expression.large._matrix import LARGE, LargeMatrix, NotPlainError, StoredValues
from nkpredict.types import AnyArray, BoolArray, FloatArray, IndexArray

_VALUES_AT_ONCE = 6_000_000  # set by hand


def arranged_in_blocks(
    large: LargeMatrix, options: ReadingOptions, unit: Unit | None, path: str
) -> Arranged:
    """Arrange a large matrix; only genes that the model knows are kept.

    Parameters
    ----------
    large
        As opened.
    options
        What is known about it.
    unit
        Unit that the user named.
    path
        The file, for messages.

    Raises
    ------
    NotPlainError
        When it has to be read as a whole.
    InputError
        As `nkpredict.read_expression`.
    """
    turned = oriented(large.raw, options.orientation, options.known, path)
    across = turned.orientation == "genes-by-samples"
    if across and not large.stored.turns:
        raise NotPlainError
    samples, columns = turned.values.index, turned.values.columns
    apart = labels_aside(samples, columns, frozenset(options.known))
    if apart.samples_left.sum() <= LARGE or columns[apart.genes_left].nunique() < MANY_GENES:
        raise NotPlainError
    table = _Table(large.stored, across, samples, columns, apart)
    found = _Found.of(table, options)
    if large.raw.values_from == "X" and options.layer is None and found.lowest < 0:
        raise NotPlainError  # what was measured may lie beside X
    require_values(found.samples, path)
    kept = table.samples[found.samples]
    require_samples_once(kept, path)
    names = table.genes[found.genes]
    require_varied(table.samples[found.constant], len(names), path)
    columns_of = _columns(table, found, options, path)
    unit = _unit(table, found, columns_of, options, unit, path)
    approval = approval_of(columns_of.names, options, path)
    return _in_form(table, found, columns_of, approval, options, unit, turned.by_sample,
                    turned.orientation, path)  # fmt: skip


@dataclass(frozen=True)
class _Table:
    """Samples × columns on disk, annotation set aside by its name."""

    stored: StoredValues
    across: bool
    all_samples: pd.Index
    all_columns: pd.Index
    apart: AsideLabels

    @cached_property
    def samples(self) -> pd.Index:
        return self.all_samples[self.apart.samples_left]

    @cached_property
    def genes(self) -> pd.Index:
        return self.all_columns[self.apart.genes_left]

    @cached_property
    def clinical(self) -> dict[str, int]:
        """Columns that describe the samples, where their label stands once."""
        labels = dict.fromkeys(self.apart.clinical)
        places = {str(label): np.flatnonzero(self.all_columns == label) for label in labels}
        return {label: int(place[0]) for label, place in places.items() if len(place) == 1}

    def blocks(self) -> Iterator[tuple[FloatArray, FloatArray]]:
        """Yield samples × genes and samples × clinical columns, some samples at a time."""
        left, genes = self.apart.samples_left, self.apart.genes_left
        size = max(16, _VALUES_AT_ONCE // len(self.all_columns))
        read = self.stored.columns if self.across else self.stored.rows
        for start in range(0, len(left), size):
            stop = min(start + size, len(left))
            block = read(start, stop)
            if not left[start:stop].all():
                block = block[left[start:stop]]
            beside = block[:, list(self.clinical.values())]
            yield (block if genes.all() else np.compress(genes, block, axis=1)), beside


@dataclass(frozen=True)
class _Found:
    """What was found in the values on the first way through them."""

    samples: BoolArray
    genes: BoolArray
    constant: BoolArray
    repeated: BoolArray
    repeated_values: FloatArray
    clinical: FloatArray
    known: ValueSummary
    unknown: ValueSummary
    infinite: IndexArray
    lowest: float

    @classmethod
    def of(cls, table: _Table, options: ReadingOptions) -> _Found:
        repeated = np.asarray(table.genes.duplicated(keep=False))
        known = known_genes(table.genes, options)
        once = [known & ~repeated, ~known & ~repeated]
        genes = np.zeros(len(table.genes), dtype=bool)
        infinite = np.zeros(len(table.genes), dtype=np.intp)
        summaries = [ValueSummary(), ValueSummary()]
        parts: list[tuple[AnyArray, ...]] = []
        lowest = np.inf
        for block, beside in table.blocks():
            present = ~np.isnan(block)
            genes |= present.any(axis=0)
            low, high = np.fmin.reduce(block, axis=1), np.fmax.reduce(block, axis=1)
            lowest = min(lowest, float(np.fmin.reduce(low, initial=np.inf)))
            if np.isinf(low).any() or np.isinf(high).any():
                infinite += np.isinf(block).sum(axis=0)
            for place, mask in enumerate(once):
                summaries[place] += ValueSummary.of(np.compress(mask, block, axis=1))
            held = np.compress(repeated, block, axis=1)
            parts.append((np.asarray(present.any(axis=1)), low == high, held, beside))
        samples, constant, held, clinical = map(np.concatenate, zip(*parts, strict=True))
        known_once, unknown_once = summaries
        return cls(
            samples=samples,
            genes=genes,
            constant=constant,
            repeated=repeated,
            repeated_values=held,
            clinical=clinical,
            known=known_once,
            unknown=unknown_once,
            infinite=infinite,
            lowest=lowest,
        )


@dataclass(frozen=True)
class _Columns:
    """One column for each name, in the order of the file."""

    names: pd.Index
    first: IndexArray
    places: IndexArray
    single: Single

    def of(self, block: FloatArray, start: int) -> FloatArray:
        """Return samples × names of samples × genes of the file."""
        values = np.take(block, self.first, axis=1)
        if len(self.places):
            together = self.single.values.iloc[start : start + len(block)]
            values[:, self.places] = together.to_numpy(np.float32)
        return values


def _columns(table: _Table, found: _Found, options: ReadingOptions, path: str) -> _Columns:
    """Take together what stands under one name more than once; see `one_column_each`."""
    filled = np.flatnonzero(found.genes)
    names = table.genes[filled]
    held = found.genes[found.repeated]
    together = pd.DataFrame(
        found.repeated_values[found.samples][:, held],
        index=table.samples[found.samples],
        columns=table.genes[found.repeated][held],
    )
    single = one_column_each(together, options.duplicates, options.known, path)
    first = ~names.duplicated()
    unique = names[first]
    places = unique.get_indexer(single.values.columns)
    return _Columns(unique, filled[first], places, single)


def _unit(
    table: _Table,
    found: _Found,
    columns: _Columns,
    options: ReadingOptions,
    unit: Unit | None,
    path: str,
) -> Unit:
    """Tell the unit, and refuse values that it cannot have."""
    together = columns.single.values.to_numpy(np.float32)
    infinite = found.infinite[columns.first]
    infinite[columns.places] = np.isinf(together).sum(axis=0)
    require_finite(infinite, columns.names, path)
    genes = known_genes(columns.single.values.columns, options)
    known = found.known + ValueSummary.of(together[:, genes])
    total = known + found.unknown + ValueSummary.of(together[:, ~genes])
    if unit is None:
        # names that are no genes may be annotation: they have no say in the unit
        unit = detect_unit(known if known.count else total, path)
        if unit is Unit.LINEAR:
            told = {refine_linear(block) for _, block in _profiles(table, found, columns)}
            unit = Unit.TPM if told == {Unit.TPM} else Unit.LINEAR
    require_not_negative(total.lowest, unit, path)
    return unit


def _profiles(table: _Table, found: _Found, columns: _Columns) -> Iterator[tuple[int, FloatArray]]:
    """Yield the place of the first, and samples × names, of some samples at a time."""
    seen = start = 0
    for block, _ in table.blocks():
        kept = found.samples[seen : seen + len(block)]
        seen += len(block)
        block = block if kept.all() else block[kept]
        if len(block):
            yield start, columns.of(block, start)
        start += len(block)


def _in_form(
    table: _Table,
    found: _Found,
    columns: _Columns,
    approval: Approval,
    options: ReadingOptions,
    unit: Unit,
    by_sample: pd.DataFrame,
    orientation: Orientation,
    path: str,
) -> Arranged:
    known = set(options.known)
    wanted = np.array(
        [at for at, gene in enumerate(approval.genes) if gene in known], dtype=np.intp
    )
    if not len(wanted):
        raise NotPlainError
    count = int(found.samples.sum())
    values: AnyArray = np.empty((count, len(wanted)), dtype=np.float32)
    shown = looked_at(count)
    some: list[FloatArray] = []
    missing = zeros = 0
    transform = ""
    for start, block in _profiles(table, found, columns):
        logged, transform = to_log2(block, unit, path)
        approved = approval.take(logged, unit)
        rows = np.arange(start, start + len(block))
        values[rows[0] : rows[-1] + 1] = np.take(approved, wanted, axis=1)
        some.append(approved[np.isin(rows, shown)])
        missing += int(np.isnan(approved).sum())
        zeros += int((approved == 0).sum())
    samples = table.samples[found.samples]
    apart = {
        label: pd.Series(found.clinical[:, place], index=table.samples)[found.samples]
        for place, label in enumerate(table.clinical)
    }
    return Arranged(
        values=values,
        genes=[approval.genes[at] for at in wanted],
        obs=sample_table(by_sample, apart, samples),
        looked_at=np.concatenate(some),
        orientation=orientation,
        unit=unit,
        transform=transform,
        samples_aside=table.apart.samples,
        genes_aside=tuple(apart),
        sums=table.apart.sums,
        empty_genes=int((~found.genes).sum()),
        empty_samples=tuple(map(str, table.samples[~found.samples])),
        genes_in_file=len(columns.names),
        collapsed=columns.single.collapsed,
        other_duplicates=columns.single.other_duplicates,
        approval=approval,
        missing=missing,
        zeros=zeros,
    )
