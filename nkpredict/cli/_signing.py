"""nkpredict models sign and verify."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from nkpredict.cli._console import JsonFile, Quiet, say, write_json_file
from nkpredict.cli._options import with_options
from nkpredict.configuration import RegistryLocation

Model = Annotated[
    str, typer.Argument(metavar="FOLDER|NAME[@ALIAS|/N]", help="Bundle, or registered model.")
]


@with_options
def sign_model(
    model: Model,
    key: Annotated[
        Path,
        typer.Option(
            metavar="PEM",
            help="Private key on an elliptic curve; its password is read from "
            "NKPREDICT_SIGNING_PASSWORD.",
        ),
    ],
    registry: RegistryLocation = None,
    quiet: Quiet = False,
) -> None:
    """Sign a model with your key (needs the extra signing).

    Example:

        nkpredict models sign runs/nk-heme/bundle --key lab-private.pem
    """
    from nkpredict.registry import Registry

    password = os.environ.get("NKPREDICT_SIGNING_PASSWORD") or None
    written = Registry(registry).sign(model, key, password)
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
    registry: RegistryLocation = None,
    json_file: JsonFile = None,
    quiet: Quiet = False,
) -> None:
    """Check every file of a model against its hash, all against the registry, and who signed it.

    Example:

        nkpredict models verify nk-heme@champion --key lab-public.pem
    """
    from nkpredict.registry import Registry

    found = Registry(registry).verify(model, key or ())
    signer = None if found.signed_by is None else str(found.signed_by)
    report = {"model": model, "sha256": found.sha256, "signed": found.signed, "signed_by": signer}
    write_json_file(json_file, report)
    if signer is not None:
        told = f"Signed by {signer}."
    elif found.signed:
        told = "It is signed, but no public key was named (--key) to check the signature with."
    else:
        told = "Nobody's signature was asked for."
    say(f"{model} is whole: SHA-256 {found.sha256}. {told}", quiet)
