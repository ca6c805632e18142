"""What is known about genes: screens read, signed alike and combined, and published hits."""

from nkpredict.evidence.combine import combine_by_effector, combine_screens
from nkpredict.evidence.knowledge import GeneModule, gene_modules, known_hits
from nkpredict.evidence.table import GeneEvidence, ScreenTable, read_screens

__all__ = [
    "GeneEvidence",
    "GeneModule",
    "ScreenTable",
    "combine_by_effector",
    "combine_screens",
    "gene_modules",
    "known_hits",
    "read_screens",
]
