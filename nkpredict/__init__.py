"""Predict NK susceptibility of blood cancers, the genes behind it and the drugs that reach them.

For research use only; not a medical device.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nkpredict.drugs import (
        TargetTable,
        druggable_targets,
        known_targets,
        rank_drugs,
        rank_drugs_by_sample,
        read_targets,
    )
    from nkpredict.evaluate import (
        CrossValidation,
        learning_curve,
        nested_cross_validate,
        permutation_test,
    )
    from nkpredict.evidence import (
        GeneEvidence,
        ScreenTable,
        combine_screens,
        read_screens,
    )
    from nkpredict.explain import (
        driver_scores,
        knockout,
        knockout_against_screens,
        resistance_genes,
        resistance_table,
        stability,
    )
    from nkpredict.io import read_expression, read_panel, read_response
    from nkpredict.learn import KillingCurveModel, NKSusceptibilityModel, ScreenPrior
    from nkpredict.registry import Registry, load_bundle, save_bundle
    from nkpredict.report import write_report
    from nkpredict.scoring import Scores, score
    from nkpredict.simulate import simulate_study
    from nkpredict.training import train

__version__ = version("nkpredict")

_ROOMS = {
    "CrossValidation": "evaluate",
    "GeneEvidence": "evidence",
    "KillingCurveModel": "learn",
    "NKSusceptibilityModel": "learn",
    "Registry": "registry",
    "Scores": "scoring",
    "ScreenPrior": "learn",
    "ScreenTable": "evidence",
    "TargetTable": "drugs",
    "combine_screens": "evidence",
    "driver_scores": "explain",
    "druggable_targets": "drugs",
    "knockout": "explain",
    "knockout_against_screens": "explain",
    "known_targets": "drugs",
    "learning_curve": "evaluate",
    "load_bundle": "registry",
    "nested_cross_validate": "evaluate",
    "permutation_test": "evaluate",
    "rank_drugs": "drugs",
    "rank_drugs_by_sample": "drugs",
    "read_expression": "io",
    "read_panel": "io",
    "read_response": "io",
    "read_screens": "evidence",
    "read_targets": "drugs",
    "resistance_genes": "explain",
    "resistance_table": "explain",
    "save_bundle": "registry",
    "score": "scoring",
    "simulate_study": "simulate",
    "stability": "explain",
    "train": "training",
    "write_report": "report",
}

__all__ = [
    "CrossValidation",
    "GeneEvidence",
    "KillingCurveModel",
    "NKSusceptibilityModel",
    "Registry",
    "Scores",
    "ScreenPrior",
    "ScreenTable",
    "TargetTable",
    "combine_screens",
    "driver_scores",
    "druggable_targets",
    "knockout",
    "knockout_against_screens",
    "known_targets",
    "learning_curve",
    "load_bundle",
    "nested_cross_validate",
    "permutation_test",
    "rank_drugs",
    "rank_drugs_by_sample",
    "read_expression",
    "read_panel",
    "read_response",
    "read_screens",
    "read_targets",
    "resistance_genes",
    "resistance_table",
    "save_bundle",
    "score",
    "simulate_study",
    "stability",
    "train",
    "write_report",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that importing the package costs nothing."""
    if name in _ROOMS:
        return getattr(import_module(f"nkpredict.{_ROOMS[name]}"), name)
    raise AttributeError(f"module 'nkpredict' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
