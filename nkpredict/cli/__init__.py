"""The command line: parse, call, print."""

from nkpredict.cli.app import main

__all__ = ["main"]
