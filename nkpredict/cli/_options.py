"""Options made from the dataclasses that describe them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, is_dataclass
from inspect import Parameter, Signature, signature
from pathlib import Path
from types import GenericAlias, NoneType
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer

from nkpredict.configuration import choices_of, setting_of


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command that has an option for every field of the dataclasses it takes.

    Parameters
    ----------
    command
        Its parameters are described to Typer, or by a `Setting`, or are dataclasses whose fields
        are described by a `Setting`. An option that is not given leaves the field's default alone.

    Returns
    -------
    callable
        For ``app.command``; required options come first in its signature.
    """
    annotations = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {
        name: kind for name, kind in annotations.items() if is_dataclass(kind)
    }
    parameters: list[Parameter] = []
    for name, given in signature(command).parameters.items():
        if name in groups:
            parameters += _fields(groups[name])
        else:
            parameters.append(_parameter(name, annotations[name], given.default))
    parameters.sort(key=lambda parameter: parameter.default is not Parameter.empty)

    def run(**values: Any) -> None:
        for name, kind in groups.items():
            given_values = {field.name: values.pop(field.name) for field in fields(kind)}
            values[name] = kind(
                **{
                    key: tuple(value) if isinstance(value, list) else value
                    for key, value in given_values.items()
                    if value is not None
                }
            )
        command(**values)

    run.__doc__ = command.__doc__
    run.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    return run


def _fields(kind: Any) -> Iterator[Parameter]:
    annotations = get_type_hints(kind, include_extras=True)
    for field in fields(kind):
        default = field.default
        if default is MISSING and field.default_factory is MISSING:
            default = Parameter.empty
        elif not isinstance(default, str | bool | int):
            default = None  # Typer would show an empty list or a factory as the default
        yield _parameter(field.name, annotations[field.name], default)


def _parameter(name: str, annotation: Any, default: Any) -> Parameter:
    words = setting_of(annotation)
    if words is not None:
        flag = f"--{(words.option or name).replace('_', '-')}"
        option = typer.Option(flag, metavar=words.metavar, help=words.help)
        annotation = Annotated[_value_type(annotation), option]
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _value_type(annotation: Any) -> Any:
    """Return what Typer reads: a word for a choice, a list for many, of several types the path."""
    inner = get_args(annotation)[0]
    if choices_of(annotation):
        return str | None
    if get_origin(inner) is tuple:
        return GenericAlias(list, get_args(inner)[:1])
    members = get_args(inner)
    return Path | None if Path in members and NoneType in members else inner
