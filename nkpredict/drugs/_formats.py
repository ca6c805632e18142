"""Read drug–target tables of the public databases; the layout is recognised by the content."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from nkpredict.drugs._vocabulary import Phase, Relation, action_of, modality_of, phase_of
from nkpredict.errors import InputError, name_some
from nkpredict.io import is_missing, read_text_cells
from nkpredict.vocabulary import UNKNOWN

WHAT = "drug–target table"
RAW_COLUMNS = (
    "gene",
    "drug",
    "mechanism",
    "mechanism_class",
    "cytotoxic",
    "modality",
    "action",
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

_NEVER_EMPTY = (
    "cytotoxic",
    "modality",
    "action",
    "relation",
    "highest_phase",
    "nk_liability",
    "measured_with_nk_cells",
)
_SEVERAL = re.compile(r"[|;,]")
_CHEMBL_ID = re.compile(r"^CHEMBL\d+$")


@dataclass(frozen=True)
class RawTargets:
    """Rows of one file, before gene names are approved and repeated pairs are joined.

    Attributes
    ----------
    rows
        Columns as in :data:`RAW_COLUMNS`, all text, one gene and one drug a row; ``mechanism``
        holds the words by which the file names the drug's mechanisms.
    layout
        Name of the layout recognised.
    counts
        Rows read and rows left out, by reason.
    encoding
        ``utf-8``, ``latin-1`` or ``parquet``.
    mechanism_of_drug
        Whether ``action`` holds the mechanisms of the drug, which are beside its targets.
    """

    rows: pd.DataFrame
    layout: str
    counts: dict[str, int]
    encoding: str
    mechanism_of_drug: bool = False


@dataclass(frozen=True)
class _Layout:
    name: str
    # one column of each group must be there
    needs: tuple[tuple[str, ...], ...]
    read: Callable[[pd.DataFrame], dict[str, Any]]
    # whether ``read`` gives, as action, the mechanisms of the drug that are beside its targets
    mechanism_of_drug: bool = False

    def fits(self, columns: set[str]) -> bool:
        return all(columns & set(group) for group in self.needs)

    def __str__(self) -> str:
        return ", ".join(" or ".join(group) for group in self.needs)


def read_raw_targets(path: Path) -> RawTargets:
    """Read one file of any known layout.

    Parameters
    ----------
    path
        CSV or TSV (comment lines begin with ``!`` or ``#``), JSON, JSON lines or Parquet; text
        may be compressed with gzip and be UTF-8 or Latin-1.

    Returns
    -------
    RawTargets
        Rows as the file states them, phases and most actions in the product's vocabulary.

    Raises
    ------
    InputError
        When the file is malformed or its columns are of no known layout.
    """
    table, encoding = read_text_cells(path, WHAT)
    for layout in _LAYOUTS:
        if layout.fits(set(table.columns)):
            break
    else:
        own, *others = _LAYOUTS
        raise InputError(
            f"{path} has the columns {name_some(table.columns, 8)}, which fit no known {WHAT}; "
            f"expected the columns {own}, or a file of {', '.join(o.name for o in others)}."
        )
    stated = layout.read(table)
    rows = pd.DataFrame({name: stated.get(name, "") for name in RAW_COLUMNS}, index=table.index)
    counts = {"rows_read": len(table)}
    rows["gene"] = rows["gene"].map(_genes)
    nameless = rows["drug"].map(is_missing)
    counts["dropped_without_drug"] = int(nameless.sum())
    rows = rows[~nameless].copy()
    targetless = rows["gene"].map(len) == 0
    counts["dropped_without_gene"] = int(targetless.sum())
    rows = rows[~targetless].explode("gene", ignore_index=True)
    for name in _NEVER_EMPTY:
        rows[name] = rows[name].replace("", UNKNOWN)
    return RawTargets(rows, layout.name, counts, encoding, layout.mechanism_of_drug)


def _genes(text: str) -> list[str]:
    names = [name.strip().strip('"') for name in _SEVERAL.split(text)]
    return list(dict.fromkeys(name for name in names if not is_missing(name)))


def _first(table: pd.DataFrame, *names: str) -> pd.Series:
    """Take the first of the columns that states something, cell by cell."""
    filled = pd.Series("", index=table.index, dtype=object)
    for name in names:
        if name in table:
            filled = filled.where(filled != "", table[name])
    return filled


def _joined(prefix: str, column: pd.Series) -> pd.Series:
    return column.map(lambda text: f"{prefix}: {text}" if text else prefix)


def _own(table: pd.DataFrame) -> dict[str, Any]:
    return {name: table[name] for name in RAW_COLUMNS if name in table}


def _dgidb(table: pd.DataFrame) -> dict[str, Any]:
    claimed = _first(table, "interaction_claim_source", "interaction_source_db_name")
    approved = _first(table, "approved").str.lower().map({"true": "approved"}).fillna("")
    papers = _first(table, "pmids").map(
        lambda text: "".join(f"; PMID:{paper.strip()}" for paper in _SEVERAL.split(text) if paper)
    )
    names = table.copy()
    if "drug_name" in names:
        # a bare identifier is the last choice
        names["drug_name"] = names["drug_name"].str.replace(_CHEMBL_ID, "", regex=True)
    named = _first(names, "drug_name", "drug_claim_primary_name", "drug_claim_name")
    return {
        "gene": _first(table, "gene_name", "gene", "gene_claim_name"),
        "drug": named.where(named != "", _first(table, "drug_name")),
        "action": _first(table, "interaction_types", "interaction_type").map(action_of),
        "highest_phase": approved,
        "source": _joined("DGIdb", claimed) + papers,
    }


def _repurposing_hub(table: pd.DataFrame) -> dict[str, Any]:
    phase = _first(table, "clinical_phase")
    withdrawn = phase.str.lower().eq("withdrawn").map({True: "; withdrawn", False: ""})
    return {
        "gene": table["target"],
        "drug": table["pert_iname"],
        "mechanism": table["moa"],
        "action": table["moa"],
        "highest_phase": phase.map(phase_of),
        "source": "Drug Repurposing Hub",
        "note": table["moa"] + withdrawn,
    }


def _chembl(table: pd.DataFrame) -> dict[str, Any]:
    stated = _first(table, "action_type").map(action_of)
    read = _first(table, "mechanism_of_action").map(action_of)
    identifier = _first(table, "parent_molecule_chembl_id", "molecule_chembl_id")
    return {
        "gene": _first(table, *_CHEMBL_GENES),
        "drug": _first(table, *_CHEMBL_DRUGS, "parent_molecule_chembl_id", "molecule_chembl_id"),
        "modality": _first(table, "parent_molecule_type", "molecule_type").map(modality_of),
        "action": stated.where(stated != UNKNOWN, read),
        "highest_phase": _first(table, "max_phase").map(phase_of),
        "source": _joined("ChEMBL", identifier),
        "mechanism": _first(table, "mechanism_of_action"),
        "note": _first(table, "mechanism_of_action"),
    }


def _open_targets(table: pd.DataFrame) -> dict[str, Any]:
    stated = _first(table, "action_type").map(action_of)
    read = _first(table, "mechanism_of_action").map(action_of)
    return {
        "gene": _first(table, "approved_symbol", "target_id", "targets"),
        "drug": _first(table, *_OPEN_TARGETS_DRUGS),
        "modality": _first(table, "drug_type").map(modality_of),
        "action": stated.where(stated != UNKNOWN, read),
        "highest_phase": _first(table, "phase", "maximum_clinical_trial_phase").map(phase_of),
        "source": _joined("Open Targets", _first(table, "drug_id", "chembl_ids")),
        "mechanism": _first(table, "mechanism_of_action"),
        "note": _first(table, "mechanism_of_action"),
    }


def _conjugates(table: pd.DataFrame) -> dict[str, Any]:
    return _product(table, "antibody-drug conjugate", "depleting")


def _car_t(table: pd.DataFrame) -> dict[str, Any]:
    return _product(table, "cell therapy", "depleting")


def _bispecific(table: pd.DataFrame) -> dict[str, Any]:
    # one that engages CD3 kills the cells with the other target; of others nothing is said
    engages = _first(table, "tcell_target_symols", "tcell_target_symbols").str.contains("CD3E")
    action = engages.map({True: "depleting", False: UNKNOWN})
    return _product(table, "bispecific antibody", action)


def _product(table: pd.DataFrame, modality: str, action: Any) -> dict[str, Any]:
    approvals = _first(table, "approvals")
    return {
        "gene": _first(table, *_PRODUCT_GENES),
        "drug": table["drug_name"],
        "modality": modality,
        "action": action,
        "relation": Relation.DIRECT,
        "highest_phase": approvals.map(lambda text: Phase.APPROVED if text else Phase.UNKNOWN),
        "source": _joined("approval", approvals),
        "note": _first(table, "disease_area"),
    }


_CHEMBL_GENES = ("target_components", "gene_symbols", "gene_symbol", "target_gene", "genes")
_CHEMBL_DRUGS = (
    "parent_molecule_name",
    "molecule_name",
    "molecule_pref_name",
    "pref_name",
    "compound_name",
)
_OPEN_TARGETS_DRUGS = ("pref_name", "drug_name", "name", "drug_id", "chembl_ids")
# Ensembl ids first: the tables name BCMA by an alias
_PRODUCT_GENES = (
    "tumor_target_ensembl_gene_id",
    "tumor_target_ensembl_gene_ids",
    "ensembl_gene_id",
    "tumor_target_symbol",
    "tumor_target_symbols",
)

_LAYOUTS = (
    _Layout("nkpredict", (("gene",), ("drug",), ("effect_on_gene",), ("action",)), _own),
    _Layout(
        "DGIdb interactions",
        (
            ("gene", "gene_name", "gene_claim_name"),
            ("drug_name", "drug_claim_name"),
            ("interaction_types", "interaction_type"),
        ),
        _dgidb,
    ),
    _Layout(
        "Drug Repurposing Hub",
        (("pert_iname",), ("clinical_phase",), ("moa",), ("target",)),
        _repurposing_hub,
        mechanism_of_drug=True,
    ),
    _Layout(
        "Open Targets drugs",
        (
            ("approved_symbol", "target_id", "targets"),
            _OPEN_TARGETS_DRUGS,
            ("mechanism_of_action", "action_type"),
        ),
        _open_targets,
    ),
    _Layout(
        "ChEMBL mechanisms",
        (
            _CHEMBL_GENES,
            (*_CHEMBL_DRUGS, "parent_molecule_chembl_id", "molecule_chembl_id"),
            ("action_type", "mechanism_of_action"),
        ),
        _chembl,
    ),
    _Layout(
        "antibody-drug conjugates",
        (("drug_name",), ("tumor_target_symbol",), ("payload",)),
        _conjugates,
    ),
    _Layout("CAR-T cells", (("drug_name",), ("tumor_target_symbol",), ("cell_origin",)), _car_t),
    _Layout(
        "bispecific antibodies",
        (("drug_name",), ("tumor_target_symbols",), ("valency",)),
        _bispecific,
    ),
)
