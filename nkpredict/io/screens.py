"""Read CRISPR screen results of any published layout into one tidy, checked table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nkpredict.errors import InputError, name_some
from nkpredict.io.genes import approve_gene_names, approved_symbols, gene_reference_source
from nkpredict.io.screen_formats import (
    METADATA_FIELDS,
    PERTURBATIONS,
    SCREEN_COLUMNS,
    WHAT,
    ScreenMetadata,
    read_raw_screens,
    read_screen_metadata,
    screen_stem,
)
from nkpredict.io.simulated import SIMULATED_PREFIX
from nkpredict.io.writing import file_sha256, require_file

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
_ISO_DATE = re.compile(r"^\d{4}-(?P<month>03|09|12)-(?P<day>\d{2})(?: 00:00:00)?$")
_SHOUTED_DATE = re.compile(r"^(?:(?P<day>\d{1,2})-)?(?P<month>MAR|SEP|DEC)(?:-(?P<day2>\d{1,2}))?$")
_SHOUTED_ORF = re.compile(r"^(C(?:\d{1,2}|X|Y))ORF(\d+.*)$")
_PSEUDOAUTOSOMAL = re.compile(r"^(.+)_[XY]$")
_TITLE_CASE = re.compile(r"^[A-Z][a-z]+[a-z0-9-]*$")
_MONTHS = {"03": "Mar", "09": "Sep", "12": "Dec"}


def read_screen_tables(
    *paths: str | Path, metadata: ScreenMetadata | None = None
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read screen files and bring them to one convention of sign and one set of gene names.

    Parameters
    ----------
    *paths
        One or more files, each of any layout named in
        :data:`~nkpredict.io.screen_formats.EXPECTED_HEADERS`, recognised by its header.
    metadata
        What the files do not say: screen name (or file stem, for all screens of the file) →
        ``cell_line``, ``perturbation`` (``loss`` or ``gain``), ``effector``, ``species``
        (``human`` or ``mouse``), ``source``; a mapping, or a YAML or CSV file with a ``screen``
        column. It wins over what a file says.

    Returns
    -------
    table : pandas.DataFrame
        One row per gene and screen, sorted by both, columns as in ``SCREEN_COLUMNS``. ``effect``
        is ``lfc`` for loss of function and ``-lfc`` for gain of function, so that + means the
        gene sensitizes tumour cells to NK cells. ``lfc``, ``p``, ``fdr`` as published, NaN where
        absent.
    provenance : dict
        Files with SHA-256, layout, rows read, repaired and dropped for each reason, assumptions,
        and ``simulated``.

    Raises
    ------
    InputError
        When a file cannot be read, has an unknown header, holds mouse symbols without saying so,
        or leaves no usable row, or when two files hold the same screen.
    """
    if not paths:
        raise InputError(f"No file was given; expected at least one {WHAT}.")
    described = read_screen_metadata(metadata)
    used: set[str] = set()
    tables, files = [], []
    for path in (require_file(path, WHAT) for path in paths):
        table, record, matched = _read_one(path, described)
        used |= matched
        tables.append(table)
        files.append(record)
    _reject_shared_screens(tables, files)
    if described and not used:
        raise InputError(
            f"The metadata describe {name_some(sorted(described))}, none of which is a screen of "
            f"the files ({name_some(_screens_of(tables))}). Name the screens as in the files."
        )
    whole = pd.concat(tables, ignore_index=True)
    whole = whole.sort_values(["screen", "gene"], ignore_index=True)[list(SCREEN_COLUMNS)]
    provenance = {
        "files": sorted(files, key=lambda record: (record["file"], record["sha256"])),
        "gene_names": gene_reference_source(),
        "simulated": any(name.startswith(SIMULATED_PREFIX) for name in _screens_of(tables))
        or any(record["file"].startswith("SIMULATED") for record in files),
        "metadata_without_screen": sorted(set(described) - used),
        "sign": "effect > 0: the gene sensitizes tumour cells to NK cells",
    }
    return whole, provenance


def _read_one(
    path: Path, described: dict[str, dict[str, str]]
) -> tuple[pd.DataFrame, dict[str, Any], set[str]]:
    raw = read_raw_screens(path)
    rows = raw.rows.copy()
    assumptions = list(raw.assumptions)
    counts = {"rows_read": len(rows), **raw.counts}
    rows, matched = _describe(rows, path, described, assumptions)
    rows = _keep_numbers(rows, path, counts)
    rows = _approve(rows, path, counts, assumptions)
    rows = _one_row_per_gene(rows, counts)
    if rows.empty:
        raise InputError(
            f"{path} was read as a {raw.layout}, but none of its {counts['rows_read']} rows names "
            "a screen and a gene and gives a log fold change; expected at least one such row."
        )
    signs = np.where(rows["perturbation"] == "gain", -1.0, 1.0)
    # + 0.0 turns the -0.0 of a gain-of-function screen into 0.0
    rows["effect"] = signs * rows["lfc"] + 0.0
    counts["rows_kept"] = len(rows)
    record = {
        "file": path.name,
        "sha256": file_sha256(path),
        "layout": raw.layout,
        "screens": sorted(rows["screen"].unique()),
        "counts": {name: int(count) for name, count in counts.items()},
        "assumptions": assumptions,
    }
    return rows.drop(columns="species"), record, matched


def _describe(
    rows: pd.DataFrame, path: Path, described: dict[str, dict[str, str]], assumptions: list[str]
) -> tuple[pd.DataFrame, set[str]]:
    """Fill the columns that describe a screen: metadata first, then the file, then defaults."""
    stem = screen_stem(path)
    codes, labels = pd.factorize(rows["screen"].astype(object))
    names = [str(label).strip() for label in labels]
    stated = [name for name in METADATA_FIELDS if name in rows]
    by_screen = rows[["screen", *stated]].drop_duplicates().dropna(subset="screen")
    unclear = by_screen.loc[by_screen["screen"].duplicated(), "screen"].unique()
    if len(unclear):
        raise InputError(
            f"{path} describes {name_some(unclear)} in more than one way; expected the same "
            f"{', '.join(stated)} in every row of a screen."
        )
    defaults = {"perturbation": "loss", "source": stem, "species": "human"}
    in_file = by_screen.set_index("screen").to_dict(orient="index")
    columns: dict[str, list[str]] = {name: [] for name in METADATA_FIELDS}
    undirected = []
    for label, name in zip(labels, names, strict=True):
        given = described.get(stem, {}) | described.get(name, {})
        for field in METADATA_FIELDS:
            value = given.get(field, in_file[label].get(field))
            text = str(value).strip() if isinstance(value, str) else ""
            if not text and field == "perturbation":
                undirected.append(name)
            columns[field].append(text or defaults.get(field, "unknown"))
    if undirected:
        listed = name_some(sorted(undirected))
        assumptions.append(f"perturbation taken as loss of function for {listed}")
    wrong = sorted(set(columns["perturbation"]) - set(PERTURBATIONS))
    if wrong:
        raise InputError(
            f"The screens of {path} have the perturbation {name_some(wrong)}; expected "
            f"{' or '.join(PERTURBATIONS)}."
        )
    columns["screen"] = names
    # a row without a screen has the code -1 and picks the empty text, to be dropped
    filled = {
        name: np.array([*values, ""], dtype=object)[codes] for name, values in columns.items()
    }
    return rows.assign(**filled), {name for name in (stem, *names) if name in described}


def _keep_numbers(rows: pd.DataFrame, path: Path, counts: dict[str, int]) -> pd.DataFrame:
    lfc = pd.to_numeric(rows["lfc"], errors="coerce").astype(float)
    missing = rows["lfc"].isna()
    text = lfc.isna() & ~missing
    if text.sum() * 2 > len(rows):
        raise InputError(
            f"{path} has text where log fold changes belong in {int(text.sum())} of {len(rows)} "
            f"rows (for example {str(rows.loc[text, 'lfc'].iloc[0])!r}); expected numbers with a "
            "decimal point."
        )
    infinite = np.isinf(lfc)
    kept = {"lfc": lfc}
    bad = text | infinite
    for name in ("p", "fdr"):
        given = rows[name] if name in rows else pd.Series(np.nan, index=rows.index)
        value = pd.to_numeric(given, errors="coerce").astype(float)
        impossible = (value.isna() & given.notna()) | (value < 0) | (value > 1)
        kept[name] = value.mask(impossible)
        if name == "p":
            counts["dropped_impossible_p"] = int((impossible & ~missing & ~bad).sum())
            bad |= impossible
        else:
            counts["fdr_outside_0_to_1_ignored"] = int((impossible & ~missing & ~bad).sum())
    nameless = rows["screen"] == ""
    counts["dropped_without_screen_name"] = int(nameless.sum())
    counts["not_measured"] = int(missing.sum())
    counts["dropped_text_among_numbers"] = int(text.sum())
    counts["dropped_infinite"] = int(infinite.sum())
    return rows.assign(**kept)[~(missing | bad | nameless)].reset_index(drop=True)


def _approve(
    rows: pd.DataFrame, path: Path, counts: dict[str, int], assumptions: list[str]
) -> pd.DataFrame:
    """Drop what is no gene and bring names up to date, working on each distinct name once."""
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

    def per_row(flags: list[bool]) -> np.ndarray:
        # a missing name has the code -1, which picks the False appended here
        return np.append(np.array(flags, dtype=bool), False)[codes]

    control = per_row([_CONTROL.match(name) is not None for name in given])
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
    return rows.assign(gene=approved)[keep & ~unmapped]


def _repair(name: str, sg_was_stripped: bool) -> str:
    """Undo the harm that spreadsheets and pipelines do to gene symbols, where it is certain."""
    iso = _ISO_DATE.match(name)
    if iso:
        return f"{int(iso['day'])}-{_MONTHS[iso['month']]}"
    shouted = _SHOUTED_DATE.match(name)
    if shouted and (shouted["day"] or shouted["day2"]):
        return f"{int(shouted['day'] or shouted['day2'])}-{shouted['month'].title()}"
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


def _reject_mouse_symbols(names: list[str], codes: np.ndarray, path: Path) -> None:
    present = [names[code] for code in np.unique(codes)]
    lettered = [name for name in present if any(c.isalpha() for c in name)]
    title_case = [name for name in lettered if _TITLE_CASE.match(name)]
    if len(title_case) * 2 > len(lettered):
        raise InputError(
            f"{path} holds mouse gene symbols ({name_some(title_case, 3)}): {len(title_case)} of "
            f"{len(lettered)} names are in title case, while human symbols were expected. Say "
            "species: mouse in the metadata to have them upper-cased."
        )


def _one_row_per_gene(rows: pd.DataFrame, counts: dict[str, int]) -> pd.DataFrame:
    """Of rows that name a gene twice in a screen keep the smallest p, else the largest change."""
    repeated = rows.duplicated(["screen", "gene"], keep=False)
    counts["dropped_duplicates"] = 0
    if not repeated.any():
        return rows
    best = (
        rows[repeated]
        .assign(size=-rows["lfc"].abs())
        # lfc and fdr last: equal rows are resolved the same way in any order of the file
        .sort_values(["screen", "gene", "p", "size", "lfc", "fdr"], na_position="last")
        .drop_duplicates(["screen", "gene"])
        .drop(columns="size")
    )
    counts["dropped_duplicates"] = int(repeated.sum()) - len(best)
    return pd.concat([rows[~repeated], best], ignore_index=True)


def _screens_of(tables: list[pd.DataFrame]) -> list[str]:
    return sorted({str(name) for table in tables for name in table["screen"].unique()})


def _reject_shared_screens(tables: list[pd.DataFrame], files: list[dict[str, Any]]) -> None:
    seen: dict[str, str] = {}
    for table, record in zip(tables, files, strict=True):
        for name in table["screen"].unique():
            if name in seen:
                raise InputError(
                    f"The screen {name} is in {seen[name]} and again in {record['file']}; "
                    "expected every screen once. Leave one out or rename it."
                )
            seen[name] = record["file"]
