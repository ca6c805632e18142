"""What a registered bundle says of itself, read without loading the model."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nkpredict.errors import BundleError, in_words
from nkpredict.registry._contents import json_from, read_plain_file


@dataclass(frozen=True)
class Description:
    """Card and metadata of a bundle.

    Attributes
    ----------
    card
        The model card, Markdown.
    metadata
        As `ModelFacts.to_json` returns it.
    sha256
        Hash of the bundle.
    """

    card: str
    metadata: dict[str, Any]
    sha256: str


def read_description(folder: Path) -> Description:
    """Read card and metadata of a bundle, each compared with its hash.

    Parameters
    ----------
    folder
        Folder of the bundle.

    Raises
    ------
    BundleError
        When they are lacking or altered. The model itself is checked when it is loaded.
    """
    try:
        manifest = read_plain_file(folder / "bundle.json")
        expected = json_from(manifest, "bundle.json")["sha256"]
        found = {name: read_plain_file(folder / name) for name in ("card.md", "metadata.json")}
        altered = [n for n, b in found.items() if hashlib.sha256(b).hexdigest() != expected[n]]
        if not altered:
            digest = hashlib.sha256(manifest).hexdigest()
            metadata = {**json_from(found["metadata.json"], "metadata.json"), "sha256": digest}
            return Description(found["card.md"].decode("utf-8"), metadata, digest)
    except (ValueError, KeyError, TypeError) as error:
        raise BundleError(
            f"The model bundle {folder} is incomplete or damaged ({in_words(error)}); copy it "
            "again."
        ) from error
    raise BundleError(
        f"{folder / altered[0]} is not the file that was saved (its SHA-256 differs from "
        "bundle.json); copy the model bundle again."
    )
