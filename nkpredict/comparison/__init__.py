"""Two cohorts, or a cohort and a reference, on the scale of one model."""

from nkpredict.comparison._cohort import EXAMPLES, REFERENCE
from nkpredict.comparison._compare import CohortComparison, compare
from nkpredict.comparison._verdict import COMPARABLE, MEANINGLESS, WITH_CARE

__all__ = [
    "COMPARABLE",
    "EXAMPLES",
    "MEANINGLESS",
    "REFERENCE",
    "WITH_CARE",
    "CohortComparison",
    "compare",
]
