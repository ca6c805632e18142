"""nkpredict config."""

from __future__ import annotations

import typer

from nkpredict.cli._console import JsonFile, Quiet, print_table, write_json_file
from nkpredict.cli._options import with_options
from nkpredict.configuration import RegistryLocation

app = typer.Typer(
    help="See which settings are in force.", no_args_is_help=True, rich_markup_mode="markdown"
)


@app.command("show")
@with_options
def show_config(
    registry: RegistryLocation = None, json_file: JsonFile = None, quiet: Quiet = False
) -> None:
    """Show where models are kept, and where each setting comes from.

    Example:

        nkpredict config show
    """
    from nkpredict.registry import registry_settings

    rows = registry_settings(registry).table()
    found = [{"setting": name, "value": value, "from": source} for name, value, source in rows]
    write_json_file(json_file, found)
    if not quiet:
        print_table("Settings of the registry", ["setting", "value", "from"], rows)
