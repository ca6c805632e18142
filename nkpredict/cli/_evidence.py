"""nkpredict evidence."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nkpredict.cli._console import JsonFile, Quiet, print_table, say, stages, write_json_file
from nkpredict.cli._gene_text import print_gene, say_wrapped
from nkpredict.cli._options import with_options
from nkpredict.configuration import AskedEffector, NoKnowledge, SampleSheet

if TYPE_CHECKING:
    import pandas as pd

    from nkpredict.evidence import GeneEvidence, ScreenTable

app = typer.Typer(
    help="Read CRISPR screens, combine them, look genes up.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)
Files = Annotated[
    list[Path], typer.Argument(metavar="FILES...", help="Screens: MAGeCK, matrices, counts, tidy.")
]
SomeFiles = Annotated[
    list[Path] | None, typer.Argument(metavar="[FILES...]", help="Screens to look the gene up in.")
]
ScreenMeta = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Table or YAML: screen, cell_line, effector, ..."),
]
Method = Annotated[
    str | None,
    typer.Option(
        metavar="METHOD",
        help="weighted-stouffer (default), robust-rank-aggregation, empirical-bayes, best-screen.",
    ),
]
_TOP = 10
_KINDS = ("volcano", "dots", "agreement")


@app.command("build")
@with_options
def build(
    files: Files,
    out: Annotated[Path, typer.Option(metavar="FILE", help="CSV to write, one row per gene.")],
    screen_meta: ScreenMeta = None,
    sample_sheet: SampleSheet = None,
    method: Method = None,
    effector: AskedEffector = None,
    no_knowledge: NoKnowledge = False,
    json_file: JsonFile = None,
    quiet: Quiet = False,
) -> None:
    """Judge every gene by screens and what publications showed: one signed evidence each.

    Example:

        nkpredict evidence build screens.csv --screen-meta meta.csv --out evidence.csv
    """
    from nkpredict.evidence import evidence_notes, gene_evidence
    from nkpredict.io import write_csv

    with stages(quiet) as progress:
        progress("reading", 0, 2)
        screens = _read(files, screen_meta, sample_sheet)
        progress("reading", 1, 2)
        evidence = gene_evidence(
            screens, effector=effector, knowledge=not no_knowledge, method=_method(method)
        )
        progress("reading", 2, 2)
    mark = {"note": "SIMULATED"} if evidence.simulated else {}
    write_csv(out, evidence.table.assign(**mark))
    top = {
        side: _top(evidence.table, sign) for side, sign in (("sensitizing", 1), ("protecting", -1))
    }
    write_json_file(
        json_file,
        {
            "simulated": evidence.simulated,
            "top": {side: g.reset_index().to_dict("records") for side, g in top.items()},
            "genes": evidence.table.reset_index().to_dict("records"),
            "notes": evidence_notes(evidence),
            "provenance": evidence.provenance.to_json(),
        },
    )
    if quiet:
        return
    _print_files(screens)
    for side, genes in top.items():
        _print_top(side, genes, evidence.simulated)
    with_evidence = int((evidence.table["evidence"] != 0).sum())
    _print_provenance(evidence)
    say_wrapped(
        f"{with_evidence} of {len(evidence.table):,} genes have evidence; the others are ranked by "
        "score alone."
    )
    say(f"Evidence: {out}")


def _print_provenance(evidence: GeneEvidence) -> None:
    """Say what was left out and how many findings chance alone would give."""
    from nkpredict.evidence import evidence_notes
    from nkpredict.facts import CombinationFacts, KnowledgeFacts

    known = evidence.provenance
    screens = known.screens if isinstance(known, KnowledgeFacts) else known
    left_out = screens.left_out_effector_is_t_cell if isinstance(screens, CombinationFacts) else ()
    if left_out:
        say_wrapped(
            f"Note: {len(left_out)} screens against T cells were left out: {', '.join(left_out)}"
        )
    for note in evidence_notes(evidence):
        say_wrapped(f"Note: {note}")


def _print_top(side: str, genes: pd.DataFrame, simulated: bool) -> None:
    print_table(
        f"{'SIMULATED: ' if simulated else ''}Top {side} genes",
        ["gene", "evidence", "score", "screens", "agreement", "heterogeneity", "note"],
        [
            [
                str(gene),
                float(row["evidence"]),
                float(row["score"]),
                int(row["n_screens"]),
                float(row["agreement"]),
                float(row["heterogeneity"]),
                "conflict" if row["conflict"] else "",
            ]
            for gene, row in genes.iterrows()
        ],
    )


@app.command("show")
@with_options
def show(
    gene: Annotated[str, typer.Argument(metavar="GENE", help="Symbol, old symbol, Ensembl id.")],
    files: SomeFiles = None,
    screen_meta: ScreenMeta = None,
    sample_sheet: SampleSheet = None,
    method: Method = None,
    effector: AskedEffector = None,
    no_knowledge: NoKnowledge = False,
    json_file: JsonFile = None,
    quiet: Quiet = False,
) -> None:
    """Tell everything known about a gene, with sources.

    Example:

        nkpredict evidence show B7H6

        nkpredict evidence show JAK1 screens.csv --screen-meta meta.csv
    """
    from nkpredict.errors import InputError
    from nkpredict.evidence import describe_gene
    from nkpredict.io import resolve_gene

    resolve_gene(gene)  # a wrong name is told before files are read
    if not files and (screen_meta or sample_sheet):
        raise InputError("A description of screens was given, but no file with screens; name one.")
    if not files and no_knowledge:
        raise InputError("Without the knowledge base, screens must be given; name a file.")
    with stages(quiet or not files) as progress:
        progress("reading", 0, 2)
        screens = _read(files, screen_meta, sample_sheet) if files else None
        progress("reading", 1, 2)
        described = describe_gene(
            gene, screens, _method(method), effector=effector, knowledge=not no_knowledge
        )
        progress("reading", 2, 2)
    write_json_file(json_file, described.to_json_dict())
    if not quiet:
        print_gene(described, asked_screens=screens is not None)


@app.command("plot")
@with_options
def plot(
    files: Files,
    kind: Annotated[str, typer.Option(metavar="KIND", help=f"{', '.join(_KINDS)}.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Figure: .png, .svg or .pdf.")],
    screen: Annotated[
        str | None, typer.Option(metavar="NAME", help="Screen of a volcano plot.")
    ] = None,
    genes: Annotated[
        str | None, typer.Option(metavar="GENES", help="Genes of a dot plot, between commas.")
    ] = None,
    screen_meta: ScreenMeta = None,
    sample_sheet: SampleSheet = None,
    quiet: Quiet = False,
) -> None:
    """Draw screens: effects of one, known genes in all, or how far they agree.

    Example:

        nkpredict evidence plot screens.csv --kind dots --out dots.png

        nkpredict evidence plot screens.csv --kind volcano --screen K562 --out k562.svg
    """
    from nkpredict.errors import InputError
    from nkpredict.figures import (
        check_figure_file,
        plot_agreement,
        plot_dots,
        plot_volcano,
        save_figure,
    )

    if kind not in _KINDS:
        raise InputError(f"The kind of figure {kind!r} is unknown; expected {', '.join(_KINDS)}.")
    for given, name, wanted in ((screen, "--screen", "volcano"), (genes, "--genes", "dots")):
        if given is not None and kind != wanted:
            raise InputError(f"{name} is for --kind {wanted}, not for {kind}; leave it out.")
    check_figure_file(out)
    with stages(quiet) as progress:
        progress("drawing", 0, 2)
        screens = _read(files, screen_meta, sample_sheet)
        progress("drawing", 1, 2)
        if kind == "volcano":
            ax = plot_volcano(screens, screen)
        elif kind == "dots":
            wanted_genes = (
                None if genes is None else [g.strip() for g in genes.split(",") if g.strip()]
            )
            ax = plot_dots(screens, wanted_genes)
        else:
            ax = plot_agreement(screens)
        save_figure(ax, out)
        progress("drawing", 2, 2)
    say(f"{'SIMULATED ' if screens.simulated else ''}Figure: {out}", quiet)


@app.command("compare")
@with_options
def compare(
    files: Files,
    screen_meta: ScreenMeta = None,
    sample_sheet: SampleSheet = None,
    bootstrap: Annotated[
        int, typer.Option(metavar="N", min=0, help="Resamples for the 95 % intervals.")
    ] = 200,
    json_file: JsonFile = None,
    quiet: Quiet = False,
) -> None:
    """Compare ways to combine screens: hold each screen out and predict its hits.

    Example:

        nkpredict evidence compare screens.csv --screen-meta meta.csv
    """
    from nkpredict.evidence import compare_methods, mean_auprc

    with stages(quiet) as progress:
        progress("reading", 0, 1)
        screens = _read(files, screen_meta, sample_sheet)
        progress("reading", 1, 1)
        table = compare_methods(
            screens,
            bootstrap=bootstrap,
            progress=progress,
        )
    mean = mean_auprc(table)
    write_json_file(
        json_file,
        {
            "simulated": screens.simulated,
            "mean_auprc": mean.to_dict(),
            "comparison": table.to_dict("records"),
            "provenance": screens.provenance.to_json(),
        },
    )
    if quiet:
        return
    mark = "SIMULATED: " if screens.simulated else ""
    for (held_out, hits), group in table.groupby(["held_out", "hits"], sort=False):
        first = group.iloc[0]
        print_table(
            f"{mark}{held_out} held out: {hits} ({first['n_hits']} genes; AUPRC by chance "
            f"{first['by_chance']:.4f})",
            ["method", "AUROC", "95 %", "AUPRC", "95 %", "same sign"],
            [
                [
                    row["method"],
                    float(row["auroc"]),
                    _between(row["auroc_low"], row["auroc_high"], 2),
                    f"{row['auprc']:.4f}",
                    _between(row["auprc_low"], row["auprc_high"], 4),
                    float(row["same_sign"]),
                ]
                for row in group.to_dict("records")
            ],
        )
    best = ", ".join(f"{method} {value:.4f}" for method, value in mean.items())
    say_wrapped(f"Mean AUPRC of the strongest 1 %: {best}")


def _read(files: list[Path], meta: Path | None, sheet: Path | None) -> ScreenTable:
    from nkpredict.evidence import read_screens

    return read_screens(*files, metadata=meta, sample_sheet=sheet)


def _method(given: str | None) -> str:
    from nkpredict.evidence import DEFAULT_METHOD

    return given or DEFAULT_METHOD


def _top(table: pd.DataFrame, sign: int) -> pd.DataFrame:
    """Return the genes of one side, evidence first, then score."""
    direction = table["evidence"].where(table["evidence"] != 0, table["score"])
    side = table[direction * sign > 0]
    order = side.assign(size=side["evidence"] * sign, strength=side["score"] * sign)
    order = order.sort_values(["size", "strength"], ascending=False, kind="stable")
    return side.loc[order.index[:_TOP]]


def _print_files(screens: ScreenTable) -> None:
    """Print what was read, repaired and dropped, and what was taken for granted."""
    for read in screens.provenance.files:
        counts = {name: n for name, n in read.counts.items() if n or name == "rows_read"}
        say(f"{read.file}: {read.layout}")
        print_table("", ["rows", "n"], [[name.replace("_", " "), n] for name, n in counts.items()])
        for assumption in read.assumptions:
            say_wrapped(f"Note: {assumption}")
        say("")
    described = screens.screens.reset_index()
    print_table(
        "Screens",
        ["screen", "cell line", "effector", "perturbation", "genes"],
        [
            [
                *(row[k] for k in ("screen", "cell_line", "effector", "perturbation")),
                int(row["n_genes"]),
            ]
            for row in described.to_dict("records")
        ],
    )


def _between(low: Any, high: Any, digits: int) -> str:
    return "–" if low != low else f"{low:.{digits}f} to {high:.{digits}f}"
