"""How good a model is on unseen samples: splits, baselines, tuning, nested cross-validation."""

from nkpredict.evaluate._baselines import generic_learners, naive_baselines
from nkpredict.evaluate._fold import Samples, fit_predict
from nkpredict.evaluate._killing_curve import curve_errors, curve_folds
from nkpredict.evaluate._knowledge_baselines import (
    PUBLISHED_LINEAGE_ORDER,
    hla_class_i_index,
    ligand_index,
    random_signed_sets,
)
from nkpredict.evaluate._learning_curve import (
    PermutationTest,
    learning_curve,
    limited,
    permutation_test,
)
from nkpredict.evaluate._metrics import spearman, summarise
from nkpredict.evaluate._nested import (
    OUR_MODEL,
    CrossValidation,
    check_groups,
    check_sample_count,
    help_nested,
    nested_cross_validate,
)
from nkpredict.evaluate._shared_study import SharedStorage, StudyStatus, study_status
from nkpredict.evaluate._splits import SPLITS, Fold, Split, make_folds
from nkpredict.evaluate._tuning import Tuned, Tuning, help_tune, tune

__all__ = [
    "OUR_MODEL",
    "PUBLISHED_LINEAGE_ORDER",
    "SPLITS",
    "CrossValidation",
    "Fold",
    "PermutationTest",
    "Samples",
    "SharedStorage",
    "Split",
    "StudyStatus",
    "Tuned",
    "Tuning",
    "check_groups",
    "check_sample_count",
    "curve_errors",
    "curve_folds",
    "fit_predict",
    "generic_learners",
    "help_nested",
    "help_tune",
    "hla_class_i_index",
    "learning_curve",
    "ligand_index",
    "limited",
    "make_folds",
    "naive_baselines",
    "nested_cross_validate",
    "permutation_test",
    "random_signed_sets",
    "spearman",
    "study_status",
    "summarise",
    "tune",
]
