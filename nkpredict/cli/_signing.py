"""nkpredict models sign and verify."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from nkpredict.cli._console import JsonFile, Quiet, say, write_json_file
from nkpredict.cli._options import with_options
from nkpredict.configuration import RegistryLocation
from nkpredict.errors import InputError

Model = Annotated[
    str, typer.Argument(metavar="FOLDER|NAME[@ALIAS|/N]", help="Bundle, or registered model.")
]
TrustConfig = Annotated[
    Path | None,
    typer.Option(
        metavar="JSON",
        help="Trust configuration of a Sigstore of your own; sigstore.dev when not given.",
    ),
]


@with_options
def sign_model(
    model: Model,
    key: Annotated[
        Path | None,
        typer.Option(
            metavar="PEM",
            help="Private key on an elliptic curve; its password is read from "
            "NKPREDICT_SIGNING_PASSWORD.",
        ),
    ] = None,
    keyless: Annotated[
        bool,
        typer.Option(
            "--keyless",
            help="Sign as who you are, over the network: with NKPREDICT_IDENTITY_TOKEN, the token "
            "of the CI, or in the browser. Your identity becomes public.",
        ),
    ] = False,
    issuer: Annotated[
        str | None,
        typer.Option(metavar="URL", help="With --keyless, where to log in; Sigstore by default."),
    ] = None,
    trust_config: TrustConfig = None,
    registry: RegistryLocation = None,
    quiet: Quiet = False,
) -> None:
    """Sign a model with your key, or as who you are (needs the extra signing).

    Examples
    --------
        nkpredict models sign runs/nk-heme/bundle --key lab-private.pem

        nkpredict models sign runs/nk-heme/bundle --keyless
    """
    from nkpredict.registry import Keyless, Registry

    if keyless == (key is not None):
        raise InputError("Give either --key with a private key or --keyless.")
    if key is not None and (issuer is not None or trust_config is not None):
        raise InputError("--issuer and --trust-config belong to --keyless; a key needs neither.")
    token = os.environ.get("NKPREDICT_IDENTITY_TOKEN") or None
    password = os.environ.get("NKPREDICT_SIGNING_PASSWORD") or None
    by = Keyless(issuer, token, trust_config) if key is None else key
    written = Registry(registry).sign(model, by, password)
    say(f"Signed: {written}", quiet)


@with_options
def verify_model(
    model: Model,
    key: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PEM", help="Public key; those of signed_by in mlflow.yaml when not given."
        ),
    ] = None,
    identity: Annotated[
        str | None,
        typer.Option(
            metavar="EMAIL|URI", help="Who must have signed it without a key, with --issuer."
        ),
    ] = None,
    issuer: Annotated[
        str | None, typer.Option(metavar="URL", help="Who vouches for the identity.")
    ] = None,
    trust_config: TrustConfig = None,
    registry: RegistryLocation = None,
    json_file: JsonFile = None,
    quiet: Quiet = False,
) -> None:
    """Check every file of a model against its hash, all against the registry, and who signed it.

    Examples
    --------
        nkpredict models verify nk-heme@champion --key lab-public.pem

        nkpredict models verify nk-heme --identity ada@lab.org --issuer https://accounts.google.com
    """
    from nkpredict.registry import Identity, Registry

    if (identity is None) != (issuer is None):
        raise InputError(
            "Give --identity and --issuer together; a name is nothing without who vouches for it."
        )
    if identity is None and trust_config is not None:
        raise InputError("--trust-config belongs to --identity and --issuer; a key needs none.")
    signers: list[Path | Identity] = list(key or ())
    if identity is not None and issuer is not None:
        signers.append(Identity(identity, issuer, trust_config))
    found = Registry(registry).verify(model, signers)
    signer = None if found.signed_by is None else str(found.signed_by)
    report = {"model": model, "sha256": found.sha256, "signed": found.signed, "signed_by": signer}
    write_json_file(json_file, report)
    if signer is not None:
        told = f"Signed by {signer}."
    elif found.signed:
        told = "It is signed, but nobody was named (--key, --identity) to check the signature with."
    else:
        told = "Nobody's signature was asked for."
    say(f"{model} is whole: SHA-256 {found.sha256}. {told}", quiet)
