"""What is known about the scores of single cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nkpredict.facts._json import Facts, VersionedFacts
from nkpredict.facts._model import ModelFacts
from nkpredict.facts._read import ExpressionFacts
from nkpredict.facts._scoring import CoverageFacts

CELL_FACTS_KEY = "nkpredict_cells"
"""Where an AnnData of scored cells keeps `CellFacts`, in ``uns`` as JSON."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DepthFacts(Facts):
    """How far the number of a cell depends on how deeply it was sequenced.

    ``cells`` were looked at: their UMIs were dealt into two halves and each scored.
    ``split_half_spearman`` is the rank correlation of the two numbers, ``reliability`` that of the
    number of all UMIs with another one of as many (Spearman-Brown), ``shift_at_half`` the mean
    change from all UMIs to a half; None where there are no counts.
    ``spearman_with_umis`` is the correlation of the number with the UMIs over all cells.
    """

    cells: int
    median_umis: float
    split_half_spearman: float | None = None
    reliability: float | None = None
    shift_at_half: float | None = None
    spearman_with_umis: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupingFacts(Facts):
    """How cells were gathered into groups, and which groups hold too little."""

    column: str
    groups: int
    cells_without_group: int
    replicates: int
    bins: int
    few_cells: tuple[str, ...] = ()
    low_depth: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class CellFacts(VersionedFacts):
    """Everything known about the numbers of cells.

    Attributes
    ----------
    file, format, matrix, fingerprint
        What was read; the fingerprint tells whether a file changed.
    cells_in_file, cells
        Rows of the file, and those that were scored.
    kept
        ``COLUMN=VALUE|VALUE`` that cells were chosen by; empty for all.
    expression, genes, model
        How names and values were read, the genes of the model that were found, and the model.
    """

    file: str
    format: str
    matrix: str
    fingerprint: str
    cells_in_file: int
    cells: int
    kept: str = ""
    genes: CoverageFacts
    genes_added_up: int = 0
    expression: ExpressionFacts
    depth: DepthFacts
    grouping: GroupingFacts | None = None
    cells_by_flag: Mapping[str, int] | None = None
    model: ModelFacts
    simulated: bool = False
    forced: str = ""
    warnings: tuple[str, ...] = ()
