"""What is made of expression before learning, fitted inside the fold."""

from nkpredict.features._cohort import FEWEST_OF_COHORT, align_cohort
from nkpredict.features._estimator import ProfileEstimator
from nkpredict.features._harmonise import ProfileHarmoniser, RankedProfiles
from nkpredict.features._modules import NK_MODULES, GeneSets, ModuleScores, read_gene_sets
from nkpredict.features._platforms import PlatformBridge
from nkpredict.features._profiles import Profiles, ProfilesLike, not_expression
from nkpredict.features._row_blocks import row_blocks
from nkpredict.features._scaling import divisor, mean_and_deviation
from nkpredict.features._selection import correlation_with, select_genes
from nkpredict.features._sparse import SparseProfiles, SparseRanks

__all__ = [
    "FEWEST_OF_COHORT",
    "NK_MODULES",
    "GeneSets",
    "ModuleScores",
    "PlatformBridge",
    "ProfileEstimator",
    "ProfileHarmoniser",
    "Profiles",
    "ProfilesLike",
    "RankedProfiles",
    "SparseProfiles",
    "SparseRanks",
    "align_cohort",
    "correlation_with",
    "divisor",
    "mean_and_deviation",
    "not_expression",
    "read_gene_sets",
    "row_blocks",
    "select_genes",
]
