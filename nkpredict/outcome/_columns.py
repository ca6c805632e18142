"""Times and events out of the columns of a table of samples; what counts as an event is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nkpredict.errors import InputError, name_some
from nkpredict.facts import OutcomeColumnFacts
from nkpredict.io import is_missing
from nkpredict.types import AnyArray

_YES, _NO = ("1", "true"), ("0", "false")
_HOW = "expected TIME,EVENT or TIME,EVENT=WORD, with | between several words"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Time to an event, or to the last visit, of the samples of which both are known.

    Attributes
    ----------
    time
        Number by sample, in any unit.
    event
        Whether the event happened at that time, by sample in the same order.
    facts
        Where this stood, and how many samples lack it.
    """

    time: pd.Series
    event: pd.Series
    facts: OutcomeColumnFacts


def outcome_of(columns: str, obs: pd.DataFrame) -> Outcome:
    """Read an outcome out of two columns of a table of samples.

    Parameters
    ----------
    columns
        ``"TIME,EVENT"``, where EVENT holds 0 and 1, or False and True; ``"TIME,EVENT=WORD"`` where
        it holds words, several of them with ``|`` between; all other words then mean no event.
    obs
        One row a sample.

    Raises
    ------
    InputError
        When a column is not there, or holds what is no time or no event.
    """
    time, comma, event = (part.strip() for part in columns.partition(","))
    if not (time and comma and event):
        raise InputError(f"The outcome {columns!r} does not name two columns; {_HOW}.")
    words: tuple[str, ...] | None = None
    if event not in obs and "=" in event:
        event, _, listed = event.rpartition("=")
        words = tuple(word.strip() for word in listed.split("|"))
    absent = [repr(name) for name in (time, event) if name not in obs]
    if absent:
        raise InputError(
            f"The table of samples has no column {' and no column '.join(absent)} for the "
            f"outcome; it has {name_some(obs.columns, 30) or 'none'}."
        )
    return read_outcome(obs[time], obs[event], words)


def read_outcome(
    time: pd.Series, event: pd.Series, event_words: Sequence[str] | None = None
) -> Outcome:
    """Check times and events, and leave out the samples that lack one of them.

    Parameters
    ----------
    time
        Time to the event or to the last visit, 0 or more, by sample; missing values are allowed.
    event
        0 and 1, False and True, or words; missing values are allowed.
    event_words
        The words that mean an event. All others mean none.

    Raises
    ------
    InputError
        When a time is no number or negative, when it is not clear what an event is, or when no
        sample has both, or none has an event.
    """
    when = str(time.name or "time"), str(event.name or "event")
    times, texts = _times(time, when[0]), _texts(event.reindex(time.index))
    happened = _events(texts, when[1], event_words)
    both = times.index[times.notna() & texts.notna()]
    if both.empty:
        raise InputError(
            f"No sample has both a {when[0]!r} and a {when[1]!r}; expected them for the same "
            "samples."
        )
    used, values = happened[both].astype(bool), texts[both]
    if not used.any():
        raise InputError(
            f"None of the {len(both)} samples with a {when[0]!r} had an event by {when[1]!r} "
            f"(it holds {name_some(values.unique())}); there is nothing to hold the scores against."
        )
    facts = OutcomeColumnFacts(
        time=when[0],
        event=when[1],
        event_values=tuple(sorted(values[used].unique())),
        no_event_values=tuple(sorted(values[~used].unique())),
        without_time=int(times.isna().sum()),
        without_event=int(texts.isna().sum()),
    )
    return Outcome(time=times[both], event=used, facts=facts)


def _times(column: pd.Series, name: str) -> pd.Series:
    texts = _texts(column)
    known = texts.dropna()
    numbers = pd.to_numeric(known, errors="coerce").astype(float)
    wrong = known[~np.isfinite(numbers)]
    if len(wrong):
        raise InputError(
            f"{name!r} holds {len(wrong)} values that are no time ({name_some(wrong.unique())}); "
            "expected the time to the event or to the last visit as a number, such as days "
            "between two dates."
        )
    negative = numbers.index[numbers < 0]
    if len(negative):
        raise InputError(
            f"{name!r} is negative for {len(negative)} samples ({name_some(negative)}); expected "
            "times of 0 or more."
        )
    return numbers.reindex(column.index)


def _events(texts: pd.Series, name: str, words: Sequence[str] | None) -> pd.Series:
    found = sorted(texts.dropna().unique())
    if words is not None:
        unknown = [word for word in words if word not in found]
        if unknown:
            raise InputError(
                f"{name!r} holds no {name_some(map(repr, unknown))}; it holds "
                f"{name_some(found, 20)}."
            )
        return texts.isin(words)
    unclear = [text for text in found if text.lower() not in _YES + _NO]
    if unclear:
        raise InputError(
            f"{name!r} holds {name_some(unclear)}; expected 0 and 1 or False and True. Say which "
            f"values mean an event, such as {name}={unclear[0]}."
        )
    return texts.str.lower().isin(_YES)


def _texts(column: pd.Series) -> pd.Series:
    """Cells as text, whole numbers without a point; missing ones are NaN."""
    cells: AnyArray = column.to_numpy(dtype=object)
    return pd.Series([_text(cell) for cell in cells], index=column.index, dtype=object)


def _text(cell: object) -> object:
    text = str(cell).strip()
    if cell is None or cell is pd.NaT or is_missing(text):
        return np.nan
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else text
