"""Read CRISPR screen results of any published layout into one tidy, checked table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from nkpredict.errors import InputError, name_some
from nkpredict.facts import ScreenFacts, ScreenFileFacts
from nkpredict.io._genes import gene_reference_source
from nkpredict.io._simulated import SIMULATED_PREFIX
from nkpredict.io._writing import file_sha256, require_file
from nkpredict.io.screens._experiments import same_experiments
from nkpredict.io.screens._formats import (
    COUNT_LAYOUT,
    SCREEN_COLUMNS,
    WHAT,
    RawScreens,
    read_raw_screens,
    screen_stem,
)
from nkpredict.io.screens._genes import approve_screen_genes
from nkpredict.io.screens._metadata import (
    METADATA_FIELDS,
    ScreenMetadata,
    read_screen_metadata,
)
from nkpredict.io.screens._sample_sheet import SampleSheet, read_sample_sheet
from nkpredict.io.screens._scores import is_scores, join_scores
from nkpredict.vocabulary import UNKNOWN, Perturbation

# What names of gain-of-function screens hold: the field's words, and the activation libraries
# Calabrese and SAM.
_GAIN_WORDS = re.compile(
    r"(?<![a-z0-9])(?:gof|crispr-?a|calabrese|sam|activation|overexpression|gain)(?![a-z0-9])",
    re.IGNORECASE,
)


def read_screen_tables(
    *paths: str | Path,
    metadata: ScreenMetadata | None = None,
    sample_sheet: SampleSheet | None = None,
) -> tuple[pd.DataFrame, ScreenFacts]:
    """Read screen files and bring them to one convention of sign and one set of gene names.

    Parameters
    ----------
    *paths
        One or more files, each of any layout named in
        :data:`~EXPECTED_HEADERS`, recognised by its header.
    metadata
        What the files do not say: screen name (or file stem, for all screens of the file) →
        ``cell_line``, ``perturbation`` (``loss`` or ``gain``), ``effector``, ``species``
        (``human`` or ``mouse``), ``source``, ``experiment`` (screens that share it are analyses of
        the same cells and count once); a mapping, or a YAML or CSV file with a ``screen``
        column. It wins over what a file says.
    sample_sheet
        Needed for tables of guide counts: which samples are ``NK`` and which ``control``, and
        what is known of their screens; see :func:`read_sample_sheet`.

    Returns
    -------
    table : pandas.DataFrame
        One row per gene and screen, sorted by both, columns as in ``SCREEN_COLUMNS``. ``effect``
        is ``lfc`` for loss of function and ``-lfc`` for gain of function, so that + means the
        gene sensitizes tumour cells to NK cells. ``lfc``, ``p``, ``fdr`` as published, NaN where
        absent. ``lfc`` and ``effect`` are NaN where a file gives the p of a gene without its sign.
    provenance : ScreenFacts
        Files with SHA-256, layout, rows read, repaired and dropped for each reason, assumptions,
        and ``simulated``.

    Raises
    ------
    InputError
        When a file cannot be read, has an unknown header, holds mouse symbols without saying so,
        or leaves no usable row, when two files hold the same screen, or when guide counts lack
        their sample sheet or RRA scores their fold changes.
    """
    if not paths:
        raise InputError(f"No file was given; expected at least one {WHAT}.")
    described = read_screen_metadata(metadata)
    sheet = None if sample_sheet is None else read_sample_sheet(sample_sheet)
    raws = {path: read_raw_screens(path, sheet) for path in _files(paths)}
    if sheet is not None:
        _reject_unused_sheet(sheet, raws)
    used: set[str] = set()
    tables, files, companions = [], [], []
    experiments: dict[str, str] = {}
    for path in [path for path, raw in raws.items() if is_scores(raw)]:
        scores = raws.pop(path)
        raws, counts = join_scores(scores, raws, path)
        companions.append(_record(path, scores, scores.rows["screen"], counts, []))
    for path, raw in raws.items():
        table, record, matched = _tidied(path, raw, described)
        used |= matched
        stated = table[["screen", "experiment"]].drop_duplicates()
        experiments |= dict(stated.itertuples(index=False, name=None))
        tables.append(table.drop(columns="experiment"))
        files.append(record)
    _reject_shared_screens(tables, files)
    files, experiments = same_experiments(tables, files, experiments)
    if described and not used:
        raise InputError(
            f"The metadata describe {name_some(sorted(described))}, none of which is a screen of "
            f"the files ({name_some(_screens_of(tables))}). Name the screens as in the files."
        )
    whole = pd.concat(tables, ignore_index=True)
    whole = whole.sort_values(["screen", "gene"], ignore_index=True)[list(SCREEN_COLUMNS)]
    files += companions
    provenance = ScreenFacts(
        files=tuple(sorted(files, key=lambda known: (known.file, known.sha256))),
        gene_names=gene_reference_source(),
        simulated=any(name.startswith(SIMULATED_PREFIX) for name in _screens_of(tables))
        or any(known.file.startswith("SIMULATED") for known in files),
        experiments=experiments or None,
        metadata_without_screen=tuple(sorted(set(described) - used)),
        sign="effect > 0: the gene sensitizes tumour cells to NK cells",
    )
    return whole, provenance


def _files(paths: Sequence[str | Path]) -> list[Path]:
    files = [require_file(path, WHAT) for path in paths]
    for number, path in enumerate(files):
        if path in files[:number]:
            raise InputError(f"{path} is given twice; expected every file once.")
    return files


def _reject_unused_sheet(sheet: pd.DataFrame, raws: dict[Path, RawScreens]) -> None:
    if not any(raw.layout == COUNT_LAYOUT for raw in raws.values()):
        raise InputError(
            f"A sample sheet with {name_some(sheet['sample'].unique())} was given, but none of the "
            f"files is a table of guide counts ({name_some(p.name for p in raws)}); expected one "
            "with the columns sgRNA, Gene and these samples."
        )


def _tidied(
    path: Path, raw: RawScreens, described: dict[str, dict[str, str]]
) -> tuple[pd.DataFrame, ScreenFileFacts, set[str]]:
    rows = raw.rows.copy()
    assumptions = list(raw.assumptions)
    counts = {"rows_read": len(rows), **raw.counts}
    rows, matched = _describe(rows, path, described, assumptions)
    rows = _keep_numbers(rows, path, counts)
    rows = approve_screen_genes(rows, path, counts, assumptions)
    rows = _one_row_per_gene(rows, counts)
    if rows.empty:
        raise InputError(
            f"{path} was read as a {raw.layout}, but none of its {counts['rows_read']} rows names "
            "a screen and a gene and gives a log fold change; expected at least one such row."
        )
    signs = np.where(rows["perturbation"] == Perturbation.GAIN, -1.0, 1.0)
    # + 0.0 turns the -0.0 of a gain-of-function screen into 0.0
    rows["effect"] = signs * rows["lfc"] + 0.0
    counts["rows_kept"] = len(rows)
    record = _record(path, raw, rows["screen"], counts, assumptions)
    return rows.drop(columns=["species", "unsigned"], errors="ignore"), record, matched


def _record(
    path: Path,
    raw: RawScreens,
    screens: pd.Series,
    counts: dict[str, int],
    assumptions: list[str],
) -> ScreenFileFacts:
    return ScreenFileFacts(
        file=path.name,
        sha256=file_sha256(path),
        layout=raw.layout,
        screens=tuple(sorted(screens.unique())),
        counts={name: int(count) for name, count in counts.items()},
        assumptions=tuple(assumptions),
    )


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
    defaults = {"perturbation": Perturbation.LOSS.value, "source": stem, "species": "human"}
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
            columns[field].append(text or defaults.get(field, UNKNOWN))
    _refuse_unstated_gain(path, undirected)
    if undirected:
        listed = name_some(sorted(undirected))
        assumptions.append(f"perturbation taken as loss of function for {listed}")
    wrong = sorted(set(columns["perturbation"]) - set(Perturbation))
    if wrong:
        raise InputError(
            f"The screens of {path} have the perturbation {name_some(wrong)}; expected "
            f"{' or '.join(Perturbation)}."
        )
    columns["screen"] = names
    # a row without a screen has the code -1 and picks the empty text, to be dropped
    filled = {
        name: np.array([*values, ""], dtype=object)[codes] for name, values in columns.items()
    }
    return rows.assign(**filled), {name for name in (stem, *names) if name in described}


def _refuse_unstated_gain(path: Path, undirected: Sequence[str]) -> None:
    """Refuse screens whose names speak of gain of function where nothing states the perturbation.

    Read as loss of function, every sign would be turned.
    """
    in_file = _GAIN_WORDS.search(screen_stem(path)) is not None
    gain = sorted(name for name in undirected if in_file or _GAIN_WORDS.search(name))
    if gain:
        raise InputError(
            f"The names of {path} and its {len(gain)} screens ({name_some(gain)}) speak of gain of "
            "function, and nothing states their perturbation; expected gain or loss as the "
            "perturbation of each screen, in its table or in the description of the screens "
            "(--screen-meta)."
        )


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
    numbers = {"lfc": lfc}
    bad = text | infinite
    for name in ("p", "fdr"):
        given = rows[name] if name in rows else pd.Series(np.nan, index=rows.index)
        value = pd.to_numeric(given, errors="coerce").astype(float)
        impossible = (value.isna() & given.notna()) | (value < 0) | (value > 1)
        numbers[name] = value.mask(impossible)
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
    # a p-value without effect is kept where its layout says that it is one
    unsigned = rows.get("unsigned", pd.Series(False, index=rows.index)) & numbers["p"].notna()
    counts["not_measured"] -= int((missing & unsigned).sum())
    keep = ~((missing & ~unsigned) | bad | nameless)
    return rows.assign(**numbers)[keep].reset_index(drop=True)


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


def _reject_shared_screens(tables: list[pd.DataFrame], files: list[ScreenFileFacts]) -> None:
    seen: dict[str, str] = {}
    for table, known in zip(tables, files, strict=True):
        for name in table["screen"].unique():
            if name in seen:
                raise InputError(
                    f"The screen {name} is in {seen[name]} and again in {known.file}; "
                    "expected every screen once. Leave one out or rename it."
                )
            seen[name] = known.file
