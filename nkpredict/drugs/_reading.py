"""Read tables of drugs and their targets that users bring; fill in what is known of the drugs."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from pathlib import Path

import pandas as pd

from nkpredict.drugs._classes import class_named_in, drug_keys, known_drugs, with_class
from nkpredict.drugs._formats import WHAT, RawTargets, read_raw_targets
from nkpredict.drugs._names import name_of_drug
from nkpredict.drugs._table import TARGET_COLUMNS, TargetTable
from nkpredict.drugs._vocabulary import EFFECT_OF_ACTION, Phase, action_on_gene
from nkpredict.errors import InputError, name_some
from nkpredict.facts import TargetFacts, TargetFileFacts
from nkpredict.io import (
    approve_gene_names,
    approved_symbols,
    file_sha256,
    gene_reference_source,
    require_file,
)
from nkpredict.vocabulary import UNKNOWN

_SOURCES_KEPT = 5  # of a pair that many rows state; set by hand
_JOINED = ("action", "relation", "source", "note")
_SILENT = {
    "mechanism_class": "",
    "cytotoxic": UNKNOWN,
    "modality": UNKNOWN,
    "approved_blood_cancers": "",
    "nk_liability": UNKNOWN,
    "nk_liability_source": "",
    "measured_with_nk_cells": UNKNOWN,
    "measured_with_nk_cells_source": "",
}
_KNOWN_OF_DRUGS = tuple(
    name for name in _SILENT if name not in ("modality", "approved_blood_cancers")
)


def read_targets(*paths: str | Path) -> TargetTable:
    """Read drug–target tables of public databases.

    The layout is recognised by the columns: DGIdb interactions, the Drug Repurposing Hub's drug
    file, ChEMBL mechanisms, Open Targets drugs, lists of approved antibody-drug conjugates,
    bispecific antibodies and CAR-T cells, or the product's own columns. Code names, salts and other
    synonyms become the one name of the drug. What a drug does to NK cells is taken from
    :func:`known_targets`, by the drug's name, else from the class that the words of its mechanism
    name.

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
    drugs = rows["drug"].map(name_of_drug)
    renamed = drugs.str.casefold() != rows["drug"].str.strip().str.casefold()
    counts = {"drugs_renamed": int(rows.loc[renamed, "drug"].nunique())}
    rows = rows.assign(gene=rows["gene"].map(symbol), drug=drugs)
    if raw.mechanism_of_drug:
        pairs = zip(rows["action"], rows["gene"], strict=True)
        rows["action"] = [action_on_gene(*pair) for pair in pairs]
    strange = sorted(set(rows["action"]) - set(EFFECT_OF_ACTION))
    if strange:
        raise InputError(
            f"{path} states the action {name_some(strange)}; expected one of "
            f"{', '.join(EFFECT_OF_ACTION)}."
        )
    known = rows["gene"].isin(approved_symbols())
    counts |= {
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
    key = drug_keys(rows["drug"])
    # of VENETOCLAX and venetoclax the last in the alphabet is the more readable
    rows = rows.assign(drug=rows["drug"].groupby(key).transform("max"))
    # unlike text, categories in the order of the vocabulary say which phase is the highest
    phases = [phase.value for phase in Phase]
    phase = pd.Categorical(rows["highest_phase"], phases, ordered=True).codes
    best = pd.Series(phase, index=rows.index).groupby(key).transform("min")
    rows["highest_phase"] = best.map(dict(enumerate(phases)))
    drugs, by_class = _described(rows, key)
    for name in drugs.columns:
        rows[name] = key.map(drugs[name])
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
        "drugs_judged_by_class": by_class,
    }
    return table[list(TARGET_COLUMNS)], counts


def _first_stated(values: pd.Series, silent: str) -> pd.Series:
    return values.astype(object).where(values.notna(), silent)


def _stated(values: pd.Series, key: pd.Series) -> pd.Series:
    """By drug, the value that is stated; the first in the alphabet where several are."""
    stated = ~values.isin(("", UNKNOWN))
    return values[stated].groupby(key[stated]).min()


def _described(rows: pd.DataFrame, key: pd.Series) -> tuple[pd.DataFrame, int]:
    """Tell what is known of each drug; count those that only their class judges.

    What the rows state goes before what is known of the drug by name, and that before its class.
    """
    drugs = pd.DataFrame(index=pd.Index(sorted(set(key)), name="key"))
    shipped = known_drugs().reindex(drugs.index)
    for name, silent in _SILENT.items():
        drugs[name] = _first_stated(_stated(rows[name], key).reindex(drugs.index), silent)
    # kind and uses are what the files say; the rest is known of the drug where they are silent
    unjudged = drugs["nk_liability"] == UNKNOWN
    for name in _KNOWN_OF_DRUGS:
        not_stated = unjudged if name == "nk_liability_source" else drugs[name] == _SILENT[name]
        drugs[name] = drugs[name].mask(not_stated, _first_stated(shipped[name], _SILENT[name]))
    words = rows["mechanism"][rows["mechanism"] != ""].groupby(key).agg("|".join)
    named = _first_stated(words.map(class_named_in).reindex(drugs.index), "")
    drugs["mechanism_class"] = drugs["mechanism_class"].mask(drugs["mechanism_class"] == "", named)
    judged = drugs["nk_liability"] != UNKNOWN
    drugs = with_class(drugs)
    return drugs, int(((drugs["nk_liability"] != UNKNOWN) & ~judged).sum())


def _listed(values: Iterable[str]) -> str:
    parts = list(dict.fromkeys(part for value in values for part in value.split("; ") if part))
    more = len(parts) - _SOURCES_KEPT
    return "; ".join(parts[:_SOURCES_KEPT]) + (f"; {more} more" if more > 0 else "")
