"""What is known about genes: screens read, signed alike and combined."""

from nkpredict.evidence.combine import combine_screens
from nkpredict.evidence.table import GeneEvidence, ScreenTable, read_screens

__all__ = ["GeneEvidence", "ScreenTable", "combine_screens", "read_screens"]
