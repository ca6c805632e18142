"""Signatures of bundles, made and checked with OpenSSF model-signing and keys of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nkpredict.errors import BundleError, InputError, in_words, name_some
from nkpredict.registry._contents import SIGNATURE


def write_signature(folder: Path, key: str | Path, password: str | None = None) -> Path:
    """Sign the files of a bundle with a private key; an earlier signature is replaced.

    Parameters
    ----------
    folder
        Bundle.
    key
        PEM file with a private key on an elliptic curve (secp256r1, secp384r1 or secp521r1).
    password
        Of the key.

    Returns
    -------
    pathlib.Path
        ``bundle.sig`` in the bundle, a Sigstore bundle.

    Raises
    ------
    InputError
        When model-signing is not installed, the key cannot be used or nothing can be written.
    """
    signing = _library("signing")
    target, path = folder / SIGNATURE, _key(key, "private")
    beside = folder / f".{SIGNATURE}.new"
    # model-signing 1.1 hands the password on to a library that takes bytes
    secret = None if password is None else password.encode()
    try:
        config = signing.Config().use_elliptic_key_signer(private_key=path, password=secret)
        config.set_hashing_config(_hashing(folder)).sign(folder, beside)
        beside.replace(target)
    except Exception as error:  # the library raises what its own libraries raise
        beside.unlink(missing_ok=True)
        raise InputError(
            f"{folder} could not be signed with {path} ({in_words(error)}); expected a private key "
            "on an elliptic curve, as PEM, with its password if it has one."
        ) from error
    return target


def require_signature(folder: Path, keys: Sequence[Path]) -> Path:
    """Refuse a bundle that none of the keys has signed as it stands.

    Parameters
    ----------
    folder
        Bundle.
    keys
        PEM files with public keys.

    Returns
    -------
    pathlib.Path
        The key that has signed it.

    Raises
    ------
    BundleError
        When it has no signature, or that is of another key or of other files.
    InputError
        When model-signing is not installed, or a key cannot be read.
    """
    verifying = _library("verifying")
    signature = folder / SIGNATURE
    if not signature.is_file() or signature.is_symlink():
        raise BundleError(
            f"{folder} is not signed, but only bundles signed by {name_some(keys)} are to be used; "
            "sign it with nkpredict models sign, or change signed_by in mlflow.yaml."
        )
    reasons = []
    for key in keys:
        path = _key(key, "public")
        try:
            config = verifying.Config().use_elliptic_key_verifier(public_key=path)
            config.set_hashing_config(_hashing(folder)).verify(folder, signature)
        except Exception as error:  # the library raises what its own libraries raise
            reasons.append(in_words(error))
        else:
            return path
    raise BundleError(
        f"{folder} is not signed by {name_some(keys)} as it stands ({name_some(reasons, 1)}); take "
        "the bundle from whom you trust, or sign it again."
    )


def _hashing(folder: Path) -> Any:
    hashing = _library("hashing")
    beside = [folder / SIGNATURE, folder / f".{SIGNATURE}.new"]
    return hashing.Config().set_ignored_paths(paths=beside, ignore_git_paths=False)


def _key(path: str | Path, what: str) -> Path:
    path = Path(path).expanduser()
    if not path.is_file():
        raise InputError(f"There is no {what} key {path}; expected a PEM file.")
    return path


def _library(part: str) -> Any:
    from importlib import import_module

    try:
        return import_module(f"model_signing.{part}")
    except ImportError as error:
        raise InputError(
            "Signatures of models need the library model-signing, which is not installed; install "
            "nkpredict with the extra signing: pip install 'nkpredict[signing]'."
        ) from error
