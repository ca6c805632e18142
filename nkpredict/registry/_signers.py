"""Who signs bundles without a key: somebody whom an OpenID Connect issuer vouches for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Identity:
    """Whose signature is asked for.

    Attributes
    ----------
    name
        E-mail address of a person, or URI of a workflow.
    issuer
        URL of the OpenID Connect issuer that vouches for it.
    trust
        Trust configuration of a Sigstore of one's own, as JSON; by default that of sigstore.dev,
        which is fetched.
    """

    name: str
    issuer: str
    trust: Path | None = None

    def __str__(self) -> str:
        """Name both: a name means nothing without who vouches for it."""
        return f"{self.name} of {self.issuer}"

    @classmethod
    def from_settings(cls, stated: Mapping[str, Any], beside: Path) -> Identity:
        """Read an entry of ``signed_by`` in ``mlflow.yaml``.

        Raises
        ------
        ValueError
            When it is no identity and issuer, each a text.
        """
        needed, known = {"identity", "issuer"}, {"identity", "issuer", "trust_config"}
        if not needed <= set(stated) <= known or not all(
            isinstance(value, str) and value.strip() for value in stated.values()
        ):
            raise ValueError("expected identity and issuer, each a text")
        trust = stated.get("trust_config")
        return cls(stated["identity"], stated["issuer"], None if trust is None else beside / trust)


@dataclass(frozen=True)
class Keyless:
    """How the identity of who signs is found.

    Attributes
    ----------
    issuer
        URL of the OpenID Connect issuer to log in at; by default Sigstore's.
    token
        Token of the identity; without one that of the CI in which this runs, else a browser opens.
    trust
        As for `Identity`.
    """

    issuer: str | None = None
    token: str | None = field(default=None, repr=False)
    trust: Path | None = None


SignsWith = str | Path | Keyless
"""A private key, or how to sign without one."""
