"""Readers, the data contract and atomic writers."""

from nkpredict.io.expression import read_expression
from nkpredict.io.panel import read_panel
from nkpredict.io.response import Response, read_response

__all__ = ["Response", "read_expression", "read_panel", "read_response"]
