"""What scores say about an outcome in time: relapse, death, the next treatment."""

from nkpredict.outcome._association import (
    THIRDS,
    OutcomeAssociation,
    associate,
    outcome_association,
)
from nkpredict.outcome._columns import Outcome, outcome_of

__all__ = [
    "THIRDS",
    "Outcome",
    "OutcomeAssociation",
    "associate",
    "outcome_association",
    "outcome_of",
]
