"""Which proteins of the tumour cell an NK cell meets, and by which of its own."""

from __future__ import annotations

from functools import cache

import pandas as pd

from nkpredict.evidence._experiments import DIRECT, known_experiments
from nkpredict.vocabulary import Axis, GeneDirection, Meeting

# Groups of the knowledge base whose members stand on the surface and meet a protein of the NK cell.
_MET = ("death receptor", "sialomucin")
_LIGAND = " ligand"
_FAMILY = "KIR"
# What NK cells carry or release against death receptors; the knowledge base names receptors only.
_DEATH_LIGANDS = {
    "FAS": "FAS ligand",
    "TNFRSF10A": "TRAIL",
    "TNFRSF10B": "TRAIL",
    "TNFRSF1A": "TNF",
}


@cache
def synapse_pairs() -> pd.DataFrame:
    """Return the pairs of proteins that meet between tumour and NK cell; not to be changed.

    Read from `known_experiments`: genes whose product meets the NK cell itself, with the receptors
    that were named.

    Returns
    -------
    pandas.DataFrame
        One row a gene of the tumour cell, sorted by kind and partner: ``gene``, ``partner`` (on the
        NK cell, several joined by ``"; "``), ``meeting`` (see `nkpredict.vocabulary.Meeting`),
        ``sources`` (DOIs, joined by ``"; "``).
    """
    rows = known_experiments()
    named = rows["receptor"].where(rows["receptor"] != "", rows["gene"].map(_DEATH_LIGANDS))
    rows = rows.assign(partner=named)
    met = rows["group"].str.endswith(_LIGAND) | rows["group"].isin(_MET)
    rows = rows[met & (rows["role"] == DIRECT) & rows["partner"].notna()]
    pairs = [
        {
            "gene": gene,
            "partner": _partners(about),
            "meeting": _meeting(about),
            "sources": "; ".join(dict.fromkeys(about["doi"])),
        }
        for gene, about in rows.groupby("gene")
    ]
    order = {kind: place for place, kind in enumerate(Meeting)}
    return (
        pd.DataFrame(pairs)
        .assign(place=lambda table: table["meeting"].map(order))
        .sort_values(["place", "partner", "gene"], ignore_index=True)
        .drop(columns="place")
    )


def _partners(rows: pd.DataFrame) -> str:
    """Partners that publications of the commoner direction name, the commonest first."""
    direction = rows["direction"].value_counts().index[0]
    named = rows.loc[rows["direction"] == direction, "partner"].str.split("; ").explode()
    names = list(named.value_counts().index)
    # the family says nothing beside one of its members
    known = any(name.startswith(_FAMILY) and name != _FAMILY for name in names)
    return "; ".join(name for name in names if name != _FAMILY or not known)


def _meeting(rows: pd.DataFrame) -> Meeting:
    by_axis = {Axis.DEATH: Meeting.DEATH, Axis.ADHESION: Meeting.ADHESION}
    axis = rows["axis"].iloc[0]
    if axis in by_axis:
        return by_axis[Axis(axis)]
    sensitizes = (rows["direction"] == GeneDirection.SENSITIZES).mean()
    return Meeting.ACTIVATING if sensitizes >= 0.5 else Meeting.INHIBITORY
