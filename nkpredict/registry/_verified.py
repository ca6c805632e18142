"""Whether a bundle is whole, and who signed it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nkpredict.registry._bundle import read_bundle
from nkpredict.registry._contents import SIGNATURE
from nkpredict.registry._signing import require_signature, write_signature


@dataclass(frozen=True)
class Verified:
    """A bundle whose files are those that were saved.

    Attributes
    ----------
    sha256
        Of the bundle.
    signed
        Whether a signature lies in it, looked at or not.
    signed_by
        Which of the public keys that were named has signed it; None when none was named.
    """

    sha256: str
    signed: bool
    signed_by: Path | None


def verified(folder: Path, keys: Sequence[Path]) -> Verified:
    """Check the files of a bundle and, when keys are named, that one of them has signed it.

    Raises
    ------
    BundleError
        When it is damaged, or signed by none of them.
    InputError
        When a key cannot be read, or the extra ``signing`` is not installed.
    """
    digest = str(read_bundle(folder).metadata.sha256)
    signer = require_signature(folder, keys) if keys else None
    return Verified(digest, (folder / SIGNATURE).is_file(), signer)


def sign(folder: Path, key: str | Path, password: str | None) -> Path:
    """Sign a bundle, unless it is damaged, and return the signature; see `write_signature`."""
    read_bundle(folder)
    return write_signature(folder, key, password)
