"""Score new profiles with a trained model."""

from nkpredict.scoring._bundle_of import bundle_of, genes_of
from nkpredict.scoring._folder import (
    FIGURE_ENDINGS,
    RESULT_FILES,
    check_results_folder,
    mark_of,
    marked,
    write_folder,
    write_numbers,
)
from nkpredict.scoring._inspect import inspect_profiles
from nkpredict.scoring._provenance import coverage_facts
from nkpredict.scoring._refusal import refused
from nkpredict.scoring._score import score
from nkpredict.scoring._scores import Scores
from nkpredict.scoring._table import LOW_COVERAGE, OWN_REFERENCE, constant_flags
from nkpredict.scoring._warnings import FORCED_NOTICE

__all__ = [
    "FIGURE_ENDINGS",
    "FORCED_NOTICE",
    "LOW_COVERAGE",
    "OWN_REFERENCE",
    "RESULT_FILES",
    "Scores",
    "bundle_of",
    "check_results_folder",
    "constant_flags",
    "coverage_facts",
    "genes_of",
    "inspect_profiles",
    "mark_of",
    "marked",
    "refused",
    "score",
    "write_folder",
    "write_numbers",
]
