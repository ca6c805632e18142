"""Predict NK susceptibility of blood cancers, the genes behind it and the drugs that reach them.

For research use only; not a medical device.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nkpredict.evaluate import CrossValidation, nested_cross_validate
    from nkpredict.evidence import GeneEvidence, ScreenTable, combine_screens, read_screens
    from nkpredict.io import read_expression, read_panel, read_response
    from nkpredict.learn import NKSusceptibilityModel, ScreenPrior
    from nkpredict.registry import Registry, load_bundle, save_bundle
    from nkpredict.report import write_report
    from nkpredict.scoring import Scores, score
    from nkpredict.simulate import simulate_study
    from nkpredict.training import train

__version__ = version("nkpredict")

_ROOMS = {
    "CrossValidation": "evaluate",
    "GeneEvidence": "evidence",
    "NKSusceptibilityModel": "learn",
    "Registry": "registry",
    "Scores": "scoring",
    "ScreenPrior": "learn",
    "ScreenTable": "evidence",
    "combine_screens": "evidence",
    "load_bundle": "registry",
    "nested_cross_validate": "evaluate",
    "read_expression": "io",
    "read_panel": "io",
    "read_response": "io",
    "read_screens": "evidence",
    "save_bundle": "registry",
    "score": "scoring",
    "simulate_study": "simulate",
    "train": "training",
    "write_report": "report",
}

__all__ = [
    "CrossValidation",
    "GeneEvidence",
    "NKSusceptibilityModel",
    "Registry",
    "Scores",
    "ScreenPrior",
    "ScreenTable",
    "combine_screens",
    "load_bundle",
    "nested_cross_validate",
    "read_expression",
    "read_panel",
    "read_response",
    "read_screens",
    "save_bundle",
    "score",
    "simulate_study",
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
