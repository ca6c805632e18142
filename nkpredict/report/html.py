"""One self-contained HTML file about a scored cohort."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from nkpredict.errors import InputError
from nkpredict.io.writing import write_text
from nkpredict.registry.card import NOTICE
from nkpredict.report import facts, formats, summary
from nkpredict.report.layout import Scale, Waterfall, scale_over, waterfall

if TYPE_CHECKING:
    from nkpredict.scoring import Scores

_RESISTANCE_GENES_SHOWN = 30
_MOST_BARS = 40
# Columns with a place of their own in the report; others are shown as they are.
_KNOWN_COLUMNS = {
    "susceptibility",
    "lower",
    "upper",
    "percentile",
    "novelty",
    "in_domain",
    "gene_coverage",
    "flags",
    "original_scale",
}


class _Sample(NamedTuple):
    """What the template needs of one sample."""

    position: int
    name: str
    row: dict[str, Any]
    flags: list[str]
    sentences: list[str]
    steps: Waterfall
    scale: Scale
    extra: list[facts.Fact]


class _Bar(NamedTuple):
    """A bar of the cohort's histogram."""

    low: float
    high: float
    samples: int


def write_report(scores: Scores, path: str | Path) -> Path:
    """Write a report that opens in any browser and needs no network.

    Parameters
    ----------
    scores
        Scores of a cohort.
    path
        HTML file to write; replaced as a whole when it exists.

    Returns
    -------
    pathlib.Path
        The file. The same scores give the same bytes.

    Raises
    ------
    InputError
        When the scores hold no sample.
    """
    if scores.table.empty:
        raise InputError("The scores hold no sample; expected at least one to report on.")
    write_text(path, formats.printable(_render(scores)))
    return Path(path)


def _render(scores: Scores) -> str:
    environment = _environment()
    style, script = (_shipped_text(environment, name) for name in ("report.css", "report.js"))
    table = scores.table.sort_values("susceptibility", ascending=False, kind="stable")
    samples = _samples(scores, table)
    splits, performance = facts.performance_table(scores)
    provenance = scores.provenance
    model = summary.section(provenance, "model")
    response = summary.section(model, "training", "response")
    genes = scores.resistance_genes
    return environment.get_template("report.html.j2").render(
        style=style,
        script=script,
        policy=_policy(style, script),
        notice=NOTICE,
        simulated=summary.is_simulated(scores),
        simulated_words=summary.simulated_words(scores),
        warnings=[str(warning) for warning in provenance.get("warnings") or []],
        profiles_file=summary.section(provenance, "profiles").get("file"),
        model_name=model.get("name"),
        model_version=model.get("version"),
        model_simulated=bool(model.get("simulated")),
        paragraphs=summary.cohort_sentences(scores),
        base=float(scores.base_value),
        key_figures=summary.key_figures(scores),
        samples=samples,
        ranking=scale_over(
            [scores.base_value, *table[["susceptibility", "lower", "upper"]].to_numpy().ravel()]
        ),
        bars=_histogram(table["susceptibility"].to_numpy(dtype=float)),
        response_unit=response.get("unit"),
        gene_count=len(genes),
        genes=genes.head(_RESISTANCE_GENES_SHOWN).to_dict("records"),
        detected=facts.detected(provenance),
        missing=facts.missing(provenance),
        splits=splits,
        split_words=summary.SPLIT_WORDS,
        performance=performance,
        provenance=facts.provenance_facts(provenance),
    )


def _samples(scores: Scores, table: pd.DataFrame) -> list[_Sample]:
    samples = []
    for position, (name, values) in enumerate(
        zip(table.index, table.to_dict("records"), strict=True), start=1
    ):
        row = {str(column): value for column, value in values.items()}
        steps = waterfall(scores, name)
        places = [steps.base, *(step.end for step in steps.steps)]
        samples.append(
            _Sample(
                position,
                str(name),
                row,
                summary.flags_of(row),
                summary.sample_sentences(row, steps),
                steps,
                scale_over(places, left=25.0, right=84.0, ticks=4),
                [
                    facts.Fact(column.replace("_", " ").capitalize(), str(value))
                    for column, value in row.items()
                    if column not in _KNOWN_COLUMNS and not pd.isna(value)
                ],
            )
        )
    return samples


def _histogram(values: np.ndarray) -> list[_Bar]:
    values = values[np.isfinite(values)]
    if len(values) < 2 or np.ptp(values) < 1e-9:
        return []
    counts, edges = np.histogram(values, bins=int(np.clip(len(values) // 3, 8, _MOST_BARS)))
    return [
        _Bar(float(low), float(high), int(samples))
        for samples, low, high in zip(counts, edges, edges[1:], strict=False)
    ]


def _policy(style: str, script: str) -> str:
    # The browser runs this style and this script and nothing else, whatever a file name holds.
    hashes = [
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in (style, script)
    ]
    return (
        f"default-src 'none'; style-src {hashes[0]}; script-src {hashes[1]}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("nkpredict.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        count=formats.count,
        decimal=formats.decimal,
        finite=lambda value: formats.is_number(value) and np.isfinite(value),
        percent=formats.percent,
        signed=formats.signed,
    )
    environment.globals.update(interval=formats.interval)
    return environment


def _shipped_text(environment: Environment, name: str) -> str:
    assert environment.loader is not None  # noqa: S101 - for the type checker; set just above
    return environment.loader.get_source(environment, name)[0]
