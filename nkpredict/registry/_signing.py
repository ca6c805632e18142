"""Signatures of bundles, made and checked with OpenSSF model-signing: by keys, or by identities."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nkpredict.errors import BundleError, InputError, in_words, name_some
from nkpredict.registry._contents import SIGNATURE
from nkpredict.registry._signers import Identity, Keyless, SignsWith

_BESIDE = f".{SIGNATURE}.new"
_UNREACHABLE = "Sigstore could not be reached"


def write_signature(folder: Path, by: SignsWith, password: str | None = None) -> Path:
    """Sign the files of a bundle; an earlier signature is replaced.

    Parameters
    ----------
    folder
        Bundle.
    by
        PEM file with a private key on an elliptic curve (secp256r1, secp384r1 or secp521r1), or how
        to sign without a key: Sigstore then certifies who has logged in, and keeps a public record.
    password
        Of the key.

    Returns
    -------
    pathlib.Path
        ``bundle.sig`` in the bundle, a Sigstore bundle.

    Raises
    ------
    InputError
        When model-signing is not installed, the key cannot be used, Sigstore cannot be reached or
        nothing can be written.
    """
    signing = _library("signing")
    target, beside = folder / SIGNATURE, folder / _BESIDE
    signer = by if isinstance(by, Keyless) else _file(by, "private key", "a PEM file")
    try:
        config = signing.Config()
        if isinstance(signer, Keyless):
            config.use_sigstore_signer(
                oidc_issuer=signer.issuer,
                identity_token=signer.token,
                use_ambient_credentials=True,
                trust_config=_trust(signer.trust),
            )
        else:
            # model-signing 1.1 hands the password on to a library that takes bytes
            secret = None if password is None else password.encode()
            config.use_elliptic_key_signer(private_key=signer, password=secret)
        config.set_hashing_config(_hashing()).sign(folder, beside)
        beside.replace(target)
    except InputError:
        raise
    except Exception as error:  # the library raises what its own libraries raise
        raise _not_signed(folder, signer, error) from error
    finally:
        beside.unlink(missing_ok=True)
    return target


def _not_signed(folder: Path, signer: Path | Keyless, error: Exception) -> InputError:
    if not isinstance(signer, Keyless):
        return InputError(
            f"{folder} could not be signed with {signer} ({in_words(error)}); expected a private "
            "key on an elliptic curve, as PEM, with its password if it has one."
        )
    if _is_unreachable(error):
        return InputError(
            f"{folder} could not be signed without a key: {_UNREACHABLE} ({in_words(error)}). "
            "Connect to the network, or sign with a key of your own (--key)."
        )
    return InputError(
        f"{folder} could not be signed without a key ({in_words(error)}); expected somebody whom "
        "the issuer vouches for, logged in or with the token of a CI."
    )


def require_signature(folder: Path, signers: Sequence[Path | Identity]) -> Path | Identity:
    """Refuse a bundle that none of the keys or identities has signed as it stands.

    Parameters
    ----------
    folder
        Bundle.
    signers
        PEM files with public keys, and identities.

    Returns
    -------
    pathlib.Path or Identity
        The one that has signed it.

    Raises
    ------
    BundleError
        When it has no signature, or that is of somebody else or of other files.
    InputError
        When model-signing is not installed, a key cannot be read, or Sigstore cannot be reached,
        which says whom to trust.
    """
    _library("verifying")
    signature = folder / SIGNATURE
    if not signature.is_file() or signature.is_symlink():
        raise BundleError(
            f"{folder} is not signed, but only bundles signed by {name_some(signers)} are to be "
            "used; sign it with nkpredict models sign, or change signed_by in mlflow.yaml."
        )
    errors = []
    for signer in signers:
        try:
            _verifier(signer).set_hashing_config(_hashing()).verify(folder, signature)
        except InputError:
            raise
        except Exception as error:  # the library raises what its own libraries raise
            errors.append(error)
        else:
            return signer
    unreachable = [error for error in errors if _is_unreachable(error)]
    if unreachable:
        raise InputError(
            f"Whether {folder} is signed by {name_some(signers)} is not known: {_UNREACHABLE} "
            f"({in_words(unreachable[0])}). Connect to the network, or name a trust configuration."
        )
    raise BundleError(
        f"{folder} is not signed by {name_some(signers)} as it stands "
        f"({name_some(map(in_words, errors), 1)}); take the bundle from whom you trust, or sign it "
        "again."
    )


def _verifier(signer: Path | Identity) -> Any:
    config = _library("verifying").Config()
    if isinstance(signer, Identity):
        return config.use_sigstore_verifier(
            identity=signer.name, oidc_issuer=signer.issuer, trust_config=_trust(signer.trust)
        )
    return config.use_elliptic_key_verifier(public_key=_file(signer, "public key", "a PEM file"))


def _is_unreachable(error: BaseException | None) -> bool:
    """Whether a server did not answer, which Sigstore's libraries hide behind errors of theirs."""
    while error is not None:
        if isinstance(error, ConnectionError | TimeoutError | socket.gaierror):
            return True
        error = error.__cause__ or error.__context__
    return False


def _hashing() -> Any:
    hashing = _library("hashing")
    beside = [SIGNATURE, _BESIDE]  # the library looks for them in the folder
    return hashing.Config().set_ignored_paths(paths=beside, ignore_git_paths=False)


def _trust(path: Path | None) -> Path | None:
    if path is None:
        return None
    path = _file(path, "trust configuration", "JSON of Sigstore")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) or "trustedRoot" not in content:
        raise InputError(f"{path} is no trust configuration of Sigstore; expected its JSON.")
    return path


def _file(path: str | Path, what: str, expected: str) -> Path:
    path = Path(path).expanduser()
    if not path.is_file():
        raise InputError(f"There is no {what} {path}; expected {expected}.")
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
