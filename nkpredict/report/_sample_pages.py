"""The pages of single samples, as plain values from which the browser draws the one asked for."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from nkpredict.drugs import ABOVE, drugs_in_words
from nkpredict.explain import LEAST_COMPANY
from nkpredict.figures import Scored, lineages, optional, printable, waterfalls
from nkpredict.report import _summary as summary
from nkpredict.report._axes import axes_facts
from nkpredict.report._drugs import LIABILITIES
from nkpredict.report._facts import Fact
from nkpredict.report._formats import NO_VALUE, decimal, interval, is_number, percent
from nkpredict.report._killing_curve import curve_facts

_DRUGS_SHOWN = 5
_DECIMALS = 5
# Columns with a place of their own on the page; others are shown as they are.
_KNOWN_COLUMNS = {
    "susceptibility",
    "lower",
    "upper",
    "percentile",
    "novelty",
    "in_domain",
    "gene_coverage",
    "weight_coverage",
    "flags",
    "original_scale",
}


def sample_pages(scores: Scored, table: pd.DataFrame, words: summary.Words) -> dict[str, Any]:
    """Return what the browser needs to draw the page of any sample.

    Parameters
    ----------
    scores
        Scores of a cohort.
    table
        Its samples, highest prediction first.
    words
        Words that fit the model.

    Returns
    -------
    dict
        ``word`` (for the score), ``base``, ``labels`` of facts, ``genes`` and ``drugs`` (name, what
        it does to NK cells, how that is marked, whether it was tried with them, phase), ``beside``
        (what the genes of a sample lower it against, where drugs are looked up), ``none`` (said of
        a sample without drugs) and ``samples``, one list each: name, score, sentences,
        flags, facts in the order of the labels, positions of genes, their contributions, that of
        all other genes or None, drugs above the line and below it (position, genes, contrary
        genes).
    """
    labels, genes, drugs = _Places(), _Places(), _Places()
    told = _Facts(scores, words)
    lists = _drugs_by_sample(scores, drugs)
    steps = dict(zip(scores.contributions.index, waterfalls(scores), strict=True))
    samples: list[list[Any]] = []
    for name, row in _rows(table):
        own = steps[name]
        facts = {labels.of(fact.label): fact.value for fact in told.of(str(name), row)}
        # the last step may be all other genes together
        named = own.steps[: len(own.raising) + len(own.lowering)]
        samples.append(
            [
                printable(name),
                decimal(row["susceptibility"]),
                printable(" ".join(summary.sample_sentences(row, own, words))),
                summary.flags_of(row, words),
                facts,
                [genes.of(printable(step.label)) for step in named],
                [_rounded(step.change) for step in named],
                _rounded(own.steps[-1].change) if len(named) < len(own.steps) else None,
                *lists.get(str(name), ([], [])),
            ]
        )
    for sample in samples:
        sample[4] = [sample[4].get(place) for place in range(len(labels))]
    none = drugs_in_words(pd.DataFrame()) if summary.drugs_words(scores) else ""
    return {
        "word": words.score,
        "base": _rounded(float(scores.base_value)),
        "labels": labels.names,
        "genes": genes.names,
        "drugs": drugs.names,
        "beside": _beside(table),
        "none": none,
        "samples": samples,
    }


def _beside(table: pd.DataFrame) -> str:
    return "the mean of this cohort" if len(table) >= LEAST_COMPANY else "the average profile"


class _Places:
    """Names, each written once and then told by its place."""

    def __init__(self) -> None:
        self._places: dict[Any, int] = {}

    def __len__(self) -> int:
        return len(self._places)

    def of(self, name: Any) -> int:
        return self._places.setdefault(name, len(self._places))

    @property
    def names(self) -> list[Any]:
        return list(self._places)


class _Facts:
    """What stands beside the figure of each sample."""

    def __init__(self, scores: Scored, words: summary.Words) -> None:
        self._words = words
        response = scores.provenance.model.response
        unit = f" ({response.unit})" if response is not None and response.unit else ""
        self._original = f"On the scale of the training response{unit}"
        self._axes, self._curves = axes_facts(scores), curve_facts(scores)
        lineage = lineages(scores)
        columns = {} if lineage is None else {"lineage": lineage}
        columns |= {str(name): column for name, column in optional(scores, "covariates").items()}
        self._groups = {
            name: dict(zip(column.index.astype(str), column, strict=True))
            for name, column in columns.items()
        }

    def of(self, name: str, row: Mapping[str, Any]) -> Iterator[Fact]:
        words = self._words
        yield Fact(words.score.capitalize(), decimal(row["susceptibility"]))
        if not words.knowledge_only:
            yield Fact("90 % prediction interval", interval(row["lower"], row["upper"]))
        yield Fact(f"Percentile of {words.reference}", decimal(row["percentile"], 0))
        where = "inside" if row["in_domain"] else "outside"
        yield Fact("Novelty", f"{decimal(row['novelty'], 2)} ({where} the domain)")
        yield Fact("Gene coverage", percent(row["gene_coverage"]))
        if "weight_coverage" in row:
            what = "Evidence" if words.knowledge_only else "Weight"
            yield Fact(f"{what} covered", percent(row["weight_coverage"]))
        original = row.get("original_scale")
        if is_number(original) and np.isfinite(original):
            yield Fact(self._original, decimal(original))
        for group, labels in self._groups.items():
            label = labels.get(name)
            yield Fact(_title(group), NO_VALUE if pd.isna(label) else printable(label))
        yield from self._axes.get(name, ())
        yield from self._curves.get(name, ())
        for column, value in row.items():
            if column not in _KNOWN_COLUMNS | set(self._groups) and not pd.isna(value):
                yield Fact(_title(column), printable(value))


def _rows(table: pd.DataFrame) -> Iterator[tuple[Hashable, dict[str, Any]]]:
    for name, row in zip(table.index, table.to_dict("records"), strict=True):
        yield name, {str(column): value for column, value in row.items()}


def _drugs_by_sample(
    scores: Scored, drugs: _Places
) -> dict[str, tuple[list[list[Any]], list[list[Any]]]]:
    """Return the first drugs of each sample, those above the line and those below."""
    table = optional(scores, "sample_drugs")
    if table.empty:
        return {}
    shown = table[table["rank"] <= _DRUGS_SHOWN]
    found: dict[str, tuple[list[list[Any]], list[list[Any]]]] = {}
    for row in shown.to_dict("records"):
        lists = found.setdefault(str(row["sample"]), ([], []))
        liability = str(row["nk_liability"] or "unknown")
        drug = (
            printable(row["drug"]),
            liability,
            LIABILITIES.get(liability, ""),
            printable(row["measured_with_nk_cells"]),
            printable(row["highest_phase"]),
        )
        genes = (str(row[name] or "").replace("; ", ", ") for name in ("genes", "genes_contrary"))
        lists[row["listed"] != ABOVE].append([drugs.of(drug), *map(printable, genes)])
    return found


def _rounded(value: float) -> float | None:
    return round(value, _DECIMALS) if np.isfinite(value) else None


def _title(column: str) -> str:
    words = printable(column).replace("_", " ")
    return words[:1].upper() + words[1:]
