"""Tools for AnnData: `nkpredict.tl.score(adata, groupby="patient")` writes scores into it."""

from nkpredict.cells import score_adata as score

__all__ = ["score"]
