"""Which drugs act on which genes: the shipped curated table, and tables users bring."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pandas as pd

from nkpredict.drugs._formats import WHAT, RawTargets, read_raw_targets
from nkpredict.drugs._vocabulary import (
    EFFECT_OF_ACTION,
    MODALITIES,
    Phase,
    Relation,
    action_on_gene,
)
from nkpredict.errors import InputError, name_some
from nkpredict.facts import TargetFacts, TargetFileFacts
from nkpredict.io import (
    approve_gene_names,
    approved_symbols,
    file_sha256,
    gene_reference_source,
    read_shipped_table,
    require_file,
)
from nkpredict.shipped import shipped_path
from nkpredict.vocabulary import UNKNOWN, NKLiability

TARGET_COLUMNS = (
    "gene",
    "drug",
    "modality",
    "action",
    "effect_on_gene",
    "relation",
    "highest_phase",
    "approved_blood_cancers",
    "nk_liability",
    "nk_liability_source",
    "source",
    "note",
)

PER_DRUG = (
    "modality",
    "highest_phase",
    "approved_blood_cancers",
    "nk_liability",
    "nk_liability_source",
)
_ALLOWED = {
    "modality": MODALITIES,
    "action": tuple(EFFECT_OF_ACTION),
    "relation": tuple(Relation),
    "highest_phase": tuple(Phase),
    "nk_liability": tuple(NKLiability),
}
_SOURCES_KEPT = 5  # of a pair that many rows state; set by hand
_JOINED = ("action", "relation", "source", "note")
_SILENT = {
    "modality": UNKNOWN,
    "approved_blood_cancers": "",
    "nk_liability": UNKNOWN,
    "nk_liability_source": "",
}


@dataclass(frozen=True, eq=False, repr=False)
class TargetTable:
    """Pairs of a gene and a drug that acts on it.

    Attributes
    ----------
    table
        One row per gene and drug, columns as in :data:`TARGET_COLUMNS`, all text: approved
        symbol, drug, ``modality``, ``action`` and what it does to the gene
        (:data:`~EFFECT_OF_ACTION`), ``relation``
        (`Relation`), ``highest_phase`` of development in any disease,
        ``approved_blood_cancers`` (empty if none), ``nk_liability`` (`NKLiability`) with its
        source (empty when unknown), the ``source`` of the pair and a ``note``.
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
            Rows of both; drugs are the same when their names differ in case only.
        """
        keys = set(zip(self.table["gene"], _keys(self.table["drug"]), strict=True))
        pairs = zip(other.table["gene"], _keys(other.table["drug"]), strict=True)
        added = other.table[[pair not in keys for pair in pairs]].copy()
        known = self.table.assign(key=_keys(self.table["drug"])).drop_duplicates("key")
        described = known.set_index("key")[["drug", *PER_DRUG]]
        key = _keys(added["drug"])
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
    ``source``.

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
    path = shipped_path("reference", "drug_targets.csv")
    table = read_shipped_table(path.name)
    read = TargetFileFacts(file=path.name, sha256=file_sha256(path), layout="nkpredict")
    return TargetTable(table, TargetFacts(files=(read,), gene_names=gene_reference_source()))


def read_targets(*paths: str | Path) -> TargetTable:
    """Read drug–target tables of public databases.

    The layout is recognised by the columns: DGIdb interactions, the Drug Repurposing Hub's drug
    file, ChEMBL mechanisms, Open Targets drugs, lists of approved antibody-drug conjugates,
    bispecific antibodies and CAR-T cells, or the product's own columns. What a drug does to NK
    cells is taken from :func:`known_targets`, by the drug's name.

    Parameters
    ----------
    *paths
        One or more files: CSV, TSV, JSON lines or Parquet, text plain or gzip-compressed.

    Returns
    -------
    TargetTable
        One row per gene and drug, sorted by both, over all files. An action is read from the
        words of the file by a fixed table, else ``unknown``; contradicting statements make it
        ``unknown`` too. Counts are in the provenance.

    Raises
    ------
    InputError
        When a file is malformed, of no known layout or leaves no usable row.
    """
    if not paths:
        raise InputError(f"No file was given; expected at least one {WHAT}.")
    tables, files = [], []
    for path in (require_file(path, WHAT) for path in paths):
        raw = read_raw_targets(path)
        rows, counts = _approved(raw, path)
        tables.append(rows)
        files.append(
            TargetFileFacts(
                file=path.name,
                sha256=file_sha256(path),
                layout=raw.layout,
                encoding=raw.encoding,
                counts=raw.counts | counts,
            )
        )
    table, joined = _one_row_per_pair(pd.concat(tables, ignore_index=True))
    provenance = TargetFacts(
        files=tuple(sorted(files, key=lambda known: (known.file, known.sha256))),
        gene_names=gene_reference_source(),
        counts=joined,
    )
    return TargetTable(table, provenance)


def _approved(raw: RawTargets, path: Path) -> tuple[pd.DataFrame, dict[str, int]]:
    rows = raw.rows
    given = list(dict.fromkeys(rows["gene"]))
    names = approve_gene_names(given)
    symbol = dict(zip(given, names.approved, strict=True))
    rows = rows.assign(gene=rows["gene"].map(symbol))
    if raw.mechanism_of_drug:
        pairs = zip(rows["action"], rows["gene"], strict=True)
        rows["action"] = [action_on_gene(*pair) for pair in pairs]
    known = rows["gene"].isin(approved_symbols())
    counts = {
        "genes_renamed": len(names.renamed),
        "genes_not_in_reference": len(names.unknown),
        "genes_ambiguous": len(names.ambiguous),
        "dropped_gene_not_in_reference": int((~known).sum()),
        "action_unknown": int((rows["action"][known] == UNKNOWN).sum()),
        "rows_kept": int(known.sum()),
    }
    if not known.any():
        raise InputError(
            f"{path} was read as {raw.layout}, but none of its {raw.counts['rows_read']} rows "
            f"names a drug and a known gene (found {name_some(given) or 'no gene'}); expected "
            "human gene symbols or Ensembl ids."
        )
    return rows[known], counts


def _one_row_per_pair(rows: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """Join what several rows say about a pair; a drug's own facts are the same in all its rows."""
    key = _keys(rows["drug"])
    # of VENETOCLAX and venetoclax the last in the alphabet is the more readable
    rows = rows.assign(drug=rows["drug"].groupby(key).transform("max"))
    # unlike text, categories in the order of the vocabulary say which phase is the highest
    phases = [phase.value for phase in Phase]
    phase = pd.Categorical(rows["highest_phase"], phases, ordered=True).codes
    best = pd.Series(phase, index=rows.index).groupby(key).transform("min")
    rows["highest_phase"] = best.map(dict(enumerate(phases)))
    for name in ("modality", "approved_blood_cancers", "nk_liability", "nk_liability_source"):
        rows[name] = key.map(_stated(rows[name], key)).fillna(_SILENT[name])
    shipped = _known().table.assign(key=lambda table: _keys(table["drug"]))
    shipped = shipped.drop_duplicates("key").set_index("key")
    silent = rows["nk_liability"] == UNKNOWN
    for name in ("nk_liability", "nk_liability_source"):
        known = key.map(shipped[name]).fillna(_SILENT[name])
        rows[name] = rows[name].where(~silent, known)
    pairs = rows.drop_duplicates(["gene", "drug"]).set_index(["gene", "drug"])
    repeated = rows[rows.duplicated(["gene", "drug"], keep=False)]
    joined: dict[str, dict[Hashable, str]] = {name: {} for name in _JOINED}
    conflicts = 0
    for pair, places in repeated.groupby(["gene", "drug"], sort=False).indices.items():
        group = {name: repeated[name].to_numpy()[places] for name in _JOINED}
        stated = [action for action in group["action"] if action != UNKNOWN]
        clear = len({EFFECT_OF_ACTION[action] for action in stated}) == 1
        conflicts += bool(stated) and not clear
        joined["action"][pair] = stated[0] if clear else UNKNOWN
        relations = sorted(set(group["relation"]) - {UNKNOWN})
        joined["relation"][pair] = relations[0] if relations else UNKNOWN
        joined["source"][pair] = _listed(group["source"])
        joined["note"][pair] = _listed(group["note"])
    for name, values in joined.items():
        pairs[name] = pairs[name].where(~pairs.index.isin(list(values)), pairs.index.map(values))
    table = pairs.reset_index().sort_values(["gene", "drug"], ignore_index=True)
    table["effect_on_gene"] = table["action"].map(EFFECT_OF_ACTION)
    counts = {
        "pairs": len(table),
        "rows_joined": len(rows) - len(table),
        "contradicting_actions_made_unknown": conflicts,
    }
    return table[list(TARGET_COLUMNS)], counts


def _stated(values: pd.Series, key: pd.Series) -> pd.Series:
    """By drug, the value that is stated; the first in the alphabet where several are."""
    stated = ~values.isin(("", UNKNOWN))
    return values[stated].groupby(key[stated]).min()


def _keys(drugs: pd.Series) -> pd.Series:
    return drugs.str.strip().str.casefold()


def _listed(values: Iterable[str]) -> str:
    parts = list(dict.fromkeys(part for value in values for part in value.split("; ") if part))
    more = len(parts) - _SOURCES_KEPT
    return "; ".join(parts[:_SOURCES_KEPT]) + (f"; {more} more" if more > 0 else "")


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
    key = _keys(table["drug"])
    twice = pd.DataFrame({"gene": table["gene"], "drug": key}).duplicated()
    _refuse(table, twice, "the same gene and drug as another row")
    described = table[["drug", *PER_DRUG]].drop_duplicates()
    unclear = described.loc[_keys(described["drug"]).duplicated(), "drug"]
    _refuse(table, table["drug"].isin(unclear), f"a drug with more than one {'/'.join(PER_DRUG)}")


def _refuse(table: pd.DataFrame, wrong: pd.Series, what: str) -> None:
    if wrong.any():
        pairs = table.loc[wrong, ["gene", "drug"]].agg(" / ".join, axis=1)
        raise InputError(
            f"The {WHAT} has {what} in {int(wrong.sum())} rows ({name_some(pairs)}). Mend these "
            "rows."
        )
