"""What users say about profiles that are read."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from nkpredict.configuration import Duplicates, Orientation


@dataclass(frozen=True, kw_only=True)
class ReadingOptions:
    """What the user says about profiles; what is not said is told from the content.

    Attributes
    ----------
    orientation
        ``"samples-by-genes"`` or ``"genes-by-samples"``.
    unit
        ``"counts"``, ``"tpm"``, ``"linear"``, ``"log2"``, ``"log2_intensity"`` or
        ``"standardised"``.
    layer
        Matrix of an AnnData or loom file to read; ``"raw"`` is AnnData's ``.raw``.
    var_column
        Column of ``var`` with the names of the genes.
    duplicates
        What to do with genes that are there twice: ``"mean"``, ``"max"`` or ``"first"``.
    obs
        Table of sample annotations, first column = sample names.
    known
        Names of genes that a model knows; they stay as they are.
    known_alone
        Of a file of more than 2,000 samples keep these genes alone, so that the others are never
        all in memory.
    """

    orientation: Orientation = "auto"
    unit: str = "auto"
    layer: str | None = None
    var_column: str | None = None
    duplicates: Duplicates | None = None
    obs: str | Path | None = None
    known: Collection[str] = field(default=(), repr=False)
    known_alone: bool = False
