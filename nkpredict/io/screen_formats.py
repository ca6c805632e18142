"""The layouts in which CRISPR screens are published, told apart by their header."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from nkpredict.errors import InputError, name_some
from nkpredict.io.tables import first_line, read_text_table, separator_of

SCREEN_COLUMNS = (
    "gene",
    "screen",
    "cell_line",
    "perturbation",
    "effector",
    "effect",
    "lfc",
    "p",
    "fdr",
    "source",
)
"""Columns of the tidy table, in order."""

WHAT = "result table of a CRISPR screen"

EXPECTED_HEADERS = (
    "the study's combined table (Gene,lfc,p,FDR,cell_line), "
    "a MAGeCK RRA gene summary (id, neg|p-value, neg|lfc, pos|p-value, ...), "
    "a MAGeCK MLE gene summary (Gene, CONDITION|beta, CONDITION|p-value, ...), "
    "a matrix of log2 fold changes (gene names, then columns ending in _LFC), "
    "or a tidy screen table (gene, screen, perturbation, effector, lfc, p, ...)"
)

# The study names its screens LINE, LINE_GOF, LINE_KHYG1: without a suffix a screen is loss of
# function against primary NK cells (Dufva et al. 2023, doi 10.1016/j.immuni.2023.11.008).
_SUFFIX_PERTURBATION = {"GOF": "gain", "LOF": "loss"}
_SUFFIX_EFFECTOR = {"KHYG1": "KHYG-1", "NK92": "NK-92", "PNK": "primary NK"}
_SUFFIXES = re.compile(r"_(?:GOF|LOF|KHYG1|NK92|PNK)(?=_|$)", re.IGNORECASE)

_ASSUMED_COMPARISON = "log fold changes compare cells with effector cells to cells without"


@dataclass(frozen=True)
class RawScreens:
    """One file, brought to long form before any row is judged.

    Attributes
    ----------
    layout
        Name of the layout that was recognised.
    rows
        Columns ``gene, screen, lfc, p, fdr`` and, where the file says so, ``cell_line,
        perturbation, effector, source``; numbers not yet checked.
    assumptions
        What the file does not say and was taken for granted.
    counts
        What was met while the layout was resolved.
    """

    layout: str
    rows: pd.DataFrame
    assumptions: tuple[str, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)


def read_raw_screens(path: Path) -> RawScreens:
    """Read one screen file of any known layout.

    Parameters
    ----------
    path
        Text separated by commas, tabs or semicolons, plain or gzip-compressed.

    Returns
    -------
    RawScreens
        Long form, one row per gene and screen.

    Raises
    ------
    InputError
        When the file is unreadable, its header is unknown, a column name occurs twice, or the
        layout carries no direction of effect.
    """
    table = read_text_table(path, WHAT)
    labels = [label.strip().strip('"') for label in first_line(path).split(separator_of(path))]
    repeated = sorted({label for label in labels if labels.count(label) > 1})
    if repeated:
        raise InputError(
            f"{path} has {len(repeated)} column name{'s' if len(repeated) > 1 else ''} more than "
            f"once ({name_some(repeated)}); expected every column once. Rename or remove them."
        )
    if not isinstance(table.index, pd.RangeIndex):
        # R's write.table leaves out the corner of the header, so names land in the index
        table = table.reset_index(names="")
        labels = ["", *labels]
    table.columns = pd.Index(labels) if len(labels) == table.shape[1] else table.columns.map(str)
    for recognises, read in _LAYOUTS:
        if recognises(table):
            return read(table, screen_stem(path))
    if _is_score_matrix(table):
        raise InputError(
            f"{path} holds only RRA scores of negative selection (columns ending in _RRAscore), "
            "which are neither p-values nor effects with a direction. Give the matching matrix of "
            "log2 fold changes (columns ending in _LFC) or MAGeCK's gene summary instead."
        )
    raise InputError(
        f"{path} has the columns {name_some(labels, 8)}, which is no known screen table; expected "
        f"{EXPECTED_HEADERS}."
    )


def screen_stem(path: Path) -> str:
    """Name a screen after its file: without folder, compression and the endings of MAGeCK."""
    name = re.sub(r"\.gz$", "", path.name, flags=re.IGNORECASE)
    name = re.sub(r"\.(txt|tsv|csv)$", "", name, flags=re.IGNORECASE)
    return re.sub(r"([._](mle|rra))?\.gene_summary$", "", name, flags=re.IGNORECASE) or path.name


def _lower(table: pd.DataFrame) -> dict[str, str]:
    return {str(column).lower(): column for column in table.columns}


def _is_tidy(table: pd.DataFrame) -> bool:
    return {"gene", "screen", "perturbation", "effector", "lfc"} <= set(table.columns)


def _read_tidy(table: pd.DataFrame, stem: str) -> RawScreens:
    rows = table[[column for column in SCREEN_COLUMNS if column in table.columns]]
    # effect is worked out again from lfc and perturbation, so the two cannot disagree
    return RawScreens("tidy screen table", rows.drop(columns="effect", errors="ignore"))


def _is_combined(table: pd.DataFrame) -> bool:
    return {"gene", "lfc", "p", "cell_line"} <= _lower(table).keys()


def _read_combined(table: pd.DataFrame, stem: str) -> RawScreens:
    columns = _lower(table)
    names = table[columns["cell_line"]].astype(str).str.strip()
    parsed = {name: _parse_study_screen(name) for name in names.unique()}
    rows = pd.DataFrame(
        {
            "gene": table[columns["gene"]],
            "screen": names,
            "cell_line": names.map({name: parts[0] for name, parts in parsed.items()}),
            "perturbation": names.map({name: parts[1] for name, parts in parsed.items()}),
            "effector": names.map({name: parts[2] for name, parts in parsed.items()}),
            "lfc": table[columns["lfc"]],
            "p": table[columns["p"]],
            "fdr": table[columns["fdr"]] if "fdr" in columns else np.nan,
        }
    )
    return RawScreens("combined table of the study", rows)


def _parse_study_screen(name: str) -> tuple[str, str, str]:
    suffixes = [match[0][1:].upper() for match in _SUFFIXES.finditer(name)]
    perturbation = next(
        (_SUFFIX_PERTURBATION[s] for s in suffixes if s in _SUFFIX_PERTURBATION), ""
    )
    effector = next((_SUFFIX_EFFECTOR[s] for s in suffixes if s in _SUFFIX_EFFECTOR), "")
    return _SUFFIXES.sub("", name), perturbation or "loss", effector or "primary NK"


def _is_rra(table: pd.DataFrame) -> bool:
    needed = {"id", "neg|p-value", "neg|lfc", "pos|p-value", "pos|lfc"}
    return needed <= _lower(table).keys()


def _read_rra(table: pd.DataFrame, stem: str) -> RawScreens:
    columns = _lower(table)

    def number(label: str) -> pd.Series:
        if label not in columns:
            return pd.Series(np.nan, index=table.index)
        return pd.to_numeric(table[columns[label]], errors="coerce")

    negative, positive = number("neg|p-value"), number("pos|p-value")
    depleted = negative <= positive
    lfc = number("neg|lfc").where(depleted, number("pos|lfc"))
    # A few guides can make a side significant although the median guide points the other way;
    # the p-value then has to be that of the side the fold change points to.
    contradicted = (depleted & (lfc > 0)) | (~depleted & (lfc < 0))
    side = depleted ^ contradicted
    rows = pd.DataFrame(
        {
            "gene": table[columns["id"]],
            "screen": stem,
            "lfc": table[columns["neg|lfc"]].where(depleted, table[columns["pos|lfc"]]),
            "p": (2 * negative.where(side, positive)).clip(upper=1.0),
            "fdr": number("neg|fdr").where(side, number("pos|fdr")),
        }
    )
    return RawScreens(
        "MAGeCK RRA gene summary",
        rows,
        (_ASSUMED_COMPARISON, "p is two-sided: twice the p-value of the side, at most 1"),
        {"side_contradicts_fold_change": int(contradicted.sum())},
    )


def _mle_conditions(table: pd.DataFrame) -> list[str]:
    return [str(c)[: -len("|beta")] for c in table.columns if str(c).lower().endswith("|beta")]


def _is_mle(table: pd.DataFrame) -> bool:
    return "gene" in _lower(table) and bool(_mle_conditions(table))


def _read_mle(table: pd.DataFrame, stem: str) -> RawScreens:
    columns = _lower(table)
    blocks = []
    for condition in _mle_conditions(table):
        block = {"gene": table[columns["gene"]], "screen": f"{stem}_{condition}"}
        for name, label in (("lfc", "beta"), ("p", "p-value"), ("fdr", "fdr")):
            column = columns.get(f"{condition}|{label}".lower())
            block[name] = np.nan if column is None else table[column]
        blocks.append(pd.DataFrame(block))
    return RawScreens(
        "MAGeCK MLE gene summary",
        pd.concat(blocks, ignore_index=True),
        (_ASSUMED_COMPARISON, "beta is read as the log fold change, p as the permutation p-value"),
    )


def _is_fold_change_matrix(table: pd.DataFrame) -> bool:
    return _ends_everywhere(table, "_lfc")


def _read_fold_change_matrix(table: pd.DataFrame, stem: str) -> RawScreens:
    gene = table.iloc[:, 0]
    blocks = [
        pd.DataFrame(
            {
                "gene": gene,
                "screen": str(column)[: -len("_LFC")] or stem,
                "lfc": table[column],
                "p": np.nan,
                "fdr": np.nan,
            }
        )
        for column in table.columns[1:]
    ]
    return RawScreens(
        "matrix of log2 fold changes",
        pd.concat(blocks, ignore_index=True),
        (_ASSUMED_COMPARISON, "p-values are not in the file"),
    )


def _is_score_matrix(table: pd.DataFrame) -> bool:
    return _ends_everywhere(table, "_rrascore")


def _ends_everywhere(table: pd.DataFrame, ending: str) -> bool:
    labels = [str(column).lower() for column in table.columns]
    return (
        len(labels) > 1
        and not labels[0].endswith(ending)
        and all(label.endswith(ending) for label in labels[1:])
    )


_LAYOUTS: tuple[
    tuple[Callable[[pd.DataFrame], bool], Callable[[pd.DataFrame, str], RawScreens]], ...
] = (
    (_is_tidy, _read_tidy),
    (_is_combined, _read_combined),
    (_is_rra, _read_rra),
    (_is_mle, _read_mle),
    (_is_fold_change_matrix, _read_fold_change_matrix),
)
