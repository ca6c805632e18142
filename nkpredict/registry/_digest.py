"""One number for a fitted model: two models with the same one give the same predictions."""

from __future__ import annotations

import hashlib

import numpy as np

from nkpredict.io import to_json
from nkpredict.learn import GeneModel
from nkpredict.registry._state import state_of


def model_digest(model: GeneModel) -> str:
    """Return the SHA-256 of all that makes up a fitted model, as hexadecimal digits."""
    state = state_of(model)
    digest = hashlib.sha256(to_json(state.settings).encode())
    for name, values in sorted(state.arrays.items()):
        digest.update(f"{name} {values.dtype} {values.shape}".encode())
        digest.update(np.ascontiguousarray(values).tobytes())
    for text in state.trees:
        digest.update(text.encode())
    return digest.hexdigest()
