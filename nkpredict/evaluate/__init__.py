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
    nested_cross_validate,
)
from nkpredict.evaluate._splits import SPLITS, Fold, Split, make_folds
from nkpredict.evaluate._tuning import Tuned, Tuning, tune

__all__ = [
    "OUR_MODEL",
    "PUBLISHED_LINEAGE_ORDER",
    "SPLITS",
    "CrossValidation",
    "Fold",
    "PermutationTest",
    "Samples",
    "Split",
    "Tuned",
    "Tuning",
    "check_groups",
    "check_sample_count",
    "curve_errors",
    "curve_folds",
    "fit_predict",
    "generic_learners",
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
    "summarise",
    "tune",
]
