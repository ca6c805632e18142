"""nkpredict models."""

from __future__ import annotations

from typing import Annotated

import typer

from nkpredict.cli._console import JsonFile, Quiet, print_table, say, write_json_file
from nkpredict.cli._options import with_options
from nkpredict.configuration import RegistryLocation

app = typer.Typer(
    help="Look models up in the registry.", no_args_is_help=True, rich_markup_mode="markdown"
)
Reference = Annotated[str, typer.Argument(metavar="NAME[@ALIAS|/N]", help="Registered model.")]


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
    write_json_file(json_file, {"registry": store.settings.registry_uri, "models": found})
    if quiet:
        return
    if not found:
        say(f"No models in {store.settings.registry_uri}. Train one with nkpredict train.")
        return
    rows = []
    for model in found:
        aliases = ", ".join(f"{alias} → {v}" for alias, v in sorted(model["aliases"].items()))
        mark = "SIMULATED" if model["tags"].get("simulated") == "true" else ""
        versions = ", ".join(map(str, model["versions"]))
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


@app.command("promote")
@with_options
def promote_model(
    model: Reference, registry: RegistryLocation = None, quiet: Quiet = False
) -> None:
    """Make a version the one in use (alias champion).

    Example:

        nkpredict models promote nk-heme/3
    """
    from nkpredict.registry import Registry

    store = Registry(registry)
    version = store.promote(model)
    say(f"Version {version} is now {store.settings.in_use_alias}.", quiet)
