"""The model on the drug response benchmark DrEval: `nkpredict.dreval.drp_model()`."""

from nkpredict.dreval._model import MODEL_NAME, SingleDrugSusceptibility, drp_model

__all__ = ["MODEL_NAME", "SingleDrugSusceptibility", "drp_model"]
