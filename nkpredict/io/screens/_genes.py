"""What stands in the gene column of screen tables: genes, controls and symbols come to harm."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from nkpredict.errors import InputError, name_some
from nkpredict.io._genes import approve_gene_names, approved_symbols
from nkpredict.types import BoolArray, IndexArray

# CTRL is also the symbol of chymotrypsin-like protease; in a screen table it is far more often a
# control, and a control guide taken for a gene does more harm than one gene missing.
_CONTROL = re.compile(
    r"""^(?:
        non[-_. ]?target.* | nt[-_. ]?(?:c|control|ctrl|guide|sg[a-z]*)[-_. ]?\d* | nt[-_]\d+
      | (?:neg(?:ative)?|pos(?:itive)?)?[-_. ]?(?:controls?|ctrls?)(?:\d.*|[-_. ].*)?
      | no[-_. ](?:current|site|target).* | (?:one[-_. ])?intergenic.* | scrambled?.*
      | safe[-_. ]?(?:harbou?r|targeting|cutting).* | rosa26.* | aavs1.*
      | [a-z]?luc(?:2|iferase)?(?:[-_. ].*)?
      | (?:e?gfp|[et]?rfp|e?bfp|e?yfp|ecfp)(?:[-_. ].*)? | lacz.* | mcherry.* | tdtomato.*
    )$""",
    re.IGNORECASE | re.VERBOSE,
)
_MICRO_RNA = re.compile(r"^(?:hsa|mmu)[-_.](?:mir|let|mirlet)[-_.]?", re.IGNORECASE)
_SHOUTED_ORF = re.compile(r"^(C(?:\d{1,2}|X|Y))ORF(\d+.*)$")
_PSEUDOAUTOSOMAL = re.compile(r"^(.+)_[XY]$")
_TITLE_CASE = re.compile(r"^[A-Z][a-z]+[a-z0-9-]*$")


def is_control(name: str) -> bool:
    """Tell whether a name stands for control guides: non-targeting, safe harbour or a reporter."""
    return _CONTROL.match(name) is not None


def approve_screen_genes(
    rows: pd.DataFrame, path: Path, counts: dict[str, int], assumptions: list[str]
) -> pd.DataFrame:
    """Drop what is no gene and bring names up to date, working on each distinct name once.

    Parameters
    ----------
    rows
        Columns ``gene`` and ``species``, any others.
    path
        File the rows come from, for messages.
    counts, assumptions
        What was dropped, repaired or taken for granted is added to them.

    Returns
    -------
    pandas.DataFrame
        The rows of genes, under approved symbols.

    Raises
    ------
    InputError
        When genes are named by numbers, or mouse symbols are not announced as such.
    """
    codes, distinct = pd.factorize(rows["gene"].astype(object))
    given = [str(name).strip() for name in distinct]
    mouse = rows["species"].eq("mouse").to_numpy()
    if given and all(name.isdigit() for name in given):
        raise InputError(
            f"{path} names genes by numbers ({name_some(given)}); expected gene symbols or "
            "Ensembl ids."
        )
    if mouse.any():
        assumptions.append("mouse symbols were upper-cased and read as human symbols")

    def per_row(flags: list[bool]) -> BoolArray:
        # a missing name has the code -1, which picks the False appended here
        return np.append(np.array(flags, dtype=bool), False)[codes]

    control = per_row([is_control(name) for name in given])
    micro_rna = per_row([_MICRO_RNA.match(name) is not None for name in given])
    several = per_row([";" in name or "," in name for name in given])
    nameless = (codes < 0) | per_row([name == "" for name in given])
    counts["dropped_without_gene_name"] = int(nameless.sum())
    counts["dropped_controls"] = int(control.sum())
    counts["dropped_micro_rna"] = int(micro_rna.sum())
    counts["dropped_several_genes_in_one_row"] = int(several.sum())
    keep = ~(control | micro_rna | several | nameless)
    _reject_mouse_symbols(given, codes[keep & ~mouse], path)

    approved = pd.Series("", index=rows.index, dtype=object)
    stripped = _sg_was_stripped(given)
    totals = dict.fromkeys(("restored_dates", "updated_names", "repaired_names"), 0)
    unknown: set[str] = set()
    for species_rows, case in ((keep & ~mouse, str), (keep & mouse, str.upper)):
        if not species_rows.any():
            continue
        names = [case(name) for name in given]
        repaired = [_repair(name, stripped) for name in names]
        outcome = approve_gene_names(repaired)
        present = np.zeros(len(given), dtype=bool)
        present[codes[species_rows]] = True
        where = np.flatnonzero(present)
        totals["restored_dates"] += sum(repaired[i] in outcome.dates for i in where)
        totals["updated_names"] += sum(repaired[i] in outcome.renamed for i in where)
        totals["repaired_names"] += sum(
            repaired[i] != names[i] and repaired[i] not in outcome.dates for i in where
        )
        unknown |= {repaired[i] for i in where} & set(outcome.unknown)
        approved[species_rows] = np.array(outcome.approved, dtype=object)[codes[species_rows]]
    counts.update(totals, names_not_in_reference=len(unknown))
    # only Ensembl ids outside the reference table come back empty
    unmapped = keep & approved.eq("").to_numpy()
    counts["dropped_unknown_ensembl_ids"] = int(unmapped.sum())
    return rows.assign(gene=approved).loc[keep & ~unmapped]


def _repair(name: str, sg_was_stripped: bool) -> str:
    """Undo the harm that spreadsheets and pipelines do to gene symbols, where it is certain."""
    orf = _SHOUTED_ORF.match(name)
    if orf:
        return f"{orf[1]}orf{orf[2]}"
    symbols = approved_symbols()
    if name in symbols:
        return name
    pseudoautosomal = _PSEUDOAUTOSOMAL.match(name)
    if pseudoautosomal and pseudoautosomal[1] in symbols:
        return pseudoautosomal[1]
    candidates: set[str] = set()
    if "0" in name:  # "NA" replaced by 0 all through a table: NAGK became 0GK
        candidates |= {f"{name[:i]}NA{name[i + 1 :]}" for i, c in enumerate(name) if c == "0"}
    if sg_was_stripped:
        candidates |= {f"{name[:i]}SG{name[i:]}" for i in range(len(name) + 1)}
    fitting = candidates & symbols
    if len(fitting) == 1 and approve_gene_names([name]).unknown:
        return fitting.pop()
    return name


def _sg_was_stripped(names: list[str]) -> bool:
    # A genome-wide library has some 70 symbols with SG in them; MAGeCK MLE has been seen to cut it
    return len(names) >= 5000 and not any("SG" in name.upper() for name in names)


def _reject_mouse_symbols(names: list[str], codes: IndexArray, path: Path) -> None:
    present = [names[code] for code in np.unique(codes)]
    lettered = [name for name in present if any(c.isalpha() for c in name)]
    title_case = [name for name in lettered if _TITLE_CASE.match(name)]
    if len(title_case) * 2 > len(lettered):
        raise InputError(
            f"{path} holds mouse gene symbols ({name_some(title_case, 3)}): {len(title_case)} of "
            f"{len(lettered)} names are in title case, while human symbols were expected. Say "
            "species: mouse in the metadata to have them upper-cased."
        )
