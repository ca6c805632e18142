"""Gene names: recognise symbols and Ensembl ids, update old ones, never guess silently."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache

from nkpredict.errors import InputError, name_some
from nkpredict.io._tables import read_shipped_table

# Ensembl ids as they stand in files: with version, with what follows after a bar or an underscore
# (ENSG00000141510.18|TP53|protein_coding), with BrainArray's ending (ENSG00000141510_at).
_ENSEMBL = re.compile(r"^(ENSG\d{11})(?:\.\d+)?(?:(_PAR_Y)|_at)?(?:[|_;:/, ].*)?$")
_SYMBOL_THEN_ENSEMBL = re.compile(r"^\S+? ?[|_;:(]\(?(ENSG\d{11})(?:\.\d+)?\)?$")
# DepMap writes SYMBOL (Entrez id), TCGA SYMBOL|Entrez id with ? for a gene without a symbol.
_SYMBOL_WITH_ENTREZ = re.compile(r"^(\S+)(?: \(\d+\)|\|\d+)$")
ENTREZ_PREFIX = "NCBIGene:"
"""Put before a number that is an Entrez id; the prefix of NCBI Gene in compact identifiers."""
_ENTREZ = re.compile(r"^(?:NCBIGene|GeneID|Entrez(?:ID)?)[:_](\d{1,9})$", re.IGNORECASE)
# 10x Genomics puts the genome in front where there are several.
_GENOME = re.compile(r"^(?:GRCh3[78]|hg19|hg38)_+(?=\S)")
_NO_NAME = frozenset({"", "?", "-", "--", "---", ".", "na", "nan", "none", "null", "n/a", "#n/a"})
_SHOUTED_ORF = re.compile(r"^C([0-9XY]+)ORF(\d+)$")
# The forms in which spreadsheets and what reads them write a day: 7-Mar, Mar-07, 2020-03-07, and
# the same in capitals or with the midnight of a time stamp.
_EXCEL_DATE = re.compile(
    r"""^(?: (?P<day>\d{1,2}) - (?P<month>Mar|Sep|Dec)
          |  (?P<month_first>Mar|Sep|Dec) - (?P<day_last>\d{1,2})
          |  \d{4} [-/] (?P<month_number>0[39]|12) [-/] (?P<day_iso>\d{2})
             (?:[ T]00:00(?::00(?:\.0+)?)?)?
        )$""",
    re.IGNORECASE | re.VERBOSE,
)
_KINDS = ("symbol", "alias", "ensembl", "entrez")
_MONTHS = {"03": "mar", "09": "sep", "12": "dec"}


@dataclass(frozen=True)
class GeneNames:
    """What became of a list of gene names.

    Attributes
    ----------
    approved
        One approved symbol for each name given; ``""`` for no name at all and for an Ensembl or
        Entrez id that the reference table does not know, an unknown symbol stays as it was.
    kind
        ``"Ensembl id"``, ``"Entrez id"``, ``"symbol (Entrez id)"`` or ``"symbol"``: the kind most
        names have.
    renamed
        Name given → approved symbol, where they differ by more than the kind of identifier.
    dates
        Names that a spreadsheet had turned into dates → restored symbol.
    ambiguous
        Old names that several genes share; they were left as they are.
    unknown
        Names the reference table does not know.
    """

    approved: tuple[str, ...]
    kind: str
    renamed: dict[str, str] = field(default_factory=dict)
    dates: dict[str, str] = field(default_factory=dict)
    ambiguous: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Reference:
    symbols: frozenset[str]
    aliases: dict[str, str]
    ambiguous: dict[str, tuple[str, ...]]
    ensembl: dict[str, str]
    entrez: dict[str, str]
    upper: dict[str, str]
    source: str


@cache
def _reference() -> _Reference:
    table = read_shipped_table("gene_names.tsv.gz")
    kinds = {kind: table[table["kind"] == kind] for kind in _KINDS}
    symbols = kinds["symbol"]["symbol"].tolist()
    aliases = kinds["alias"]
    shared = aliases["name"].duplicated(keep=False)
    ensembl = kinds["ensembl"].drop_duplicates("name", keep=False)
    entrez = kinds["entrez"]
    return _Reference(
        symbols=frozenset(symbols),
        aliases=dict(zip(aliases["name"][~shared], aliases["symbol"][~shared], strict=True)),
        ambiguous={
            str(name): tuple(sorted(group))
            for name, group in aliases[shared].groupby("name", sort=False)["symbol"]
        },
        ensembl=dict(zip(ensembl["name"], ensembl["symbol"], strict=True)),
        entrez=dict(zip(entrez["name"], entrez["symbol"], strict=True)),
        upper={symbol.upper(): symbol for symbol in symbols},
        source=str(table["source"].iloc[0]),
    )


def gene_reference_source() -> str:
    """Name the release of the gene name table in use."""
    return _reference().source


def approved_symbols() -> frozenset[str]:
    """Return every approved symbol of the reference table."""
    return _reference().symbols


def known_entrez_ids() -> Collection[str]:
    """Return the Entrez ids of every approved symbol, as text."""
    return _reference().entrez.keys()


def recognised_share(names: Iterable[str], known: Collection[str] = ()) -> float:
    """Share of names that are Ensembl ids, ids of NCBI Gene or approved symbols, in any case.

    Old symbols and aliases do not count: there are so many that names of samples, such as ``P4``,
    are among them.

    Parameters
    ----------
    names
        Candidate gene names.
    known
        Names that count as well, such as the genes of a model.

    Returns
    -------
    float
        Between 0 and 1; 0 for an empty list.
    """
    reference = _reference()
    recognised = [
        name in known
        or (parts := _parts(name))[0] != ""
        or _ENTREZ.match(name) is not None
        or parts[1] in reference.symbols
        or (parts[1].islower() and parts[1].upper() in reference.upper)
        for name in (str(name).strip() for name in names)
    ]
    return sum(recognised) / len(recognised) if recognised else 0.0


def approve_gene_names(names: Sequence[str], known: Collection[str] = ()) -> GeneNames:
    """Map gene names to approved symbols.

    Ensembl ids (with or without version), ``NCBIGene:7157``, DepMap's ``SYMBOL (Entrez id)`` and
    TCGA's ``SYMBOL|Entrez id`` are recognised, old symbols and aliases updated, symbols in lower
    case written in capitals where most are in lower case, hyphens that R turned into dots restored
    (``HLA.A``), and dates that a spreadsheet made of symbols read back (``7-Mar``, ``MAR-07`` and
    ``2020-03-07`` are MARCHF7). An alias that several genes share is left alone and reported.

    Parameters
    ----------
    names
        Gene names in the order of the file.
    known
        Names that stay as they are, such as the genes of a model.

    Returns
    -------
    GeneNames
        The approved symbols, in the same order, and what was done.
    """
    reference = _reference()
    given_names = [str(name).strip() for name in names]
    lower = mostly_lower_case(given_names)
    approved: list[str] = []
    renamed: dict[str, str] = {}
    dates: dict[str, str] = {}
    ambiguous: list[str] = []
    unknown: list[str] = []
    kinds = {"Ensembl id": 0, "Entrez id": 0, "symbol (Entrez id)": 0, "symbol": 0}
    for name in given_names:
        ensembl, plain = ("", name) if name in known else _parts(name)
        entrez = None if name in known else _ENTREZ.match(name)
        if ensembl or entrez:
            kinds["Ensembl id" if ensembl else "Entrez id"] += 1
            symbol = (
                reference.entrez.get(entrez[1], "")
                if entrez
                else ("" if "_PAR_Y" in name else reference.ensembl.get(ensembl, ""))
            )
            if not symbol:
                unknown.append(name)
            approved.append(symbol)
            continue
        kinds["symbol" if plain == name else "symbol (Entrez id)"] += 1
        if lower and plain not in known:
            plain = reference.upper.get(plain.upper(), plain.upper())
        orf = _SHOUTED_ORF.match(plain)
        if orf:
            plain = f"C{orf[1]}orf{orf[2]}"
        restored = _restore_date(plain)
        if plain in known or plain in reference.symbols:
            symbol = plain
        elif plain.lower() in _NO_NAME:
            symbol = ""
            unknown.append(plain)
        elif restored:
            symbol = dates[name] = restored
        elif (hyphenated := _hyphenated(plain, reference.symbols, known)) is not None:
            symbol = renamed[name] = hyphenated
        elif plain in reference.ambiguous:
            ambiguous.append(plain)
            symbol = plain
        elif plain in reference.aliases:
            symbol = renamed[name] = reference.aliases[plain]
        else:
            unknown.append(plain)
            symbol = plain
        approved.append(symbol)
    return GeneNames(
        approved=tuple(approved),
        kind=max(kinds, key=lambda kind: kinds[kind]),
        renamed=renamed,
        dates=dates,
        ambiguous=tuple(ambiguous),
        unknown=tuple(unknown),
    )


def mostly_lower_case(names: Sequence[str]) -> bool:
    """Tell whether most names with a letter are in lower case, so that symbols may be so too."""
    lettered = [name for name in names if any(c.isalpha() for c in name)]
    return sum(name.islower() for name in lettered) * 2 > len(lettered)


def resolve_gene(name: str) -> tuple[str, str]:
    """Find the one gene that a person means by a name.

    Parameters
    ----------
    name
        Approved or old symbol, alias or Ensembl id, in any case.

    Returns
    -------
    symbol : str
        Approved symbol.
    note : str
        How it was found, ``""`` when the name is the approved symbol itself.

    Raises
    ------
    InputError
        When several genes share the name, with the candidates, or when it is unknown, with
        similar symbols.
    """
    reference = _reference()
    given = str(name).strip()
    for spelled in dict.fromkeys((given, given.upper())):
        if spelled in reference.ambiguous and spelled not in reference.symbols:
            candidates = reference.ambiguous[spelled]
            raise InputError(
                f"{given} is an old name of {len(candidates)} genes ({name_some(candidates)}); "
                "expected a name of one gene. Give the approved symbol of the one you mean."
            )
        outcome = approve_gene_names([spelled])
        symbol = outcome.approved[0]
        if symbol in reference.symbols:
            other = f"{given} is another name of {symbol}"
            return symbol, "" if symbol == given else other
    pool = sorted(reference.symbols | reference.aliases.keys())
    similar = difflib.get_close_matches(given.upper(), pool, n=3, cutoff=0.7)
    hint = f" Similar names: {', '.join(similar)}." if similar else ""
    raise InputError(
        f"{given!r} is no gene of the reference table ({reference.source}); expected a human gene "
        f"symbol or Ensembl gene id.{hint}"
    )


def _parts(name: str) -> tuple[str, str]:
    """Return the Ensembl id without version that a name holds, or its symbol."""
    ensembl = _ENSEMBL.match(name) or _SYMBOL_THEN_ENSEMBL.match(name)
    if ensembl:
        return ensembl[1], ""
    name = _GENOME.sub("", name)
    with_entrez = _SYMBOL_WITH_ENTREZ.match(name)
    return "", with_entrez[1] if with_entrez else name


def _hyphenated(name: str, symbols: frozenset[str], known: Collection[str]) -> str | None:
    if "." not in name:
        return None
    candidate = name.replace(".", "-")
    return candidate if candidate in symbols or candidate in known else None


def _restore_date(name: str) -> str | None:
    # Excel reads MARCH7, SEPT2 and DEC1 as dates. MARC1 and MARC2 turn into the same dates as
    # MARCH1 and MARCH2; the ubiquitin ligases are taken, as in the HGNC renaming of 2020.
    match = _EXCEL_DATE.match(name)
    if match is None:
        return None
    month = (match["month"] or match["month_first"] or _MONTHS[match["month_number"]]).lower()
    number = int(match["day"] or match["day_last"] or match["day_iso"])
    if month == "sep" and number == 15:
        return "SELENOF"  # formerly SEP15
    if month == "dec":
        return "DELEC1" if number == 1 else None  # not in every reference, but the only one
    restored = f"MARCHF{number}" if month == "mar" else f"SEPTIN{number}"
    return restored if restored in _reference().symbols else None
