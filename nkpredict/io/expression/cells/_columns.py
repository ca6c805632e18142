"""Which column of a file of cells is which gene of a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from nkpredict.errors import InputError, name_some
from nkpredict.io._genes import GeneNames, approve_gene_names
from nkpredict.io.expression._genes_of import superseded_names
from nkpredict.types import BoolArray


@dataclass(frozen=True, eq=False)
class CellColumns:
    """The columns of a file of cells as genes of a model.

    Attributes
    ----------
    places : numpy.ndarray
        Place of each column among the genes of the model, -1 for one that is no gene of it.
    present : numpy.ndarray
        Which genes of the model have a column.
    names : GeneNames
        What became of the names in the file.
    added_up : tuple of str
        Genes of the model that have several columns, whose counts are added up.
    """

    places: npt.NDArray[np.int32]
    present: BoolArray
    names: GeneNames
    added_up: tuple[str, ...]


def columns_of_cells(names: Sequence[str], genes: Sequence[str], path: str) -> CellColumns:
    """Match the columns of a file with the genes of a model.

    Names are brought up to date as for every other file, see `nkpredict.read_expression`; a column
    under an old name of a gene that has one under its present name is left out.

    Parameters
    ----------
    names
        Names of the genes as in the file.
    genes
        Genes of the model.
    path
        The file, for messages.

    Raises
    ------
    InputError
        When no gene of the model is among them.
    """
    outcome = approve_gene_names(names, frozenset(genes))
    approved = pd.Index(outcome.approved)
    places = pd.Index(genes).get_indexer(approved).astype(np.int32)
    places[superseded_names(outcome, names)] = -1
    found = places[places >= 0]
    if not len(found):
        raise InputError(
            f"None of the {len(names):,} gene names of {path} is among the {len(genes):,} genes of "
            f"the model ({name_some(names, 3)} against {name_some(genes, 3)}); expected human gene "
            "symbols or Ensembl gene ids."
        )
    times = np.bincount(found, minlength=len(genes))
    several = tuple(str(genes[int(place)]) for place in np.flatnonzero(times > 1))
    return CellColumns(places, times > 0, outcome, several)
