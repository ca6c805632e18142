"""Genes named by numbers alone: NCBI's (Entrez) gene ids, told from any other numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable

from nkpredict.io._genes import ENTREZ_PREFIX, known_entrez_ids

# As they stand in files: 7157, 7157.0 where a table program took them for decimals, X7157 where R
# made them names of columns.
_ENTREZ = re.compile(r"^X?(\d{1,9})(?:\.0)?$")
# All set by hand. Row numbers and patients' numbers end below 100,000 or are mostly no gene's,
# while in every collection of human genes some ids lie above: one in a hundred of the genes of
# HG-U95Av2, an array of 1998, and three in ten of all protein-coding ones.
_FEWEST, _MOST = 50, 0.9
_LEAST_KNOWN = 0.4  # NCBI's own counts for GEO name as many pseudogenes and RNA genes
_HIGH, _LEAST_HIGH = 100_000, 0.005
# Names of the column in tables of NCBI, Bioconductor, cBioPortal and GEO, letters alone.
_CALLED = frozenset(
    {"entrez", "entrezgene", "entrezgeneid", "entrezid", "geneid", "ncbigene", "ncbigeneid"}
)


def as_entrez_ids(labels: Iterable[object]) -> list[str] | None:
    """Return the labels of an axis with the prefix of an Entrez id; None when they are none.

    Judged as a whole: nearly all labels are numbers, many are ids of protein-coding genes, and some
    are as large as ids are and row numbers are not.

    Parameters
    ----------
    labels
        Labels of one axis. What is no number stays as it is.
    """
    names = [str(label).strip() for label in labels]
    found = [_ENTREZ.match(name) for name in names]
    numbers = [match[1] for match in found if match]
    if len(numbers) < _FEWEST or len(numbers) < _MOST * len(names):
        return None
    high = sum(int(number) > _HIGH for number in numbers)
    if known_share(numbers) < _LEAST_KNOWN or high < _LEAST_HIGH * len(numbers):
        return None
    return [
        f"{ENTREZ_PREFIX}{int(match[1])}" if match else name
        for name, match in zip(names, found, strict=True)
    ]


def known_share(labels: Iterable[object]) -> float:
    """Share of numbers that are ids of protein-coding genes."""
    known = known_entrez_ids()
    matches = [_ENTREZ.match(str(label).strip()) for label in labels]
    numbers = [str(int(match[1])) for match in matches if match]
    return sum(number in known for number in numbers) / len(numbers) if numbers else 0.0


def called_entrez(label: str) -> bool:
    """Tell whether a column is called like Entrez ids, which are names and no measurements."""
    return re.sub(r"[^a-z]", "", label.lower()) in _CALLED
