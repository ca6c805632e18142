"""Which version may take the place of the one in use, and the history of those that did.

The history lies in tags of the registered model, one for each event, so that it is kept where the
aliases are and an event can only be added.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from nkpredict.facts import ModelFacts
from nkpredict.registry._index import Model
from nkpredict.registry._run import user

HISTORY_TAG = "nkpredict.history."
OURS = "nkpredict"
"""Name of our model among the rows of an evaluation."""


@dataclass(frozen=True)
class Comparison:
    """Two versions side by side.

    Attributes
    ----------
    comparable
        Whether both were evaluated on the same samples, responses and folds.
    better
        Whether the second is better in at least one split and worse in none.
    sentence
        What was found.
    """

    comparable: bool
    better: bool
    sentence: str


def compare(current: Mapping[str, Any], other: Mapping[str, Any]) -> Comparison:
    """Hold the Spearman correlation on unseen samples of two models against each other.

    Parameters
    ----------
    current, other
        Metadata of their bundles, as `ModelFacts.to_json` returns it.

    Returns
    -------
    Comparison
    """
    before, after = skill_by_split(current), skill_by_split(other)
    shared = [split for split in before if split in after]
    if not shared:
        return Comparison(False, False, "they were not evaluated in the same way")
    folds = [model.get("evaluated_on") for model in (current, other)]
    if folds[0] is None or folds[0] != folds[1]:
        return Comparison(False, False, "they were not evaluated on the same samples and folds")
    told = ", ".join(f"{split} {before[split]:.3f} → {after[split]:.3f}" for split in shared)
    gains = [after[split] - before[split] for split in shared]
    better = max(gains) > 0 and min(gains) >= 0
    return Comparison(True, better, f"Spearman on the same unseen samples: {told}")


def skill_by_split(metadata: Mapping[str, Any]) -> dict[str, float]:
    """Return the Spearman correlation of our model on unseen samples, by split."""
    rows = ModelFacts.from_json(metadata).performance or ()
    return {
        row.split: row.spearman
        for row in rows
        if row.model == OURS and not math.isnan(row.spearman)
    }


def history_of(model: Model) -> list[dict[str, Any]]:
    """Return the events of a registered model, the oldest first.

    Returns
    -------
    list of dict
        Each with ``event``, ``version``, ``before``, ``time``, ``by`` and ``reason``.
    """
    keys = sorted(key for key in model.tags if key.startswith(HISTORY_TAG))
    return [json.loads(model.tags[key]) for key in keys]


def add_event(
    client: Any, name: str, model: Model, event: str, version: int, reason: str | None, alias: str
) -> None:
    """Write an event down; the lock is held.

    An alias that was moved by hand in MLflow, or whose move was cut short, gets an event of its own
    first, so that the history never tells of a version that was not in use.

    Parameters
    ----------
    client, name, model
        The registered model, as it was before the event.
    event
        ``"first"``, ``"promoted"``, ``"forced"``, ``"rolled back"`` or ``"deleted"``.
    version, reason
        Which version, and why.
    alias
        Alias of the version in use.
    """
    events = history_of(model)
    current = model.aliases.get(alias)
    in_use = [e["version"] for e in events if e["event"] != "deleted"]
    news = [(event, version, reason)]
    if in_use and current is not None and current != in_use[-1]:
        found = "the alias was moved outside nkpredict, or a promotion was cut short"
        news.insert(0, ("found in use", current, found))
    for number, (what, which, why) in enumerate(news, start=len(events) + 1):
        content = {
            "event": what,
            "version": which,
            "before": current,
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "by": user(),
            "reason": why,
        }
        client.set_registered_model_tag(name, f"{HISTORY_TAG}{number:05d}", json.dumps(content))


def version_before(model: Model, alias: str) -> int | None:
    """Return the version that was in use before the present one and is still there.

    Parameters
    ----------
    model
        The registered model.
    alias
        Alias of the version in use.
    """
    current = model.aliases.get(alias)
    kept: list[int] = []
    for event in history_of(model):
        if event["event"] == "deleted":
            continue
        if event["event"] == "rolled back":
            # going back twice goes back two versions
            while kept and kept[-1] != event["version"]:
                kept.pop()
        elif not kept or kept[-1] != event["version"]:
            kept.append(event["version"])
    while kept and (kept[-1] == current or kept[-1] not in model.versions):
        kept.pop()
    return kept[-1] if kept else None
