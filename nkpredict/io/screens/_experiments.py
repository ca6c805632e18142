"""Which screens analyse the same cells, so that they are no independent replicates."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from nkpredict.errors import name_some
from nkpredict.facts import ScreenFileFacts
from nkpredict.vocabulary import UNKNOWN

_STUDY = re.compile(r"([a-z]+)[ _-]*(?:et al\.?)?[ _,-]*((?:19|20)\d{2})(?!\d)", re.IGNORECASE)
_ALIKE = ["study", "cell_line", "effector", "perturbation"]


def same_experiments(
    tables: Sequence[pd.DataFrame],
    files: Sequence[ScreenFileFacts],
    stated: Mapping[str, str],
) -> tuple[list[ScreenFileFacts], dict[str, str]]:
    """Find screens that analyse the same cells.

    These are screens with a stated experiment in common, and screens for which none is stated, of
    files in different layouts, that agree in study (author and year, or source), cell line,
    effector and perturbation.

    Parameters
    ----------
    tables
        Tidy rows of each file.
    files
        What was read of each, in the same order.
    stated
        Screen → experiment as the metadata say, `UNKNOWN` where they do not.

    Returns
    -------
    files : list of ScreenFileFacts
        With an assumption for each file that was recognised without a word in the metadata.
    experiments : dict
        Screen → experiment, of screens that share one.
    """
    described = pd.concat(
        [
            table[["screen", "source", *_ALIKE[1:]]]
            .drop_duplicates()
            .assign(file=at, layout=known.layout)
            for at, (table, known) in enumerate(zip(tables, files, strict=True))
        ],
        ignore_index=True,
    )
    given = described["screen"].map(stated)
    experiments = {
        str(name): str(experiment)
        for name, experiment in zip(described["screen"], given, strict=True)
        if experiment != UNKNOWN
    }
    records = list(files)
    open_question = described[
        (given == UNKNOWN) & ~described[["cell_line", "effector"]].isin([UNKNOWN]).any(axis=1)
    ]
    by_study = open_question.assign(study=open_question["source"].map(_study_of))
    for (_, *kind), screens in by_study.groupby(_ALIKE, sort=True):
        if screens["layout"].nunique() < 2:
            continue
        name = ", ".join([str(screens["source"].iloc[0]), *map(str, kind)])
        experiments |= dict.fromkeys(screens["screen"].astype(str), name)
        for at in sorted(set(screens["file"])):
            others = name_some(files[other].file for other in sorted(set(screens["file"]) - {at}))
            note = (
                f"taken for an analysis of the same cells as {others}, which agrees in study, cell "
                "line, effector and perturbation, so both count as one screen; name an experiment "
                "for each in the description of the screens if they are independent"
            )
            records[at] = replace(
                records[at], assumptions=tuple(dict.fromkeys((*records[at].assumptions, note)))
            )
    return records, dict(sorted(experiments.items()))


def _study_of(source: str) -> str:
    found = _STUDY.search(source)
    return f"{found[1]} {found[2]}".lower() if found else source.lower()
