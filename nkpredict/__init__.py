"""Predict NK susceptibility of blood cancers, the genes behind it and the drugs that reach them.

For research use only; not a medical device.
"""

from importlib.metadata import version

import lazy_loader

# A public name is written once, in __init__.pyi, and imported when it is first used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

__version__ = version("nkpredict")
