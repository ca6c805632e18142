"""Scores beside an outcome: is their order that of the events, and is it more than lineage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from nkpredict.errors import InputError, name_some
from nkpredict.facts import AssociationFacts, OutcomeFacts
from nkpredict.outcome._columns import Outcome, read_outcome
from nkpredict.outcome._conclusion import FEWEST_EVENTS, conclusion_of, is_ordered
from nkpredict.outcome._concordance import concordance, strata_of
from nkpredict.outcome._survival import HazardRatio, hazard_ratio, kaplan_meier, log_rank_p
from nkpredict.types import BoolArray, FloatArray, IndexArray, LabelArray

THIRDS = ("lowest third", "middle third", "highest third")
"""Names of the groups of the Kaplan-Meier estimate, by rising score."""
SCORE, WITHIN, LINEAGE = "score", "score within lineages", "lineage alone"
_NO_RATIO = HazardRatio(*[float("nan")] * 4)


@dataclass(frozen=True, kw_only=True)
class OutcomeAssociation:
    """What scores say about an outcome.

    Attributes
    ----------
    facts : OutcomeFacts
        Samples, events, tests and the conclusion in one sentence.
    survival : pandas.DataFrame
        Kaplan-Meier estimate by third of the score: ``group, time, at_risk, events,
        without_event, lower, upper``.
    """

    facts: OutcomeFacts
    survival: pd.DataFrame

    @property
    def table(self) -> pd.DataFrame:
        """One row a test: the score, within lineages, and lineage alone; see `AssociationFacts`."""
        rows = pd.DataFrame([asdict(row) for row in self.facts.associations]).set_index("order")
        return rows.assign(samples=self.facts.samples, events=self.facts.events)

    def __str__(self) -> str:
        """Give the conclusion."""
        return self.facts.conclusion


@dataclass(frozen=True)
class _Samples:
    """Samples with a score, a time and an event, by row."""

    score: FloatArray
    time: FloatArray
    event: BoolArray
    lineage: LabelArray | None


def outcome_association(
    scores: pd.Series,
    time: pd.Series,
    event: pd.Series,
    *,
    event_words: Sequence[str] | None = None,
    lineage: pd.Series | None = None,
    permutations: int = 2000,
    random_state: int = 0,
) -> OutcomeAssociation:
    """Say whether samples with a higher score have their event later or earlier.

    Concordance is Harrell's C (doi 10.1001/jama.1982.03320430047030) with a two-sided permutation
    p; hazard ratios are those of Cox's model. Where lineages are given the verdict rests on the
    comparison within them, and lineage alone stands beside it. Samples that lack a time or an
    event are left out and counted.

    Parameters
    ----------
    scores
        Susceptibility by sample.
    time
        Time to the event or to the last visit by sample, in any unit.
    event
        Whether the event happened at that time: 0 and 1, False and True, or words.
    event_words
        The words that mean an event; all others mean none.
    lineage
        Lineage by sample; samples without one are a lineage of their own, ``unknown``.
    permutations
        Number of random orders that p is computed from.
    random_state
        Seed of these.

    Raises
    ------
    InputError
        When it is not clear what the time or the event is, when a sample is named twice or a score
        is no number, when fewer than three samples have both, or when statsmodels is not installed.
    """
    if permutations < 1:
        raise InputError(f"permutations is {permutations}; expected a whole number from 1 up.")
    given, *named = (column.set_axis(column.index.astype(str)) for column in (scores, time, event))
    for column in (given, *named):
        repeated = column.index[column.index.duplicated()].unique()
        if len(repeated):
            raise InputError(
                f"{column.name or 'The scores'} name {len(repeated)} samples more than once "
                f"({name_some(repeated)}); expected one value a sample."
            )
    wrong = given.index[~np.isfinite(given.to_numpy(dtype=float))]
    if len(wrong):
        raise InputError(
            f"The scores of {len(wrong)} samples are no finite numbers ({name_some(wrong)}); leave "
            "these samples out."
        )
    for column in named:
        if not column.index.isin(given.index).any():
            raise InputError(
                f"None of the samples of {column.name!r} ({name_some(column.index, 3)}) has a "
                f"score ({name_some(given.index, 3)}); expected the same sample names."
            )
    when, whether = (column.reindex(given.index) for column in named)
    outcome = read_outcome(when, whether, event_words)
    return associate(given, outcome, lineage, permutations, random_state)


def associate(
    scores: pd.Series,
    outcome: Outcome,
    lineage: pd.Series | None = None,
    permutations: int = 2000,
    random_state: int = 0,
) -> OutcomeAssociation:
    """Do the same with an outcome that was read; see `outcome_association`."""
    names = outcome.time.index
    if len(names) < 3:
        raise InputError(
            f"Only {len(names)} of {len(scores)} samples have a time and an event; expected three "
            "or more."
        )
    samples = _Samples(
        scores[names].to_numpy(dtype=float),
        outcome.time.to_numpy(dtype=float),
        outcome.event.to_numpy(dtype=bool),
        None if lineage is None else _labels(lineage, names),
    )
    thirds = _thirds(samples.score)
    rng = np.random.default_rng(np.random.SeedSequence(random_state))
    rows = [
        _tested(SCORE, samples, thirds, permutations, rng),
        *(
            []
            if samples.lineage is None or len(np.unique(samples.lineage)) < 2
            else [
                _tested(WITHIN, samples, thirds, permutations, rng, samples.lineage),
                _lineage_alone(samples, samples.lineage, permutations, rng),
            ]
        ),
    ]
    decisive = rows[min(1, len(rows) - 1)]
    events = int(samples.event.sum())
    facts = OutcomeFacts(
        columns=outcome.facts,
        samples=len(names),
        events=events,
        lineages=0 if samples.lineage is None else len(np.unique(samples.lineage)),
        permutations=permutations,
        random_state=random_state,
        associations=tuple(rows),
        says_something=events >= FEWEST_EVENTS and is_ordered(decisive),
        conclusion=conclusion_of(rows, len(names), events),
        warnings=_warnings(len(scores), len(names), events),
    )
    present = [third for third in THIRDS if third in thirds]
    return OutcomeAssociation(
        facts=facts, survival=kaplan_meier(thirds, samples.time, samples.event, present)
    )


def _labels(lineage: pd.Series, names: pd.Index) -> LabelArray:
    known = lineage.set_axis(lineage.index.astype(str)).reindex(names)
    labels: LabelArray = known.fillna("unknown").astype(str).to_numpy(dtype=object)
    return labels


def _thirds(score: FloatArray) -> LabelArray:
    """Thirds of the samples; equal scores share a group, so that a constant score has one."""
    edges = np.quantile(score, [1 / 3, 2 / 3])
    places = (score[:, None] > edges).sum(axis=1)
    labels: LabelArray = np.array(THIRDS, dtype=object)[places]
    return labels


def _tested(
    name: str,
    samples: _Samples,
    thirds: LabelArray,
    permutations: int,
    rng: np.random.Generator,
    lineage: LabelArray | None = None,
) -> AssociationFacts:
    strata = strata_of(lineage, len(samples.score))
    shuffled = np.tile(samples.score, (permutations, 1))
    for members in strata:
        shuffled[:, members] = rng.permuted(shuffled[:, members], axis=1)
    spread = samples.score.std(ddof=1)
    scaled = (samples.score - samples.score.mean()) / (spread if spread > 0 else 1.0)
    ratio = hazard_ratio(scaled, samples.time, samples.event, lineage)
    ranked = log_rank_p(thirds, samples.time, samples.event, lineage)
    return _facts(name, samples, np.vstack([samples.score, shuffled]), strata, ratio, ranked)


def _lineage_alone(
    samples: _Samples, lineage: LabelArray, permutations: int, rng: np.random.Generator
) -> AssociationFacts:
    """Order the lineages by their own events per time: fitted to these very samples."""
    codes = np.unique(lineage, return_inverse=True)[1]
    shuffled = rng.permuted(np.tile(codes, (permutations, 1)), axis=1)
    orders = []
    for labels in (codes, *shuffled):
        events = np.bincount(labels, weights=samples.event)
        time = np.bincount(labels, weights=samples.time)
        orders.append((-events / np.maximum(time, 1e-12))[labels])
    ranked = log_rank_p(lineage, samples.time, samples.event)
    strata = strata_of(None, len(codes))
    return _facts(LINEAGE, samples, np.array(orders), strata, _NO_RATIO, ranked)


def _facts(
    name: str,
    samples: _Samples,
    orders: FloatArray,
    strata: list[IndexArray],
    ratio: HazardRatio,
    ranked: float,
) -> AssociationFacts:
    """Compare the first order with the random ones after it."""
    found, pairs = concordance(np.ascontiguousarray(orders.T), samples.time, samples.event, strata)
    distance = np.abs(found - 0.5)
    # the observed order counts among the random ones, so that p is never 0
    p = float((distance >= distance[0] - 1e-12).mean()) if pairs else float("nan")
    return AssociationFacts(
        order=name,
        concordance=float(found[0]),
        pairs=pairs,
        p=p,
        hazard_ratio=ratio.ratio,
        lower=ratio.lower,
        upper=ratio.upper,
        hazard_p=ratio.p,
        log_rank_p=ranked,
    )


def _warnings(scored: int, used: int, events: int) -> tuple[str, ...]:
    said = []
    if events < FEWEST_EVENTS:
        said.append(
            f"Only {events} of {used} samples had an event: with fewer than {FEWEST_EVENTS} no "
            "number below can be relied on."
        )
    if used < scored:
        said.append(
            f"{scored - used} of {scored} scored samples have no time or no event and were left "
            "out; they need not be like the others."
        )
    return tuple(said)
