"""One printed page about one patient."""

from __future__ import annotations

import base64
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nkpredict.errors import InputError
from nkpredict.explain import Patient
from nkpredict.figures import SYNAPSE_COLUMNS, plot_synapse, printable, save_figure
from nkpredict.io import atomic_path, write_text
from nkpredict.registry import NOTICE
from nkpredict.report._formats import decimal, joined
from nkpredict.report._layout import scale_over
from nkpredict.report._page import page_template, policy, shipped_text
from nkpredict.vocabulary import Meeting

_STYLE = "card.css"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
_WAIT = 120  # seconds for the browser; a page takes about two
_POINTS = 600  # of a cohort on the strip; more would only paint it black
_TALLEST = 2400  # of the picture of a card, in pixels of the page; one takes about 1,200
_MARGIN = 28  # pixels of a picture below the card
_EXTREME = 15  # percentile from an end at which a ligand is named in the words of the picture


def write_patient_card(patient: Patient, path: str | Path) -> Path:
    """Write a page about one sample that prints on one sheet of A4 or letter paper.

    Parameters
    ----------
    patient
        See `nkpredict.explain.explain_patient`.
    path
        File ending in ``.html``, or in ``.pdf`` or ``.png``, which a Chromium on the machine makes
        of the page.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    InputError
        When the file has another ending, or a PDF or PNG is asked for and there is no Chromium.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending not in (".html", ".pdf", ".png"):
        raise InputError(f"{path} is no name of a card; expected one ending in .html, .pdf, .png.")
    page = printable(_render(patient))
    if ending == ".html":
        write_text(path, page)
    else:
        _print(page, path, ending)
    return path


def _render(patient: Patient) -> str:
    style = shipped_text(_STYLE)
    model, profiles = patient.provenance.model, patient.provenance.profiles
    row = {str(key): value for key, value in patient.row.items()}
    own = [row["susceptibility"], row["lower"], row["upper"]]
    return page_template("card.html.j2").render(
        style=style,
        policy=policy(style, ()),
        notice=NOTICE,
        patient=patient,
        row=row,
        simulated=patient.simulated,
        forced=patient.provenance.forced,
        score_word=model.score_word,
        knowledge_only=model.knowledge_only,
        model_name=model.name,
        model_version=model.registry_version,
        file=None if profiles is None else profiles.file,
        scale=scale_over([*patient.company, *own]),
        points=_points(patient.company),
        axes=_axes(patient),
        pictures=[_picture(patient, kinds) for kinds in SYNAPSE_COLUMNS],
        genes=_records(patient.genes),
        knockouts=_records(patient.knockouts),
        above=_records(patient.drugs),
        below=_records(patient.drugs_below),
        tests=_tests(patient),
        warnings=patient.provenance.warnings,
    )


def _records(table: Any) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def _points(company: Any) -> list[float]:
    values = np.sort(np.asarray(company, dtype=float))
    values = values[np.isfinite(values)]
    if len(values) <= _POINTS:
        return list(values)
    return list(np.quantile(values, np.linspace(0, 1, _POINTS)))


def _axes(patient: Patient) -> list[dict[str, Any]]:
    """Axes with the width of their bars in per cent of the longest."""
    longest = max(float(patient.axes["contribution"].abs().max()), 1e-12)
    return [
        {
            "name": str(axis)[0].upper() + str(axis)[1:],
            "contribution": part["contribution"],
            "percentile": part["percentile"],
            "width": round(50 * abs(part["contribution"]) / longest, 2),
        }
        for axis, part in patient.axes.iterrows()
    ]


def _picture(patient: Patient, meetings: Sequence[Meeting]) -> dict[str, str]:
    """Return a column of the synapse as the address of an image inside the page, and in words."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "synapse.svg"
        save_figure(plot_synapse(patient, meetings), file)
        address = "data:image/svg+xml;base64," + base64.b64encode(file.read_bytes()).decode()
    return {"address": address, "words": _picture_words(patient, meetings)}


def _picture_words(patient: Patient, meetings: Sequence[Meeting]) -> str:
    """Say what the picture shows, for those who do not see it."""
    drawn = patient.synapse[patient.synapse["meeting"].isin(meetings)]
    known = drawn.dropna(subset="percentile")
    high = known.loc[known["percentile"] >= 100 - _EXTREME, "gene"]
    low = known.loc[known["percentile"] <= _EXTREME, "gene"]
    missing = drawn.loc[drawn["percentile"].isna(), "gene"]
    named = {"High": list(high), "Low": list(low), "Not measured": list(missing)}
    words = [f"{what}: {joined(genes) if genes else 'none'}." for what, genes in named.items()]
    kinds = " and ".join(meetings)
    return " ".join([f"Proteins of the tumour cell that meet NK cells, {kinds}.", *words])


def _tests(patient: Patient) -> list[str]:
    """Say which measurements would show that the page is wrong."""
    lower = patient.rank < 50
    tests = [
        f"A co-culture with NK cells in which these tumour cells are killed "
        f"{'more' if lower else 'less'} easily than most of {patient.compared_with}."
    ]
    lowering = patient.genes[patient.genes["difference"] < 0]
    protecting = lowering[lowering["says"].str.startswith("protects")]
    if len(protecting):
        genes = " or ".join(protecting["gene"].head(2))
        tests.append(f"Killing that does not rise when {genes} is knocked out or blocked.")
    sensitizing = lowering[
        (lowering["percentile"] < 50) & lowering["says"].str.startswith("sensitizes")
    ]
    for gene in sensitizing["gene"].head(1):
        tests.append(
            f"Flow cytometry that finds {gene} on these cells as high as on others: the page takes "
            "it from RNA."
        )
    if patient.missing:
        tests.append(
            f"The level of {joined(list(patient.missing[:4]))}"
            f"{' and others' if len(patient.missing) > 4 else ''}, not measured here, could move "
            "the score either way."
        )
    lowest, highest = (decimal(patient.row[end], 2) for end in ("lower", "upper"))
    if np.isfinite(patient.row["lower"]):
        tests.append(f"A measured susceptibility outside {lowest} to {highest}.")
    return tests


def _print(page: str, path: Path, ending: str) -> None:
    browser = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise InputError(
            f"{path} needs a Chromium on this machine to be printed, and none was found (looked "
            f"for {', '.join(_BROWSERS)}); install one, or write .html and print it from a browser."
        )
    with tempfile.TemporaryDirectory() as folder, atomic_path(path) as target:
        html = Path(folder) / "card.html"
        html.write_text(page, encoding="utf-8")
        made = Path(folder) / f"card{ending}"
        what = (
            [f"--print-to-pdf={made}", "--no-pdf-header-footer"]
            if ending == ".pdf"
            else [
                f"--screenshot={made}",
                f"--window-size=820,{_TALLEST}",
                "--force-device-scale-factor=2",
            ]
        )
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        command += [f"--user-data-dir={folder}/profile", *what, html.as_uri()]
        try:
            done = subprocess.run(command, capture_output=True, timeout=_WAIT, check=False)  # noqa: S603 - a browser found on the path, no shell
        except subprocess.TimeoutExpired:
            done = None
        if done is None or not made.is_file():
            raise InputError(
                f"{browser} did not print the card to {path}; write .html and print it from a "
                "browser."
            )
        if ending == ".png":
            _crop(made)
        shutil.copyfile(made, target)


def _crop(picture: Path) -> None:
    """Cut off the white below the card: a browser without a window pictures no page as a whole."""
    from matplotlib.image import imread, imsave

    pixels = imread(picture)
    written = np.flatnonzero((pixels[..., :3] < 1).any(axis=(1, 2)))
    imsave(picture, pixels[: written[-1] + _MARGIN])
