"""What the page needs to show scores beside an outcome."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from nkpredict.facts import AssociationFacts, OutcomeFacts
from nkpredict.figures import Scored
from nkpredict.report._layout import Scale, scale_over


class SurvivalCurve(NamedTuple):
    """One third of the samples: its steps as SVG points, and who was left when."""

    name: str
    points: str
    censored: list[tuple[float, float]]
    samples: int
    events: int
    median: float
    at_risk: list[int]


class OutcomeView(NamedTuple):
    """An outcome as the page shows it: scales across and down the figure, curves and tests."""

    facts: OutcomeFacts
    across: Scale
    down: Scale
    moments: list[float]
    curves: list[SurvivalCurve]
    rows: tuple[AssociationFacts, ...]


def outcome_view(scores: Scored) -> OutcomeView | None:
    """Return curves and tests; None when no outcome was given."""
    outcome = getattr(scores, "outcome", None)
    if outcome is None:
        return None
    survival: pd.DataFrame = outcome.survival
    last = float(survival["time"].max())
    ticks = scale_over([0.0, last], ticks=6).ticks
    moments = [tick for tick in ticks if 0 <= tick <= last]
    across = Scale(0.0, last if last > 0 else 1.0, tuple(moments), left=8.0, right=97.0)
    # the share without an event is highest on top
    down = Scale(0.0, 1.0, (0.0, 0.25, 0.5, 0.75, 1.0), left=84.0, right=8.0)
    curves = [
        _curve(str(name), part, across, down, moments)
        for name, part in survival.groupby("group", sort=False)
    ]
    return OutcomeView(outcome.facts, across, down, moments, curves, outcome.facts.associations)


def _curve(
    name: str, part: pd.DataFrame, across: Scale, down: Scale, moments: list[float]
) -> SurvivalCurve:
    times = part["time"].to_numpy(dtype=float)
    share, at_risk = part["without_event"].to_numpy(dtype=float), part["at_risk"].to_numpy()
    points = [f"{across.at(times[0])},{down.at(1.0)}"]
    before = 1.0
    for time, value in zip(times, share, strict=True):
        points += [f"{across.at(time)},{down.at(before)}", f"{across.at(time)},{down.at(value)}"]
        before = value
    # who left without an event: fewer at risk afterwards than the events took away
    left = at_risk - np.append(at_risk[1:], 0) - part["events"].to_numpy() > 0
    below = np.flatnonzero(share <= 0.5)
    return SurvivalCurve(
        name,
        " ".join(points),
        [
            (across.at(time), down.at(value))
            for time, value in zip(times[left], share[left], strict=True)
        ],
        int(at_risk[0]),
        int(part["events"].sum()),
        float(times[below[0]]) if len(below) else float("nan"),
        [_left_at(moment, times, at_risk) for moment in moments],
    )


def _left_at(moment: float, times: np.ndarray, at_risk: np.ndarray) -> int:
    later = np.flatnonzero(times >= moment)
    return int(at_risk[later[0]]) if len(later) else 0
