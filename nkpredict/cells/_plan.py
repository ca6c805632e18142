"""What is to be done with a file of cells, found out before the first number is made."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from nkpredict.cells._stretch import CellTask, Stretch
from nkpredict.errors import InputError, name_some
from nkpredict.facts import (
    CellFacts,
    DepthFacts,
    ExpressionFacts,
    GroupingFacts,
    SkillFacts,
)
from nkpredict.features import Profiles
from nkpredict.io import (
    MOST_GROUPS,
    CellColumns,
    CellFile,
    CellsInMemory,
    all_simulated,
    columns_of_cells,
    gene_reference_source,
)
from nkpredict.registry import Bundle
from nkpredict.scoring import coverage_facts, refused
from nkpredict.types import BoolArray

NO_GROUPS = "none"
"""Word that asks for the numbers of cells alone."""
BINS = 20
"""Random parts into which the cells of a group are dealt, to be resampled; set by hand."""
_MOST_BINS, _FEWEST_BINS = 8000, 5
# So many stretches at least, that workers share the work; between these sizes. Set by hand.
_STRETCHES, _SHORTEST, _LONGEST = 16, 4096, 65_536


@dataclass(frozen=True)
class CellPlan:
    """What is to be done with a file of cells.

    Attributes
    ----------
    task
        What is the same for all stretches.
    groups
        Names of the groups; none when only cells are asked for.
    codes
        Number of the group of each cell, -1 for none.
    kept
        Which cells are asked for; None for all.
    seed
        Of the random parts.
    facts
        What is known before the first number.
    size
        Cells of a stretch.
    """

    task: CellTask
    groups: tuple[str, ...]
    codes: npt.NDArray[np.int32]
    kept: BoolArray | None
    seed: int
    facts: CellFacts
    size: int

    @property
    def stretches(self) -> int:
        """Number of stretches."""
        return -(-self.task.source.cells // self.size)

    def stretch(self, number: int) -> Stretch:
        """Return one stretch."""
        start = number * self.size
        stop = min(start + self.size, self.task.source.cells)
        within = slice(start, stop)
        return Stretch(
            number,
            start,
            stop,
            self.codes[within],
            None if self.kept is None else self.kept[within],
            self.bins[within],
        )

    @property
    def bins(self) -> npt.NDArray[np.uint8]:
        """Random part of its group that each cell belongs to."""
        generator = np.random.default_rng(self.seed)
        return generator.integers(0, max(self.task.bins, 1), self.task.source.cells, dtype=np.uint8)


def plan_of(
    source: CellFile | CellsInMemory,
    bundle: Bundle,
    *,
    groupby: str | None,
    cells: str | None,
    force: bool,
    seed: int,
) -> CellPlan:
    """Look at a file of cells and tell what is to be done.

    Raises
    ------
    InputError
        When there is no such column or value, the values are no counts and groups are asked for,
        or too little of the model is measured.
    """
    model = bundle.model
    genes = [str(gene) for gene in model.feature_names_in_]
    columns = columns_of_cells(source.genes, genes, str(source.path))
    codes, names = _groups(source, groupby)
    kept = _kept(source, cells)
    if names and not source.whole:
        raise InputError(
            f"{source.path} holds no counts ({source.matrix} has numbers that are not whole); "
            "expected counts to add up by group. Name the layer that holds them (--layer), or ask "
            "for the cells alone (--groupby none)."
        )
    used = codes if kept is None else np.where(kept, codes, -1)
    expression = _expression(source, columns)
    seen = np.where(columns.present, 1.0, np.nan)[None, :]
    prepared = model.prepare(replace(Profiles.unnamed(seen), samples=pd.Index([expression.file])))
    with source.open() as rows:
        simulated = all_simulated(rows.names(0, min(source.cells, 200)))
    grouping = _grouping(str(groupby), used, kept, len(names)) if names else None
    facts = CellFacts(
        file=expression.file,
        format=source.format,
        matrix=source.matrix,
        fingerprint=_fingerprint(source),
        cells_in_file=source.cells,
        cells=source.cells if kept is None else int(kept.sum()),
        kept=cells or "",
        genes=coverage_facts(model, columns.present),
        genes_added_up=len(columns.added_up),
        expression=expression,
        depth=DepthFacts(cells=0, median_umis=0.0),
        grouping=grouping,
        model=replace(
            bundle.metadata,
            skill=SkillFacts.from_json(model.skill_),
            knowledge_only=model.knowledge_only,
        ),
        simulated=simulated or bundle.simulated,
        forced=refused(model, prepared, expression, force),
    )
    task = CellTask(source, columns, model, grouping.bins if grouping else 0)
    size = int(np.clip(-(-source.cells // _STRETCHES), _SHORTEST, _LONGEST))
    return CellPlan(task, tuple(names), codes, kept, seed, facts, size)


def _groups(
    source: CellFile | CellsInMemory, groupby: str | None
) -> tuple[npt.NDArray[np.int32], list[str]]:
    if groupby is None or groupby == NO_GROUPS:
        return np.full(source.cells, -1, dtype=np.int32), []
    with source.open() as rows:
        codes, names = rows.labels(groupby)
    if len(names) > MOST_GROUPS:
        raise InputError(
            f"The column {groupby!r} has {len(names):,} values; expected groups of cells, "
            f"{MOST_GROUPS:,} at most."
        )
    if not names:
        raise InputError(f"The column {groupby!r} holds no value; expected the groups of cells.")
    return np.asarray(codes, dtype=np.int32), names


def _kept(source: CellFile | CellsInMemory, cells: str | None) -> BoolArray | None:
    if cells is None:
        return None
    column, equals, words = cells.partition("=")
    if not equals or not words:
        raise InputError(f"The cells {cells!r} name no value; expected COLUMN=VALUE|VALUE.")
    with source.open() as rows:
        codes, names = rows.labels(column)
    wanted = words.split("|")
    unknown = [word for word in wanted if word not in names]
    if unknown:
        raise InputError(
            f"The column {column!r} has no value {name_some(unknown)}; it has "
            f"{name_some(names, 12)}."
        )
    return np.isin(codes, [names.index(word) for word in wanted])


def _grouping(
    column: str, codes: npt.NDArray[np.int32], kept: BoolArray | None, groups: int
) -> GroupingFacts:
    apart = (codes < 0) if kept is None else (codes < 0) & kept
    return GroupingFacts(
        column=column,
        groups=len(np.unique(codes[codes >= 0])),
        cells_without_group=int(apart.sum()),
        replicates=0,
        bins=int(np.clip(_MOST_BINS // groups, _FEWEST_BINS, BINS)),
    )


def _expression(source: CellFile | CellsInMemory, columns: CellColumns) -> ExpressionFacts:
    names, unknown = columns.names, sum(not symbol for symbol in columns.names.approved)
    file = source.path.name if isinstance(source.path, Path) else "AnnData"
    added = (
        (f"Columns of one gene were added up, for {len(columns.added_up):,} of the model's genes "
         f"({name_some(columns.added_up)}).",)
        if columns.added_up else ()
    )  # fmt: skip
    return ExpressionFacts(
        file=file,
        sha256="",
        samples=source.cells,
        orientation="samples-by-genes",
        orientation_given=False,
        identifiers=names.kind,
        gene_reference=gene_reference_source(),
        unit="counts" if source.whole else "log2",
        unit_words="raw counts" if source.whole else "normalised values",
        unit_given=False,
        transform="none: the genes of a cell are ranked",
        genes_in_file=len(source.genes),
        genes=int((columns.places >= 0).sum()),
        genes_renamed=len(names.renamed),
        genes_renamed_examples=tuple(f"{a} -> {b}" for a, b in names.renamed.items())[:10],
        genes_without_symbol_dropped=unknown,
        gene_names_ambiguous=len(names.ambiguous),
        gene_names_ambiguous_examples=tuple(names.ambiguous[:10]),
        gene_names_unknown=len(names.unknown) - unknown,
        format=source.format,
        values_from="" if source.matrix in ("X", "matrix") else source.matrix,
        gene_names_from=source.gene_names_from,
        notes=(*source.notes, *added),
    )


def _fingerprint(source: CellFile | CellsInMemory) -> str:
    """Tell a file from another one, and from itself after a change, without reading all of it."""
    if not isinstance(source, CellFile):
        return ""
    digest = hashlib.sha256(f"{source.matrix} {source.cells}".encode())
    files = sorted(source.path.rglob("*")) if source.path.is_dir() else [source.path]
    for file in files:
        if file.is_file():
            about = file.stat()
            name = file.relative_to(source.path) if source.path.is_dir() else file.name
            digest.update(f"{name} {about.st_size} {about.st_mtime_ns}".encode())
    return digest.hexdigest()
