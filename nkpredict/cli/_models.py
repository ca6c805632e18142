"""nkpredict models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nkpredict.cli._console import JsonFile, Quiet, print_table, say, write_json_file
from nkpredict.cli._options import with_options
from nkpredict.configuration import RegistryLocation

app = typer.Typer(
    help="Look after the models in the registry.", no_args_is_help=True, rich_markup_mode="markdown"
)
Reference = Annotated[str, typer.Argument(metavar="NAME[@ALIAS|/N]", help="Registered model.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of a registered model.")]
Reason = Annotated[
    str | None, typer.Option("--reason", metavar="TEXT", help="Why; kept in the history.")
]
_SHOWN_VERSIONS = 12


@app.command("list")
@with_options
def list_models(
    registry: RegistryLocation = None, json_file: JsonFile = None, quiet: Quiet = False
) -> None:
    """List registered models, their versions and aliases.

    Example:

        nkpredict models list
    """
    from nkpredict.registry import Registry

    store = Registry(registry)
    found = store.models()
    write_json_file(json_file, {"registry": store.settings.shown, "models": found})
    if quiet:
        return
    if not found:
        say(f"No models in {store.settings.shown}. Train one with nkpredict train.")
        return
    rows = []
    for model in found:
        aliases = ", ".join(f"{alias} → {v}" for alias, v in sorted(model["aliases"].items()))
        mark = "SIMULATED" if model["tags"].get("simulated") == "true" else ""
        versions = ", ".join(map(str, model["versions"][:_SHOWN_VERSIONS]))
        if len(model["versions"]) > _SHOWN_VERSIONS:
            versions += f" and {len(model['versions']) - _SHOWN_VERSIONS} more"
        rows.append([model["name"], versions, aliases, mark])
    print_table("Registered models", ["name", "versions", "aliases", "note"], rows)


@app.command("show")
@with_options
def show_model(
    model: Reference,
    registry: RegistryLocation = None,
    json_file: JsonFile = None,
    quiet: Quiet = False,
) -> None:
    """Show the card of a model: training data, performance and limits.

    Example:

        nkpredict models show nk-heme@champion
    """
    from nkpredict.registry import Registry

    shown = Registry(registry).show(model)
    write_json_file(json_file, shown)
    if quiet:
        return
    from rich.console import Console
    from rich.markdown import Markdown

    aliases = ", ".join(shown["aliases"]) or "none"
    say(f"{shown['name']}/{shown['version']}  aliases: {aliases}\n{shown['folder']}\n")
    Console().print(Markdown(shown["card"]))
    _print_history("History of this version", shown["history"])


@app.command("compare")
@with_options
def compare_models(
    current: Reference,
    other: Reference,
    registry: RegistryLocation = None,
    json_file: JsonFile = None,
    quiet: Quiet = False,
) -> None:
    """Hold two versions against each other on the same unseen samples.

    Example:

        nkpredict models compare nk-heme@champion nk-heme@candidate
    """
    from nkpredict.registry import Registry

    found = Registry(registry).compare(current, other)
    write_json_file(json_file, vars(found))
    if not found.comparable:
        say(f"{current} and {other} cannot be compared: {found.sentence}.", quiet)
        return
    verdict = "better in a split and worse in none" if found.better else "not better"
    say(f"{found.sentence}. {other} is {verdict}.", quiet)


@app.command("promote")
@with_options
def promote_model(
    model: Reference,
    force: Annotated[
        bool, typer.Option("--force", help="Also when it is not better; needs --reason.")
    ] = False,
    reason: Reason = None,
    registry: RegistryLocation = None,
    quiet: Quiet = False,
) -> None:
    """Make a version the one in use when it is better on the same unseen samples.

    Example:

        nkpredict models promote nk-heme/3
    """
    from nkpredict.registry import Registry

    store = Registry(registry)
    version = store.promote(model, force=force, reason=reason)
    say(f"Version {version} is now {store.settings.in_use_alias}.", quiet)


@app.command("rollback")
@with_options
def roll_back(
    model: Name, reason: Reason = None, registry: RegistryLocation = None, quiet: Quiet = False
) -> None:
    """Put the version back that was in use before.

    Example:

        nkpredict models rollback nk-heme --reason "drift in the new assay"
    """
    from nkpredict.registry import Registry

    store = Registry(registry)
    version = store.rollback(model, reason=reason)
    say(f"Version {version} is now {store.settings.in_use_alias}.", quiet)


@app.command("history")
@with_options
def show_history(
    model: Name,
    registry: RegistryLocation = None,
    json_file: JsonFile = None,
    quiet: Quiet = False,
) -> None:
    """Show which versions were in use, since when, by whom and why.

    Example:

        nkpredict models history nk-heme
    """
    from nkpredict.registry import Registry

    events = Registry(registry).history(model)
    write_json_file(json_file, events)
    if not quiet:
        _print_history(f"History of {model}", events)


@app.command("export")
@with_options
def export_model(
    model: Reference,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="New folder.")],
    registry: RegistryLocation = None,
    quiet: Quiet = False,
) -> None:
    """Copy the bundle of a version into a folder, to take it elsewhere.

    Example:

        nkpredict models export nk-heme@champion --out nk-heme
    """
    from nkpredict.registry import Registry

    say(f"{model} is in {Registry(registry).export(model, out)}", quiet)


@app.command("import")
@with_options
def import_model(
    bundle: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a bundle.")],
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="Register it under.")],
    registry: RegistryLocation = None,
    quiet: Quiet = False,
) -> None:
    """Register a bundle that was exported or copied from elsewhere.

    Example:

        nkpredict models import nk-heme --name nk-heme
    """
    from nkpredict.registry import Registry

    say(f"Registered {name}/{Registry(registry).register(bundle, name)}", quiet)


@app.command("delete")
@with_options
def delete_model(
    model: Reference,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    reason: Reason = None,
    registry: RegistryLocation = None,
    quiet: Quiet = False,
) -> None:
    """Take a version that is not in use out of the registry.

    Example:

        nkpredict models delete nk-heme/2 --reason "wrong response file"
    """
    from nkpredict.registry import Registry

    if not yes:
        typer.confirm(f"Take {model} out of the registry?", abort=True)
    version = Registry(registry).delete(model, reason=reason)
    say(f"Version {version} is gone; mlflow gc removes its files.", quiet)


def _print_history(title: str, events: list[dict[str, Any]]) -> None:
    if not events:
        return
    columns = ["time", "event", "version", "before", "by", "reason"]
    rows = [["–" if e[c] is None else str(e[c]) for c in columns] for e in events]
    print_table(title, columns, rows)
