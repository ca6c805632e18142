"""The public names; each is imported from its room when it is first used."""

from . import datasets as datasets, pl as pl, tl as tl
from .cells import (
    CellScores as CellScores,
    score_cells as score_cells,
    write_h5ad as write_h5ad,
)
from .comparison import (
    CohortComparison as CohortComparison,
    compare as compare,
)
from .drugs import (
    TargetTable as TargetTable,
    druggable_targets as druggable_targets,
    known_targets as known_targets,
    rank_drugs as rank_drugs,
    rank_drugs_by_sample as rank_drugs_by_sample,
    read_targets as read_targets,
)
from .evaluate import (
    CrossValidation as CrossValidation,
    learning_curve as learning_curve,
    nested_cross_validate as nested_cross_validate,
    permutation_test as permutation_test,
)
from .evidence import (
    GeneEvidence as GeneEvidence,
    ScreenTable as ScreenTable,
    combine_screens as combine_screens,
    gene_evidence as gene_evidence,
    read_screens as read_screens,
)
from .explain import (
    ExplainedScores as ExplainedScores,
    driver_scores as driver_scores,
    explain_scores as explain_scores,
    knockout as knockout,
    knockout_against_screens as knockout_against_screens,
    resistance_genes as resistance_genes,
    resistance_table as resistance_table,
    stability as stability,
)
from .io import (
    read_expression as read_expression,
    read_panel as read_panel,
    read_response as read_response,
)
from .learn import (
    CalibratedModel as CalibratedModel,
    KillingCurveModel as KillingCurveModel,
    NKSusceptibilityModel as NKSusceptibilityModel,
    ScreenPrior as ScreenPrior,
)
from .outcome import (
    OutcomeAssociation as OutcomeAssociation,
    outcome_association as outcome_association,
)
from .registry import (
    Registry as Registry,
    load_bundle as load_bundle,
    save_bundle as save_bundle,
)
from .report import (
    write_patient_card as write_patient_card,
    write_report as write_report,
    write_results as write_results,
)
from .scoring import (
    Scores as Scores,
    inspect_profiles as inspect_profiles,
    score as score,
)
from .simulate import (
    simulate_study as simulate_study,
)
from .training import (
    calibrate as calibrate,
    train as train,
)

__version__: str
