"""What is known about genes: screens read, signed alike and combined."""

from nkpredict.evidence.combine import GeneEvidence, combine_screens
from nkpredict.evidence.table import ScreenTable, read_screens

__all__ = ["GeneEvidence", "ScreenTable", "combine_screens", "read_screens"]
