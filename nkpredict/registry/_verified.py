"""Whether a bundle is whole, and who signed it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nkpredict.registry._bundle import read_bundle
from nkpredict.registry._contents import SIGNATURE
from nkpredict.registry._description import read_description
from nkpredict.registry._files import check_same, files_of, require_local
from nkpredict.registry._reference import SHIPPED_MODEL, is_bundle
from nkpredict.registry._signers import Identity, SignsWith
from nkpredict.registry._signing import require_signature, write_signature
from nkpredict.shipped import shipped_path

if TYPE_CHECKING:
    from nkpredict.registry._store import Registry


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
        Which of the public keys and identities that were named has signed it; None when none was
        named.
    """

    sha256: str
    signed: bool
    signed_by: Path | Identity | None


def verified(
    store: Registry, reference: str | Path, signers: Sequence[str | Path | Identity]
) -> Verified:
    """Check the files of a model and who has signed it; see `Registry.verify`."""
    # the shipped model came with the code that reads it
    usual = () if str(reference) == SHIPPED_MODEL else store.settings.signed_by
    asked = [Path(one) if isinstance(one, str) else one for one in signers] or usual
    with _folder(store, reference) as folder:
        digest = str(read_bundle(folder).metadata.sha256)
        signer = require_signature(folder, asked) if asked else None
        return Verified(digest, (folder / SIGNATURE).is_file(), signer)


def sign(store: Registry, reference: str | Path, by: SignsWith, password: str | None) -> Path:
    """Sign a model, unless it is damaged, and return the signature; see `Registry.sign`."""
    if not is_bundle(reference):
        require_local(*store.find(str(reference)))
    with _folder(store, reference) as folder:
        read_bundle(folder)
        return write_signature(folder, by, password)


@contextmanager
def _folder(store: Registry, reference: str | Path) -> Iterator[Path]:
    if is_bundle(reference):
        yield Path(reference)
    elif str(reference) == SHIPPED_MODEL:
        yield shipped_path("models", SHIPPED_MODEL, "bundle")
    else:
        name, entry = store.find(str(reference))
        with files_of(store.connection, name, entry) as folder:
            check_same(name, entry, read_description(folder).sha256)
            yield folder
