"""Passwords and tokens of URIs, which are never shown, logged or written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus, unquote, unquote_plus

HIDDEN = "***"
"""What stands where a password was."""

_SECRET_WORDS = ("password", "passwd", "passphrase", "pwd", "token", "secret", "key", "credential")
# SQLAlchemy lets a password hold slashes, so all up to the last @ belongs to it
_USER = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)([^\s/'\"<>][^\s'\"<>]*)@")
_ENCODED_USER = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*%3A%2F%2F)([^\s'\"<>]*)%40", re.IGNORECASE)
_PARAMETER = re.compile(r"([?&;])([^=&;?\s'\"<>]+)=([^&\s'\"<>#]*)")
_DSN = re.compile(r"\b(password|passwd|pwd|sslpassword)\s*=\s*('[^']*'|\S+)", re.IGNORECASE)
# a shorter password would be found in half of all words; it is hidden where its URI stands whole
_SHORTEST_SOUGHT = 3
_LONGEST = 200


def hide_credentials(text: str, *uris: str) -> str:
    """Return a text without the passwords and tokens of the URIs in it.

    Parameters
    ----------
    text
        A URI, or a message that may quote one.
    uris
        URIs that are known to be in use: their passwords are hidden wherever they stand, also
        percent-encoded or alone.

    Returns
    -------
    str
        With ``***`` for each password; user, host and the rest stay.

    Examples
    --------
    >>> hide_credentials("postgresql://nk:secret@db/nk?sslpassword=other")
    'postgresql://nk:***@db/nk?sslpassword=***'
    """
    for uri in uris:
        text = text.replace(uri, hide_credentials(uri))
    known = {form for uri in uris for form in _forms(uri) if len(form) >= _SHORTEST_SOUGHT}
    for secret in sorted(known, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    text = _USER.sub(_without_password, text)
    text = _ENCODED_USER.sub(rf"\1{HIDDEN}%40", text)
    text = _PARAMETER.sub(_without_value, text)
    return _DSN.sub(rf"\1={HIDDEN}", text)


def told_in_short(error: BaseException, *uris: str) -> str:
    """Return what a database, a driver or a network said, on one line and without passwords.

    Parameters
    ----------
    error
        What was raised.
    uris
        As for `hide_credentials`.

    Returns
    -------
    str
        At most 200 characters; SQLAlchemy's line about its documentation is left out.
    """
    told = " ".join(hide_credentials(str(error), *uris).split("\n(Background")[0].split())
    return told if len(told) <= _LONGEST else f"{told[: _LONGEST - 3]}..."


def _without_password(found: re.Match[str]) -> str:
    scheme, holder = found.groups()
    user, colon, _ = holder.partition(":")
    if colon:
        return f"{scheme}{user}:{HIDDEN}@"
    # what stands alone before a web address is a token; before a database it is the user
    return f"{scheme}{HIDDEN}@" if scheme.lower().startswith("http") else found.group()


def _without_value(found: re.Match[str]) -> str:
    sign, name, _ = found.groups()
    return f"{sign}{name}={HIDDEN}" if _is_secret(name) else found.group()


def _is_secret(name: str) -> bool:
    return any(word in unquote(name).lower() for word in _SECRET_WORDS)


def _forms(uri: str) -> Iterator[str]:
    """Yield the secrets of a URI as they stand in it, decoded and encoded."""
    secrets = [value for _, name, value in _PARAMETER.findall(uri) if _is_secret(name)]
    for scheme, holder in _USER.findall(uri):
        user, colon, password = holder.partition(":")
        if colon:
            secrets.append(password)
        elif scheme.lower().startswith("http"):
            secrets.append(user)
    for secret in secrets:
        for plain in (secret, unquote(secret), unquote_plus(secret)):
            yield from (plain, quote(plain), quote(plain, safe=""), quote_plus(plain))
