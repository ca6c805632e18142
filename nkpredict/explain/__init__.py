"""From prediction to biology: what the parts of a prediction say about genes."""

from nkpredict.explain.resistance import resistance_genes

__all__ = ["resistance_genes"]
