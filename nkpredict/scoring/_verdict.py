"""What the scores of a cohort may be used for, in words, and why it is no more."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from nkpredict.facts import ModelFacts, PlatformFacts, ScoringFacts, Verdict
from nkpredict.learn import GeneModel, HarmonisedProfiles
from nkpredict.scoring._table import LOW_COVERAGE, OWN_REFERENCE, is_chance
from nkpredict.vocabulary import Platform, VerdictLevel

# Set by hand.
_WEAK_SKILL = 0.3  # rank correlation on unseen samples below which single ranks mean little
_MOST = 0.5  # share of the samples that speaks for the cohort
_FAR = 2.0  # median novelty of what has nothing in common with the training profiles
_FEWEST_FOR_GROUPS = 6
_ADVICE = {
    VerdictLevel.ABSOLUTE: "Each number may be read by itself, with its interval.",
    VerdictLevel.RANKING: "Compare these samples with each other; do not read the numbers as they "
    "are, nor beside those of other cohorts.",
    VerdictLevel.GROUPS: "Compare the averages of groups within this cohort; judge no single "
    "sample.",
    VerdictLevel.NOT_AT_ALL: "Draw no conclusion from these numbers.",
}
_ORDER = list(VerdictLevel)
_Limit = tuple[VerdictLevel, str]


def platform_facts(model: GeneModel, prepared: HarmonisedProfiles) -> PlatformFacts | None:
    """Return the platforms of profiles and model; None for a model that knows no platforms."""
    bridge, found = model.platforms_, prepared.platforms
    if bridge is None or found is None:
        return None
    names, counts = np.unique(bridge.names(found), return_counts=True)
    return PlatformFacts(
        profiles={str(name): int(count) for name, count in zip(names, counts, strict=True)},
        model=tuple(map(str, sorted(bridge.native, key=lambda one: one != bridge.home)))
        if bridge.home is not Platform.UNKNOWN
        else (),
        foreign=int(bridge.foreign(found).sum()),
        bridged=int(bridge.bridged(found).sum()),
    )


def verdict_of(table: pd.DataFrame, provenance: ScoringFacts, model: GeneModel) -> Verdict:
    """Judge what the scores of a cohort may be used for.

    Parameters
    ----------
    table
        See `Scores.table`.
    provenance
        What is known of the scores.
    model
        That scored.
    """
    limits = [
        *_of_profiles(provenance),
        *_of_model(provenance.model, model),
        *_of_origin(table, provenance),
        *_of_coverage(table),
    ]
    level = _least(limits)
    limits += _of_size(len(table), level)
    level = _least(limits)
    # those that decide come first
    limits.sort(key=lambda limit: -_ORDER.index(limit[0]))
    if provenance.simulated:
        limits.append((level, "The data are simulated."))
    reasons = tuple(dict.fromkeys(words for _, words in limits))
    return Verdict(level=level, sentence=_ADVICE[level], reasons=reasons)


def _least(limits: list[_Limit]) -> VerdictLevel:
    return max((level for level, _ in limits), key=_ORDER.index, default=VerdictLevel.ABSOLUTE)


def _of_profiles(provenance: ScoringFacts) -> Iterator[_Limit]:
    if provenance.forced:
        yield (
            VerdictLevel.NOT_AT_ALL,
            "The profiles would be refused; only force gives them a score.",
        )
    if provenance.relative_to_cohort:
        yield (
            VerdictLevel.RANKING,
            "The numbers are relative to this cohort, which was mapped as a whole onto the "
            "model's profiles: its level is that of the model by construction.",
        )
    if provenance.profiles is not None and provenance.profiles.single_cells:
        yield (
            VerdictLevel.GROUPS,
            "Every cell was scored as a sample, and one cell shows too few genes.",
        )
    if provenance.own_reference and provenance.own_reference > _MOST * provenance.samples:
        yield (
            VerdictLevel.RANKING,
            "Most of these profiles are those the model was made from; this is no test of it.",
        )


def _of_model(facts: ModelFacts, model: GeneModel) -> Iterator[_Limit]:
    if facts.knowledge_only:
        yield (
            VerdictLevel.RANKING,
            "The score rests on published experiments alone; it was tested on no measured killing.",
        )
    skill = model.skill_.get("spearman")
    if is_chance(model):
        yield (
            VerdictLevel.NOT_AT_ALL,
            "The model predicts samples it has not seen no better than chance.",
        )
    elif skill is not None and skill < _WEAK_SKILL:
        yield (
            VerdictLevel.GROUPS,
            f"The model is weak: on samples it had not seen, the rank correlation with what was "
            f"measured is {skill:.2f} (1 is perfect, 0 is chance).",
        )
    if facts.within_lineages:
        yield (
            VerdictLevel.RANKING,
            "The model compares samples of one lineage and knows no absolute level.",
        )


def _of_origin(table: pd.DataFrame, provenance: ScoringFacts) -> Iterator[_Limit]:
    """Judge platform and biology; of single cells neither can be told."""
    if provenance.profiles is None or not provenance.profiles.single_cells:
        yield from _of_platform(provenance.platform)
        yield from _of_biology(table, provenance.platform)


def _of_platform(platform: PlatformFacts | None) -> Iterator[_Limit]:
    if platform is None or not platform.model:
        return
    home = [Platform(name) for name in platform.model]
    technologies = sorted({one.technology for one in home})
    learned = f"while the model learned from {' and '.join(technologies)}"
    found = {Platform(name): count for name, count in platform.profiles.items()}
    unknown = found.pop(Platform.UNKNOWN, 0)
    if unknown:
        yield (
            VerdictLevel.GROUPS,
            f"The platform of {unknown:,} profiles is not known, {learned}: another platform "
            "cannot be told from another biology.",
        )
    foreign = sorted({one.technology for one in found}.difference(technologies))
    if foreign:
        done = (
            "their levels were moved to the model's platform, which is not exact"
            if platform.bridged
            else "no sample is known that was measured by both, so their levels may be far off"
        )
        yield (
            VerdictLevel.RANKING,
            f"{platform.foreign - unknown:,} profiles were measured by {' and '.join(foreign)}, "
            f"{learned}: {done}.",
        )
    patients = sum(count for one, count in found.items() if one.patients)
    if patients and not any(one.patients for one in home):
        yield (
            VerdictLevel.RANKING,
            f"{patients:,} profiles are of patients, while the model learned from cell lines.",
        )
    if len(found) + bool(unknown) > 1:
        yield (
            VerdictLevel.RANKING,
            "The profiles come from several platforms; rank those of one platform apart.",
        )


def _of_biology(table: pd.DataFrame, platform: PlatformFacts | None) -> Iterator[_Limit]:
    judged = table[~table["flags"].str.split(";").map(lambda flags: OWN_REFERENCE in flags)]
    outside = int((~judged["in_domain"]).sum())
    if not outside:
        return
    which = f"{outside:,} of {len(table):,} profiles are unlike what the model learned from"
    if outside <= _MOST * len(judged):
        yield VerdictLevel.ABSOLUTE, f"{which} (flag out_of_domain); leave these out."
    elif _of_known_lines(platform) and judged["novelty"].median() >= _FAR:
        yield (
            VerdictLevel.NOT_AT_ALL,
            f"{which}, and far from it: another tissue, wrong gene names or damaged data.",
        )
    else:
        yield (
            VerdictLevel.GROUPS,
            f"{which}: another disease, tissue or way of measuring, or wrong gene names.",
        )


def _of_known_lines(platform: PlatformFacts | None) -> bool:
    """Whether the biology alone can be foreign; patients are known from few diseases."""
    if platform is None or not platform.model:
        return False
    found = [Platform(name) for name in platform.profiles]
    return not any(one.patients or one is Platform.UNKNOWN for one in found)


def _of_coverage(table: pd.DataFrame) -> Iterator[_Limit]:
    covered = table["weight_coverage"].median()
    if covered < LOW_COVERAGE:
        yield (
            VerdictLevel.RANKING,
            f"Only {covered:.0%} of what the model reads was measured.",
        )


def _of_size(samples: int, level: VerdictLevel) -> list[_Limit]:
    if level is VerdictLevel.RANKING and samples == 1:
        words = "One sample cannot be ranked; score it with others that were measured alike."
    elif level is VerdictLevel.GROUPS and samples < _FEWEST_FOR_GROUPS:
        words = f"{samples} are too few samples to compare groups."
    else:
        return []
    return [(VerdictLevel.NOT_AT_ALL, words)]
