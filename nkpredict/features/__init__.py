"""What is made of expression before learning, fitted inside the fold."""

from nkpredict.features.harmonise import ProfileHarmoniser, RankedProfiles
from nkpredict.features.selection import select_genes

__all__ = ["ProfileHarmoniser", "RankedProfiles", "select_genes"]
