"""What MLflow serves: a bundle that reads and checks profiles as `nkpredict.score` does."""

from nkpredict.serving._served import ServedModel, _load_pyfunc

__all__ = ["ServedModel", "_load_pyfunc"]
