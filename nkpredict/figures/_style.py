"""What all figures share: colours, axes, names, files and the mark of simulated data."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, cast

from nkpredict.errors import InputError
from nkpredict.evidence import ScreenTable
from nkpredict.io import atomic_path
from nkpredict.vocabulary import Perturbation

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

# Blue and vermillion tell colour-blind readers apart too (Okabe & Ito, Color Universal Design,
# https://jfly.uni-koeln.de/color/).
SENSITIZES, PROTECTS = "#0072B2", "#D55E00"
GREY, PALE = "#6B7280", "#C9CDD3"
WORDS: dict[str, str] = {
    Perturbation.LOSS: "loss of function",
    Perturbation.GAIN: "gain of function",
}
FORMATS = ("png", "svg", "pdf")

_LONGEST_NAME = 34
# Control characters, halves of surrogate pairs and non-characters: not allowed in HTML or SVG.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def diverging() -> Colormap:
    """Vermillion over near white to blue."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("evidence", [PROTECTS, "#F7F7F7", SENSITIZES])


def axes_or_new(ax: Axes | None, size: tuple[float, float], show: bool = False) -> Axes:
    """Return the axes to draw on, of a figure of their own (inches) when None was given.

    Only a figure that will be shown is handed to pyplot, which keeps every figure it is given.
    """
    if ax is None and show:
        import matplotlib.pyplot as plt

        ax = plt.figure(figsize=size, layout="constrained").add_subplot()
    elif ax is None:
        from matplotlib.figure import Figure

        ax = Figure(figsize=size, layout="constrained").add_subplot()
    ax.spines[["top", "right", "left"]].set_visible(False)
    return ax


def shortened(name: object) -> str:
    """Return a name that fits beside an axis and is not taken for mathematics."""
    text = printable(name)
    text = text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 1]}…"
    return text.replace("$", r"\$")


def printable(value: object) -> str:
    """Return text that any HTML or SVG file may hold; characters it may not hold become �."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", str(value))


def marked(ax: Axes, screens: ScreenTable) -> Axes:
    """Write SIMULATED across the axes where any screen is."""
    return finished(ax, screens.simulated)


def finished(
    ax: Axes,
    simulated: bool,
    save: str | Path | None = None,
    show: bool = False,
    *,
    forced: bool = False,
) -> Axes:
    """Mark simulated data and forced scores, write the figure and show it, as far as asked for."""
    if simulated or forced:
        ax.text(
            0.5,
            0.5,
            "\n".join(["SIMULATED"] * simulated + ["FORCED"] * forced),
            transform=ax.transAxes,
            ha="center",
            va="center",
            rotation=25,
            fontsize=34,
            color=PROTECTS,
            alpha=0.22,
            zorder=5,
        )
    if save is not None:
        save_figure(ax, save)
    if show:
        import matplotlib.pyplot as plt

        plt.show()
    return ax


def save_figure(ax: Axes, target: str | Path) -> None:
    """Write the figure of some axes atomically; the same figure gives the same bytes.

    Parameters
    ----------
    ax
        Axes of the figure.
    target
        File ending in ``.png``, ``.svg`` or ``.pdf``.

    Raises
    ------
    InputError
        When the ending is another one.
    """
    import matplotlib

    ending = check_figure_file(target)
    metadata = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
    with (
        atomic_path(target) as path,
        matplotlib.rc_context({"svg.hashsalt": "nkpredict", "pdf.fonttype": 42}),
        warnings.catch_warnings(),
    ):
        # a name in a script that the font lacks is drawn as boxes; the tables hold it as it is
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        warnings.filterwarnings("ignore", "Matplotlib currently does not support .* natively")
        figure = cast("Figure", ax.figure)
        figure.savefig(path, format=ending, dpi=300, metadata=metadata[ending])


def check_figure_file(target: str | Path) -> str:
    """Return the format that the ending of a file asks for.

    Raises
    ------
    InputError
        When it is none of png, svg and pdf.
    """
    ending = Path(target).suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        raise InputError(
            f"{target} is no name of a figure; expected one that ends in .{', .'.join(FORMATS)}."
        )
    return ending
