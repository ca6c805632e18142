"""How the command line tells what is known about a gene."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from nkpredict.cli._console import print_table, say

if TYPE_CHECKING:
    from nkpredict.evidence import GeneDescription


def print_gene(gene: GeneDescription, *, asked_screens: bool) -> None:
    """Print all that is known of a gene, screens where asked for, and the judgement.

    Parameters
    ----------
    gene
        What is known.
    asked_screens
        Whether files of screens were given, so that absence from them is worth a word.
    """
    say(f"{'SIMULATED ' if gene.simulated else ''}{gene.gene}")
    if gene.note:
        say(f"Note: {gene.note}.")
    say(f"Category: {gene.category or 'none'}")
    for module, source in gene.modules.items():
        say_wrapped(f"Module: {module.replace('_', ' ')} (doi {source.replace('; ', ', doi ')})")
    _print_functional(gene.functional)
    _print_published(gene.published)
    if asked_screens and not gene.screens:
        say("\nThe gene is in none of the screens given.")
    elif asked_screens:
        _print_screens(gene)
        _print_combined(gene)
    _print_judgement(gene)


def _print_functional(rows: list[dict[str, Any]]) -> None:
    if not rows:
        say("No functional experiment on this gene is in the knowledge base.")
        return
    first = rows[0]
    words = [first["axis"] or "no axis", first["group"]]
    receptors = sorted({row["receptor"] for row in rows} - {""})
    say_wrapped(f"Function: {', '.join([*words, *(f'receptor {name}' for name in receptors)])}")
    print_table(
        "Functional experiments (what the gene does in the tumour cell)",
        ["study", "direction", "effector", "experiment", "strength"],
        [
            [row[k] for k in ("study", "direction", "effector", "experiment", "strength")]
            for row in rows
        ],
    )
    for row in rows:
        scope = ", evidence for this line only" if row["scope"] != "general" else ""
        say_wrapped(f"{row['study']} (doi {row['doi']}; {row['model']}{scope}): {row['note']}")
    if len({row["direction"] for row in rows}) > 1:
        say_wrapped("These publications contradict each other; all are shown.")
    say("")


def _print_judgement(gene: GeneDescription) -> None:
    judged = gene.judgement
    say("")
    if not judged or judged["evidence"] == 0:
        say_wrapped("Judgement: nothing is known of a direction. That is no evidence against one.")
    else:
        asked = f" for {judged['effector']}" if judged["effector"] else ""
        word = "sensitizes" if judged["evidence"] > 0 else "protects"
        n = judged["sources"]
        say_wrapped(
            f"Judgement{asked}: {word} ({judged['evidence']:+.2f}, from {n} "
            f"{'study' if n == 1 else 'studies'} with {judged['effectors']}). Lines: "
            f"{judged['lines']}. Conflict: {'YES' if judged['conflict'] else 'no'}."
        )
    for note in gene.notes:
        say_wrapped(f"Note: {note}")


def _print_published(rows: list[dict[str, Any]]) -> None:
    if not rows:
        say("No published hit of this gene is in the knowledge base.")
        return
    print_table(
        "Published",
        ["study", "effector", "tumour line", "direction", "effect", "significance"],
        [
            [
                row["study"],
                row["effector"],
                row["target_line"],
                row["direction"],
                _short(row["effect_size"]),
                _short(row["significance"]),
            ]
            for row in rows
        ],
    )
    for row in rows:
        meaning = [
            f"{what}: {row[unit]}"
            for what, unit in (("effect", "effect_unit"), ("significance", "significance_kind"))
            if row[unit]
        ]
        remarks = "; ".join([*meaning, *([row["note"]] if row["note"] else [])])
        say_wrapped(
            f"{row['study']} (perturbation {row['perturbation']}, doi {row['doi'] or 'none'}): "
            f"{remarks or 'no more is known'}."
        )


def _print_screens(gene: GeneDescription) -> None:
    say("")
    print_table(
        "In the screens given (effect > 0: sensitizes; rank on that side by effect)",
        ["screen", "effector", "effect", "p", "rank"],
        [
            [
                row["screen"],
                f"{row['effector']}, {row['perturbation']}",
                "unknown" if row["rank"] is None else float(row["effect"]),
                _short(row["p"]),
                "–" if row["rank"] is None else f"{row['rank']:,} of {row['genes']:,}",
            ]
            for row in gene.screens
        ],
    )
    if any(row["rank"] is None for row in gene.screens):
        say_wrapped("Effect unknown: a p-value without its sign, which is no finding of none.")
    z = ", ".join(f"{experiment['name']} {experiment['z']:+.1f}" for experiment in gene.experiments)
    say_wrapped(f"Standardised z, replicates merged: {z}")
    say("")


def _print_combined(gene: GeneDescription) -> None:
    if not gene.combined:
        say("No screen against NK cells holds the gene.")
        return
    ways = {"all": gene.combined, **gene.by_effector}
    print_table(
        "Combined evidence of screens against NK cells",
        ["effectors", "evidence", "score", "side", "rank", "screens", "agreement"],
        [
            [
                effector,
                float(own["evidence"]),
                float(own["score"]),
                own["side"],
                f"{own['rank']:,}",
                int(own["n_screens"]),
                float(own["agreement"]),
            ]
            for effector, own in ways.items()
        ],
    )
    combined = gene.combined
    say_wrapped(
        f"Confidence {combined['confidence']:.2f}; heterogeneity between screens (I²) "
        f"{combined['heterogeneity']:.2f}; conflict between effector types: "
        f"{'YES' if combined['conflict'] else 'no'}."
    )


def say_wrapped(text: str) -> None:
    """Print a sentence in lines of 80 characters at most, the later ones indented."""
    say(textwrap.fill(text, 80, subsequent_indent="  ", break_on_hyphens=False))


def _short(value: float) -> str:
    return "–" if value != value else f"{value:.3g}"
