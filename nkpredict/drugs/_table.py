"""Which drugs act on which genes: the shipped curated table, and tables users bring."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import pandas as pd

from nkpredict.drugs._classes import CYTOTOXIC, drug_keys, known_drugs
from nkpredict.drugs._formats import WHAT
from nkpredict.drugs._vocabulary import (
    EFFECT_OF_ACTION,
    MEASURED_WITH_NK_CELLS,
    MODALITIES,
    Phase,
    Relation,
)
from nkpredict.errors import InputError, name_some
from nkpredict.facts import TargetFacts, TargetFileFacts
from nkpredict.io import (
    approved_symbols,
    file_sha256,
    gene_reference_source,
    read_shipped_table,
)
from nkpredict.shipped import shipped_path
from nkpredict.vocabulary import UNKNOWN, NKLiability

TARGET_COLUMNS = (
    "gene",
    "drug",
    "mechanism_class",
    "cytotoxic",
    "modality",
    "action",
    "effect_on_gene",
    "relation",
    "highest_phase",
    "approved_blood_cancers",
    "nk_liability",
    "nk_liability_source",
    "measured_with_nk_cells",
    "measured_with_nk_cells_source",
    "source",
    "note",
)

PER_DRUG = (
    "mechanism_class",
    "cytotoxic",
    "modality",
    "highest_phase",
    "approved_blood_cancers",
    "nk_liability",
    "nk_liability_source",
    "measured_with_nk_cells",
    "measured_with_nk_cells_source",
)
_ALLOWED = {
    "modality": MODALITIES,
    "action": tuple(EFFECT_OF_ACTION),
    "relation": tuple(Relation),
    "highest_phase": tuple(Phase),
    "cytotoxic": CYTOTOXIC,
    "nk_liability": tuple(NKLiability),
    "measured_with_nk_cells": MEASURED_WITH_NK_CELLS,
}
_SHIPPED_FILES = ("drug_targets.csv", "drugs.csv", "drug_classes.csv", "drug_synonyms.csv")


@dataclass(frozen=True, eq=False, repr=False)
class TargetTable:
    """Pairs of a gene and a drug that acts on it.

    Attributes
    ----------
    table
        One row per gene and drug, columns as in :data:`TARGET_COLUMNS`, all text: approved
        symbol, drug, its ``mechanism_class`` (empty if none) and whether that is ``cytotoxic``
        (``yes``, ``no`` or ``unknown``), ``modality``, ``action`` and what it does to the gene
        (:data:`~EFFECT_OF_ACTION`), ``relation`` (`Relation`), ``highest_phase`` of development
        in any disease, ``approved_blood_cancers`` (empty if none), ``nk_liability``
        (`NKLiability`) with its source (empty when unknown; ``class: name, …`` where it was
        measured for another drug of the class), ``measured_with_nk_cells``
        (:data:`~MEASURED_WITH_NK_CELLS`) with its source, the ``source`` of the pair and a
        ``note``.
    provenance
        Files, counts of what was renamed, joined or dropped.

    Raises
    ------
    InputError
        When a column is missing, a gene is no approved symbol, a value is outside its vocabulary,
        a source is missing, a pair stands twice or a drug is described in two ways.
    """

    table: pd.DataFrame
    provenance: TargetFacts = field(default_factory=TargetFacts)

    def __post_init__(self) -> None:
        """Check every row."""
        lacking = [name for name in TARGET_COLUMNS if name not in self.table.columns]
        if lacking:
            raise InputError(
                f"The {WHAT} lacks the columns {name_some(lacking)}; expected "
                f"{', '.join(TARGET_COLUMNS)}."
            )
        if self.table.empty:
            raise InputError(f"The {WHAT} has no rows; expected one per gene and drug.")
        _check(self.table)

    def extended_by(self, other: TargetTable) -> TargetTable:
        """Add the pairs of another table; what this one says about a pair or a drug stays.

        Parameters
        ----------
        other
            For example what :func:`read_targets` returned.

        Returns
        -------
        TargetTable
            Rows of both; drugs are the same when their names differ in case or are synonyms.
        """
        keys = set(zip(self.table["gene"], drug_keys(self.table["drug"]), strict=True))
        pairs = zip(other.table["gene"], drug_keys(other.table["drug"]), strict=True)
        added = other.table[[pair not in keys for pair in pairs]].copy()
        known = self.table.assign(key=drug_keys(self.table["drug"])).drop_duplicates("key")
        described = known.set_index("key")[["drug", *PER_DRUG]]
        key = drug_keys(added["drug"])
        for name in described.columns:
            added[name] = key.map(described[name]).fillna(added[name])
        whole = pd.concat([self.table, added]).sort_values(["gene", "drug"], ignore_index=True)
        provenance = TargetFacts(
            files=self.provenance.files + other.provenance.files,
            gene_names=gene_reference_source(),
            pairs_of_the_first_table=len(self.table),
            pairs_added=len(added),
            pairs_left_to_the_first_table=len(other.table) - len(added),
        )
        return TargetTable(whole[list(TARGET_COLUMNS)], provenance)

    def __repr__(self) -> str:
        effects = self.table["effect_on_gene"].value_counts()
        parts = ", ".join(f"{count} {effect}" for effect, count in sorted(effects.items()))
        return (
            f"TargetTable({len(self.table)} pairs of {self.table['gene'].nunique()} genes and "
            f"{self.table['drug'].nunique()} drugs; effect on the gene: {parts})"
        )


def known_targets() -> TargetTable:
    """Return the shipped table of genes of NK resistance and drugs that act on them.

    Every row was written by hand from a label, a registered trial or a publication, named in
    ``source``. What a drug does to NK cells is its own measurement or inherited from its class,
    :func:`drug_classes`.

    Returns
    -------
    TargetTable
        Its table is a copy, free to be changed.

    Raises
    ------
    InputError
        When the shipped file was altered and breaks the rules of :class:`TargetTable`.
    """
    shipped = _known()
    return TargetTable(shipped.table.copy(), shipped.provenance)


@cache
def _known() -> TargetTable:
    pairs = read_shipped_table(_SHIPPED_FILES[0])
    table = pairs.merge(known_drugs(), on="drug", how="left")[list(TARGET_COLUMNS)]
    files = tuple(
        TargetFileFacts(
            file=name, sha256=file_sha256(shipped_path("reference", name)), layout="nkpredict"
        )
        for name in _SHIPPED_FILES
    )
    return TargetTable(table, TargetFacts(files=files, gene_names=gene_reference_source()))


def _check(table: pd.DataFrame) -> None:
    text = table[list(TARGET_COLUMNS)]
    numbers = text.columns[~text.map(lambda value: isinstance(value, str)).all()]
    if len(numbers):
        raise InputError(
            f"The {WHAT} has missing values or numbers in {name_some(numbers)}; expected text in "
            "every cell, empty where nothing is stated."
        )
    for column, allowed in _ALLOWED.items():
        wrong = ~table[column].isin(allowed)
        found = name_some(sorted(table.loc[wrong, column].unique()))
        _refuse(table, wrong, f"the {column} {found} (expected {', '.join(allowed)})")
    for column in ("gene", "drug", "source"):
        _refuse(table, table[column].str.strip() == "", f"no {column}")
    _refuse(table, ~table["gene"].isin(approved_symbols()), "a gene that is no approved symbol")
    expected = table["action"].map(EFFECT_OF_ACTION)
    _refuse(table, table["effect_on_gene"] != expected, "an effect that is not its action's")
    unsourced = (table["nk_liability"] == UNKNOWN) != (table["nk_liability_source"] == "")
    _refuse(table, unsourced, "an NK liability without source, or a source without liability")
    measured = table["measured_with_nk_cells"].str.startswith("yes")
    unsourced = measured != (table["measured_with_nk_cells_source"] != "")
    _refuse(table, unsourced, "a measurement with NK cells without source, or a source without one")
    key = drug_keys(table["drug"])
    twice = pd.DataFrame({"gene": table["gene"], "drug": key}).duplicated()
    _refuse(table, twice, "the same gene and drug as another row")
    described = table[["drug", *PER_DRUG]].drop_duplicates()
    unclear = described.loc[drug_keys(described["drug"]).duplicated(), "drug"]
    _refuse(table, table["drug"].isin(unclear), f"a drug with more than one {'/'.join(PER_DRUG)}")


def _refuse(table: pd.DataFrame, wrong: pd.Series, what: str) -> None:
    if wrong.any():
        pairs = table.loc[wrong, ["gene", "drug"]].agg(" / ".join, axis=1)
        raise InputError(
            f"The {WHAT} has {what} in {int(wrong.sum())} rows ({name_some(pairs)}). Mend these "
            "rows."
        )
