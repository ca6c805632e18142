"""Drugs and their targets: tables read, vocabulary, surface proteins, drugs ranked for samples."""

from nkpredict.drugs._ranking import (
    CONTRARY,
    HIT,
    REACHABLE,
    druggable_targets,
    rank_drugs,
    rank_drugs_by_sample,
)
from nkpredict.drugs._surface import read_surface_proteins, surface_proteins
from nkpredict.drugs._table import TargetTable, known_targets, read_targets

__all__ = [
    "CONTRARY",
    "HIT",
    "REACHABLE",
    "TargetTable",
    "druggable_targets",
    "known_targets",
    "rank_drugs",
    "rank_drugs_by_sample",
    "read_surface_proteins",
    "read_targets",
    "surface_proteins",
]
