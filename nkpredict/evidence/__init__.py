"""What is known about genes: screens read, signed alike and combined, and published hits."""

from nkpredict.evidence.combine import combine_by_effector, combine_screens
from nkpredict.evidence.comparison import compare_methods
from nkpredict.evidence.description import GeneDescription, describe_gene
from nkpredict.evidence.figures import plot_agreement, plot_dots, plot_volcano
from nkpredict.evidence.knowledge import GeneModule, gene_categories, gene_modules, known_hits
from nkpredict.evidence.table import GeneEvidence, ScreenTable, read_screens
from nkpredict.evidence.target_surface import read_surface_proteins, surface_proteins
from nkpredict.evidence.targets import TargetTable, known_targets, read_targets

__all__ = [
    "GeneDescription",
    "GeneEvidence",
    "GeneModule",
    "ScreenTable",
    "TargetTable",
    "combine_by_effector",
    "combine_screens",
    "compare_methods",
    "describe_gene",
    "gene_categories",
    "gene_modules",
    "known_hits",
    "known_targets",
    "plot_agreement",
    "plot_dots",
    "plot_volcano",
    "read_screens",
    "read_surface_proteins",
    "read_targets",
    "surface_proteins",
]
