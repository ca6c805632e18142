"""The command line: parse, call, print."""

from nkpredict.cli._app import main

__all__ = [
    "main",
]
