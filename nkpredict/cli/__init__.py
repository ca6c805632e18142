"""The command line: parse, call, print."""

from nkpredict.cli._app import main
from nkpredict.cli._console import print_table, stages
from nkpredict.cli._train import print_performance

__all__ = [
    "main",
    "print_performance",
    "print_table",
    "stages",
]
