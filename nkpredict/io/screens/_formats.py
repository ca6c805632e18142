"""The layouts in which CRISPR screens are published, told apart by their header."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from nkpredict.errors import InputError, name_some
from nkpredict.io._tables import header_labels, read_text_table, separator_of
from nkpredict.io.screens._counts import is_count_table, score_counts
from nkpredict.io.screens._orcs import split_scores
from nkpredict.vocabulary import Perturbation

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
SCORE_LAYOUT = "matrix of RRA scores of negative selection"
COUNT_LAYOUT = "table of guide counts"

EXPECTED_HEADERS = (
    "the study's combined table (Gene,lfc,p,FDR,cell_line), "
    "MAGeCK RRA (id, neg|p-value, neg|lfc, ...), MAGeCK MLE (Gene, CONDITION|beta, ...), "
    "matrices with columns ending in _LFC or _RRAscore, "
    "BioGRID ORCS (action_id,score, or OFFICIAL_SYMBOL ... SCORE.1), "
    "guide counts with a sample sheet (sgRNA, Gene, one column a sample), "
    "or a tidy table (gene, screen, perturbation, effector, lfc, p, ...)"
)

# The study names its screens LINE, LINE_GOF, LINE_KHYG1: without a suffix a screen is loss of
# function against primary NK cells (Dufva et al. 2023, doi 10.1016/j.immuni.2023.11.008).
_SUFFIX_PERTURBATION = {"GOF": Perturbation.GAIN, "LOF": Perturbation.LOSS}
_SUFFIX_EFFECTOR = {"KHYG1": "KHYG-1", "NK92": "NK-92", "PNK": "primary NK"}
_SUFFIXES = re.compile(r"_(?:GOF|LOF|KHYG1|NK92|PNK)(?=_|$)", re.IGNORECASE)

_MLE_VALUES = {
    "lfc": ("beta",),
    "p": ("wald-p-value", "p-value"),
    "fdr": ("wald-fdr", "fdr"),
}

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
        perturbation, effector, source``; numbers not yet checked. ``unsigned``, where it is there,
        marks rows whose p is known without an effect.
    assumptions
        What the file does not say and was taken for granted.
    counts
        What was met while the layout was resolved.
    """

    layout: str
    rows: pd.DataFrame
    assumptions: tuple[str, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)


def read_raw_screens(path: Path, sheet: pd.DataFrame | None = None) -> RawScreens:
    """Read one screen file of any known layout.

    Parameters
    ----------
    path
        Text separated by commas, tabs or semicolons, plain or gzip-compressed.
    sheet
        Sample sheet, needed for a table of guide counts; see
        :func:`read_sample_sheet`.

    Returns
    -------
    RawScreens
        Long form, one row per gene and screen; RRA scores (`SCORE_LAYOUT`) have ``gene, screen,
        score`` and wait for the fold changes of another file.

    Raises
    ------
    InputError
        When the file is unreadable, its header is unknown, a column name occurs twice, or guide
        counts come without a sample sheet.
    """
    try:
        table = read_text_table(path, WHAT)
        labels = header_labels(path, separator_of(path))
    except (zlib.error, OSError) as error:
        raise InputError(
            f"{path} is a damaged gzip file ({error}); expected the {WHAT}. Fetch it again."
        ) from error
    repeated = sorted({label for label in labels if labels.count(label) > 1})
    if repeated:
        raise InputError(
            f"{path} has {len(repeated)} column name{'s' if len(repeated) > 1 else ''} more than "
            f"once ({name_some(repeated)}); expected every column once. Rename or remove them."
        )
    if isinstance(table.index, pd.MultiIndex):
        raise InputError(
            f"{path} has rows with {table.index.nlevels} values more than its header has columns; "
            f"expected the {WHAT} with one name for every column."
        )
    if not isinstance(table.index, pd.RangeIndex):
        # R's write.table leaves out the corner of the header, so names land in the index
        table = table.reset_index(names="")
    table.columns = pd.Index(labels) if len(labels) == table.shape[1] else table.columns.map(str)
    for recognises, read in _LAYOUTS:
        if recognises(table):
            return read(table, screen_stem(path))
    if is_count_table(table):
        return _read_counts(table, sheet, path)
    raise InputError(
        f"{path} has the columns {name_some(labels, 8)}, which is no known screen table; expected "
        f"{EXPECTED_HEADERS}."
    )


def screen_stem(path: Path) -> str:
    """Name a screen after its file: without folder, compression and the endings of MAGeCK."""
    name = re.sub(r"\.gz$", "", path.name, flags=re.IGNORECASE)
    name = re.sub(r"\.(txt|tsv|csv)$", "", name, flags=re.IGNORECASE)
    return (
        re.sub(
            r"(([._](mle|rra))?\.gene_summary|\.count(_normalized)?)$",
            "",
            name,
            flags=re.IGNORECASE,
        )
        or path.name
    )


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
    names = table[columns["cell_line"]]
    parsed = {name: _parse_study_screen(str(name).strip()) for name in names.dropna().unique()}
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
    perturbation, effector = Perturbation.LOSS, "primary NK"
    for match in _SUFFIXES.finditer(name):
        suffix = match[0][1:].upper()
        perturbation = _SUFFIX_PERTURBATION.get(suffix, perturbation)
        effector = _SUFFIX_EFFECTOR.get(suffix, effector)
    return _SUFFIXES.sub("", name), perturbation, effector


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
        # Permutation p-values stop at 1 / genes and come out far too small; see docs/decisions/002.
        for name, labels in _MLE_VALUES.items():
            found = [c for c in (columns.get(f"{condition}|{x}".lower()) for x in labels) if c]
            block[name] = table[found[0]] if found else np.nan
        blocks.append(pd.DataFrame(block))
    return RawScreens(
        "MAGeCK MLE gene summary",
        pd.concat(blocks, ignore_index=True),
        (
            _ASSUMED_COMPARISON,
            "beta is read as the log fold change; p is the Wald test's, else the permutation's",
        ),
    )


def _is_fold_change_matrix(table: pd.DataFrame) -> bool:
    return _ends_everywhere(table, "_lfc")


def _read_fold_change_matrix(table: pd.DataFrame, stem: str) -> RawScreens:
    return RawScreens(
        "matrix of log2 fold changes",
        _melted(table, "_LFC", "lfc", stem).assign(p=np.nan, fdr=np.nan),
        (_ASSUMED_COMPARISON, "p-values are not in the file"),
    )


def _is_score_matrix(table: pd.DataFrame) -> bool:
    return _ends_everywhere(table, "_rrascore")


def _read_score_matrix(table: pd.DataFrame, stem: str) -> RawScreens:
    return RawScreens(SCORE_LAYOUT, _melted(table, "_RRAscore", "score", stem))


def _is_orcs_scores(table: pd.DataFrame) -> bool:
    columns = _lower(table)
    return set(columns) == {"action_id", "score"} or {"official_symbol", "score.1"} <= set(columns)


def _read_orcs_scores(table: pd.DataFrame, stem: str) -> RawScreens:
    columns = _lower(table)
    short = "action_id" in columns
    gene, score = ("action_id", "score") if short else ("official_symbol", "score.1")
    # ORCS writes a hyphen where there is none
    scores = table[columns[score]].replace("-", np.nan)
    if not (pd.to_numeric(scores, errors="coerce") < 0).any():
        raise InputError(
            f"The scores of {stem} ({columns[score]}) have no negative value, so they are no "
            "effects with a sign; expected log fold changes or MAGeCK's beta. The index of BioGRID "
            "ORCS says what a score means; write effects and p-values as a tidy screen table."
        )
    rows, counts, notes = split_scores(scores)
    further = [columns[name] for name in columns if name.startswith("score.") and name != score]
    return RawScreens(
        "scores of BioGRID ORCS",
        rows.assign(gene=table[columns[gene]], screen=stem, unsigned=rows["p"].notna()),
        (
            _ASSUMED_COMPARISON,
            f"{columns[score]} is read as the log fold change"
            f"{f'; the file does not say what {name_some(further)} mean' if further else ''}",
            *notes,
        ),
        counts,
    )


def _melted(table: pd.DataFrame, ending: str, value: str, stem: str) -> pd.DataFrame:
    """One row per gene and column; screens are named like the columns without the ending."""
    names = [str(column)[: -len(ending)] or stem for column in table.columns[1:]]
    return pd.DataFrame(
        {
            "gene": np.tile(table.iloc[:, 0].to_numpy(), len(names)),
            "screen": np.repeat(names, len(table)),
            value: np.concatenate([table[column].to_numpy() for column in table.columns[1:]]),
        }
    )


def _read_counts(table: pd.DataFrame, sheet: pd.DataFrame | None, path: Path) -> RawScreens:
    if sheet is None:
        raise InputError(
            f"{path} is a table of guide counts (samples {name_some(table.columns[2:])}), by "
            "itself no known screen table; expected a sample sheet beside it that gives every "
            "sample the role NK or control (columns sample, role and, where needed, replicate, "
            "screen, cell_line, perturbation, effector)."
        )
    scored = score_counts(table, screen_stem(path), sheet, path)
    return RawScreens(
        COUNT_LAYOUT, scored.rows, (_ASSUMED_COMPARISON, *scored.notes), scored.counts
    )


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
    (_is_score_matrix, _read_score_matrix),
    (_is_orcs_scores, _read_orcs_scores),
)
