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
    """Check that a model is whole and, when keys are known, that one of them has signed it.

    Example:

        nkpredict models verify nk-heme@champion --key lab-public.pem
    """
    from nkpredict.registry import Registry

    store = Registry(registry)
    keys = list(key or store.settings.signed_by)
    if not keys:
        digest = store.load(model).metadata.sha256
        write_json_file(json_file, {"model": model, "sha256": digest, "signed_by": None})
        say(
            f"{model} is whole. No public key was named, so nobody's signature was asked for.",
            quiet,
        )
        return
    signer = store.verify(model, keys)
    write_json_file(json_file, {"model": model, "signed_by": str(signer)})
    say(f"{model} is whole, and signed by {signer}.", quiet)
