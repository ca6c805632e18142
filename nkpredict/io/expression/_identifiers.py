"""Identifiers that are no human genes: told by name, with what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable

from nkpredict.errors import InputError, name_some

_CHIP = (
    "Map the probe sets to gene symbols with the annotation of the chip (in R hgu133plus2.db, "
    "illuminaHumanv4.db and alike), take one row a gene, and read the table again"
)
_ORTHOLOGUES = "Map the genes to their human orthologues first; nkpredict reads human genes"
_FOREIGN = (
    (r"^\d+(_[a-z]{1,2})?_at$|^AFFX[-_]", "Affymetrix probe sets", _CHIP),
    (r"^(TC\d{6,}|TC[0-9XY]{2}\d+)\S*\.hg\.\d+$|^(PSR|JUC)\d{6,}", "Affymetrix probe sets", _CHIP),
    (r"^ILMN_\d+$", "Illumina probes", _CHIP),
    (r"^A_\d{2}_P\d+$", "Agilent probes", _CHIP),
    (r"^cg\d{8}", "methylation probes", "Give the expression of the samples instead"),
    (r"^(hsa-)?(mir|let|MIR)-?\w+(-[35]p)?\*?$", "microRNAs", "Give the expression of genes"),
    (
        r"^(ENST\d{11}|[NX][MR]_\d+)",
        "transcripts",
        "Add them up for each gene (in R tximport does) and read the table again",
    ),
    (r"^ENSP\d{11}", "proteins", "Give the expression of genes"),
    (r"^ENSMUSG\d{11}", "mouse genes", _ORTHOLOGUES),
    (r"^ENS(?!G\d|T\d|P\d|MUSG)[A-Z]{3,4}G\d{11}", "genes of another species", _ORTHOLOGUES),
)
_FOREIGN_PATTERNS = tuple((re.compile(pattern), what, mend) for pattern, what, mend in _FOREIGN)
# UniProt accessions; names of patients such as P01005 look alike, but there are fewer of them.
_PROTEIN = re.compile(r"^([OPQ]\d[A-Z0-9]{3}\d|[A-NR-Z]\d([A-Z][A-Z0-9]{2}\d){1,2})(-\d+)?$")
_MANY = 500
_MOUSE = re.compile(r"^[A-Z][a-z][a-z0-9]*[a-z0-9-]*$")
_ENTREZ = re.compile(r"^\d{1,9}(\.0)?$")
# Share of the labels that must be of one kind; set by hand.
_MOST = 0.5
_LOOKED_AT = 5000


def foreign_kind(labels: Iterable[object]) -> tuple[str, str] | None:
    """Name the kind of identifiers that are no human genes, and what to do with them.

    Parameters
    ----------
    labels
        Labels of one axis.

    Returns
    -------
    tuple of str or None
        The kind and the advice; None when most labels are of no such kind.
    """
    names = [str(label).strip() for label in labels][:_LOOKED_AT]
    if not names:
        return None
    for pattern, what, mend in _FOREIGN_PATTERNS:
        if sum(pattern.match(name) is not None for name in names) > _MOST * len(names):
            return what, mend
    proteins = sum(_PROTEIN.match(name) is not None for name in names)
    if len(names) >= _MANY and proteins > _MOST * len(names):
        return "proteins", "Give the expression of genes"
    return None


def reject_foreign(rows: Iterable[object], columns: Iterable[object], path: str) -> None:
    """Refuse a matrix whose genes are no human genes, by name.

    Parameters
    ----------
    rows, columns
        Labels of both axes.
    path
        The file, for the message.

    Raises
    ------
    InputError
        For probe sets, transcripts, proteins, methylation probes and other species.
    """
    for labels in (list(rows), list(columns)):
        found = foreign_kind(labels)
        if found is not None:
            what, mend = found
            raise InputError(
                f"{path} names {what} ({name_some(labels, 3)}), not human genes. {mend}."
            )


def reject_mouse(names: Iterable[str], path: str) -> None:
    """Refuse gene symbols in title case, as mouse symbols are written.

    Raises
    ------
    InputError
        When most names with two letters or more are in title case.
    """
    lettered = [name for name in names if sum(c.isalpha() for c in name) > 1]
    title = [name for name in lettered if _MOUSE.match(name)]
    if title and len(title) > _MOST * len(lettered):
        raise InputError(
            f"{path} holds mouse gene symbols ({name_some(title, 3)}): {len(title):,} of "
            f"{len(lettered):,} names are in title case. {_ORTHOLOGUES}."
        )


def are_numbers(labels: Iterable[object]) -> bool:
    """Tell whether labels are whole numbers, as Entrez ids are, and do not merely count."""
    names = [str(label).strip() for label in labels][:_LOOKED_AT]
    if not names or not all(_ENTREZ.match(name) for name in names):
        return False
    numbers = [int(float(name)) for name in names]
    return len(numbers) > 1 and numbers not in (
        list(range(len(numbers))),
        list(range(1, len(numbers) + 1)),
    )
