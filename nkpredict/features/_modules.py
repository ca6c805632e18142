"""Gene modules and pathways: their files, and scores that fold back onto their genes."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from nkpredict.errors import InputError, in_words, name_some
from nkpredict.evidence import gene_modules
from nkpredict.features._profiles import not_expression
from nkpredict.io import approve_gene_names, first_lines, require_file
from nkpredict.types import AnyArray, FloatArray, IndexArray

NK_MODULES = "nk"
"""Word that stands for the shipped modules of genes relevant to killing by NK cells."""

MINIMUM_MEMBERS = 3
"""Fewest genes of a module in the data: with two, one gene would carry half of the score. Larger
minima would leave out curated modules such as adhesion, which has four genes. Set by hand."""

GeneSets: TypeAlias = Mapping[str, Iterable[str]] | str | Path

_GMT = "gene sets as GMT, one a line: name, description and genes, separated by tabs"


def read_gene_sets(source: GeneSets) -> dict[str, tuple[str, ...]]:
    """Read gene sets.

    Parameters
    ----------
    source
        GMT file (plain or gzip; Subramanian et al., PNAS 2005, doi 10.1073/pnas.0506580102), a
        mapping of set name to gene names, or ``"nk"`` for the shipped modules of genes relevant
        to killing by NK cells (a file of that name is ``"./nk"``).

    Returns
    -------
    dict of str to tuple of str
        Genes of each set as they are named in the source, each once.

    Raises
    ------
    InputError
        When there is no such file, it is no GMT, two sets have one name, a set has no gene or
        there is no set.
    """
    if isinstance(source, Mapping):
        return _checked([(str(name), genes) for name, genes in source.items()], "The mapping")
    if str(source) == NK_MODULES:
        return {name: module.genes for name, module in gene_modules().items()}
    path = require_file(source, _GMT)
    try:
        lines = first_lines(path, sys.maxsize)
    except InputError as error:
        raise InputError(
            f"{path} is not readable text ({in_words(error.__cause__ or error)}); expected {_GMT}."
        ) from error
    rows = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        name, *rest = line.split("\t")
        if len(rest) < 2 or not name.strip():
            raise InputError(
                f"{path} is no GMT file: line {number} has {len(rest) + 1} columns and begins with "
                f"{line[:40]!r}; expected {_GMT}."
            )
        rows.append((name.strip(), rest[1:]))
    return _checked(rows, str(path))


def _checked(rows: list[tuple[str, Any]], where: str) -> dict[str, tuple[str, ...]]:
    if not rows:
        raise InputError(f"{where} holds no gene set; expected one at least.")
    repeated = [name for name, count in Counter(name for name, _ in rows).items() if count > 1]
    if repeated:
        raise InputError(
            f"{where} has {len(repeated)} names of gene sets more than once "
            f"({name_some(repeated)}); expected every name once. Rename or remove them."
        )
    wrong = [
        name for name, genes in rows if isinstance(genes, str) or not isinstance(genes, Iterable)
    ]
    if wrong:
        raise InputError(
            f"{where} has {len(wrong)} gene sets that are no list of gene names "
            f"({name_some(wrong)}); expected several names for each set."
        )
    stripped = {
        name: dict.fromkeys(text for gene in genes if (text := str(gene).strip()))
        for name, genes in rows
    }
    empty = [name for name, genes in stripped.items() if not genes]
    if empty:
        raise InputError(
            f"{where} has {len(empty)} gene sets without any gene ({name_some(empty)}); add genes "
            "or remove them."
        )
    return {name: tuple(genes) for name, genes in stripped.items()}


class ModuleScores:
    """Score of each module: the mean of its genes' standardised values.

    This is the weighted mean of decoupler (Badia-i-Mompel et al., Bioinformatics Advances 2022,
    doi 10.1093/bioadv/vbac016) with the same weight for all genes of a module. It is linear on
    purpose: what a module adds to a prediction can be passed on to its genes. A missing gene
    counts as average.

    A gene of a set is found in the data by its name as it stands, else by its approved symbol.
    Sets with fewer than `MINIMUM_MEMBERS` genes in the data are left out.

    Parameters
    ----------
    gene_sets
        Set name → gene names, see `read_gene_sets`.
    genes
        Names of the genes of the data, in column order; genetics are never members.

    Attributes
    ----------
    gene_sets : dict of str to tuple of str
        Sets that are used, sorted by name → their genes as named in the data, in column order.
    left_out : dict of str to str
        Sets that are not used → why.
    provenance : dict
        Number of sets ``used``, those ``left_out``, and number of ``genes_named`` by all sets and
        of ``genes_used``.

    Raises
    ------
    InputError
        When no set has enough genes in the data.
    """

    def __init__(self, gene_sets: Mapping[str, Iterable[str]], genes: AnyArray | pd.Index) -> None:
        other = not_expression(genes)
        place = {
            str(gene): number
            for number, gene in enumerate(genes)
            if other is None or not other[number]
        }
        wanted = {name: list(listed) for name, listed in sorted(gene_sets.items())}
        named = {gene for listed in wanted.values() for gene in listed}
        unknown = sorted(named - place.keys())
        renamed = dict(zip(unknown, approve_gene_names(unknown).approved, strict=True))
        self.n_genes = len(genes)
        self.gene_sets: dict[str, tuple[str, ...]] = {}
        self.left_out: dict[str, str] = {}
        self._members: list[IndexArray] = []
        for name, listed in wanted.items():
            symbols = {renamed.get(gene, gene) for gene in listed}
            members = sorted(place[symbol] for symbol in symbols & place.keys())
            if len(members) < MINIMUM_MEMBERS:
                self.left_out[name] = (
                    f"{len(members)} of its {len(listed)} genes in the data, "
                    f"{MINIMUM_MEMBERS} needed"
                )
                continue
            self.gene_sets[name] = tuple(str(genes[member]) for member in members)
            self._members.append(np.asarray(members, dtype=np.intp))
        self.provenance: dict[str, Any] = {
            "used": len(self.gene_sets),
            "left_out": self.left_out,
            "genes_named": len(named),
            "genes_used": len({gene for listed in self.gene_sets.values() for gene in listed}),
        }
        if not self.gene_sets:
            raise InputError(
                f"None of the {len(wanted)} gene sets ({name_some(wanted, 3)}) has "
                f"{MINIMUM_MEMBERS} genes or more among the {len(genes):,} of the data; the sets "
                f"name {name_some(sorted(named), 3)}, the data {name_some(genes, 3)}. Expected "
                "human gene symbols in both."
            )

    def __len__(self) -> int:
        """Return the number of modules in use."""
        return len(self.gene_sets)

    def scores(self, standard: FloatArray) -> FloatArray:
        """Score the modules.

        Parameters
        ----------
        standard
            Samples × genes in standard deviations of the training profiles, 0 for a missing value.

        Returns
        -------
        numpy.ndarray
            Samples × modules, in the order of ``gene_sets``.
        """
        # Row sums, not a matrix product: a sample's score must not depend on its company.
        return np.column_stack(
            [standard.take(members, axis=1).mean(axis=1) for members in self._members]
        )

    def to_genes(self, parts: FloatArray, slopes: FloatArray, standard: FloatArray) -> FloatArray:
        """Pass the modules' parts of a prediction on to their genes, without a remainder.

        Each gene gets what its own value adds along the slope of the module; what is left, nothing
        for a linear learner, is shared equally.

        Parameters
        ----------
        parts
            Samples × modules.
        slopes
            Change of the prediction per unit of each score, shape (n_modules,).
        standard
            As for `scores`.

        Returns
        -------
        numpy.ndarray
            Samples × genes, the same sum for each sample as ``parts``.
        """
        rests = parts - slopes * self.scores(standard)
        passed_on = np.zeros(standard.shape)
        for members, slope, rest in zip(self._members, slopes, rests.T, strict=True):
            passed_on[:, members] += (slope * standard[:, members] + rest[:, None]) / len(members)
        return passed_on

    def gene_slopes(self, slopes: FloatArray) -> FloatArray:
        """Change of the prediction per standard deviation of each gene through its modules.

        Parameters
        ----------
        slopes
            As for `to_genes`.

        Returns
        -------
        numpy.ndarray
            Shape (n_genes,).
        """
        through = np.zeros(self.n_genes)
        for members, slope in zip(self._members, slopes, strict=True):
            through[members] += slope / len(members)
        return through
