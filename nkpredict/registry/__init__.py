"""Models as bundles without pickle, their cards, and the registry that keeps their versions."""

from lazy_loader import attach_stub

# Names are written in __init__.pyi: listing models need not wait for the libraries of the learners.
__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
