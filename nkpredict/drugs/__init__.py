"""Drugs and their targets: tables read, vocabulary, surface proteins, drugs ranked for samples."""

from nkpredict.drugs._classes import drug_classes
from nkpredict.drugs._names import drug_synonyms, name_of_drug
from nkpredict.drugs._pairs import (
    ABOVE,
    BELOW_CONTRARY,
    BELOW_HARMS,
    BELOW_UNCLEAR,
    CONTRARY,
    HIT,
    REACHABLE,
    UNCLEAR,
    druggable_targets,
)
from nkpredict.drugs._ranking import drugs_in_words, rank_drugs, rank_drugs_by_sample
from nkpredict.drugs._reading import read_targets
from nkpredict.drugs._surface import read_surface_proteins, surface_proteins
from nkpredict.drugs._table import TargetTable, known_targets

__all__ = [
    "ABOVE",
    "BELOW_CONTRARY",
    "BELOW_HARMS",
    "BELOW_UNCLEAR",
    "CONTRARY",
    "HIT",
    "REACHABLE",
    "UNCLEAR",
    "TargetTable",
    "drug_classes",
    "drug_synonyms",
    "druggable_targets",
    "drugs_in_words",
    "known_targets",
    "name_of_drug",
    "rank_drugs",
    "rank_drugs_by_sample",
    "read_surface_proteins",
    "read_targets",
    "surface_proteins",
]
