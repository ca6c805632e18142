"""What is known about genes: screens read, signed alike and combined, and published hits."""

from nkpredict.evidence._arrangement import (
    LEAST_GENES,
    described_experiments,
    genes_by_category,
    scaled_effects,
    top_overlaps,
    wide_effects,
)
from nkpredict.evidence._combine import DEFAULT_METHOD, combine_by_effector, combine_screens
from nkpredict.evidence._comparison import AS_SHIPPED, compare_methods, judge, mean_auprc
from nkpredict.evidence._description import GeneDescription, describe_gene, evidence_notes
from nkpredict.evidence._experiments import (
    DIRECT,
    EXPERIMENT_COLUMNS,
    LOSS,
    check_experiments,
    gene_functions,
    known_experiments,
)
from nkpredict.evidence._judgement import gene_evidence
from nkpredict.evidence._knowledge import (
    HIT_COLUMNS,
    GeneModule,
    check_hits,
    gene_categories,
    gene_modules,
    known_hits,
)
from nkpredict.evidence._methods import METHODS, Combination, CombinationMethod, combine_matrix
from nkpredict.evidence._origins import evidence_origins, named_origins
from nkpredict.evidence._sources import effector_named
from nkpredict.evidence._standardise import (
    CORE_ESSENTIAL,
    HIT_FOLD_CHANGE,
    HIT_P,
    standardise_screens,
)
from nkpredict.evidence._synapse import synapse_pairs
from nkpredict.evidence._table import GeneEvidence, ScreenTable, read_screens

__all__ = [
    "AS_SHIPPED",
    "CORE_ESSENTIAL",
    "DEFAULT_METHOD",
    "DIRECT",
    "EXPERIMENT_COLUMNS",
    "HIT_COLUMNS",
    "HIT_FOLD_CHANGE",
    "HIT_P",
    "LEAST_GENES",
    "LOSS",
    "METHODS",
    "Combination",
    "CombinationMethod",
    "GeneDescription",
    "GeneEvidence",
    "GeneModule",
    "ScreenTable",
    "check_experiments",
    "check_hits",
    "combine_by_effector",
    "combine_matrix",
    "combine_screens",
    "compare_methods",
    "describe_gene",
    "described_experiments",
    "effector_named",
    "evidence_notes",
    "evidence_origins",
    "gene_categories",
    "gene_evidence",
    "gene_functions",
    "gene_modules",
    "genes_by_category",
    "judge",
    "known_experiments",
    "known_hits",
    "mean_auprc",
    "named_origins",
    "read_screens",
    "scaled_effects",
    "standardise_screens",
    "synapse_pairs",
    "top_overlaps",
    "wide_effects",
]
