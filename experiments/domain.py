"""Tell another platform from another biology: what it is worth on real profiles.

Prints false alarms of the novelty and what it detects, lines and patients of other platforms
against models of arrays, the same lines on two platforms, and one patient alone and in company. The
levels of a platform are taken from other lines or patients than those that are judged.

Example
-------
python -m experiments.domain --data ../my-data
"""

from __future__ import annotations

import argparse
from copy import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import spearmanr
from sklearn.model_selection import GroupKFold, KFold

from experiments.build_platform_levels import (
    ALL,
    AML,
    BLOOD,
    LINES,
    OTHER,
    RNA_SEQ,
    platform_levels,
    read_parts,
)
from experiments.build_screen_prior import DIAGNOSES
from experiments.console import print_table
from nkpredict import NKSusceptibilityModel, read_expression, score
from nkpredict.features import PlatformBridge, ProfileHarmoniser, RankedProfiles
from nkpredict.learn import ProfileNovelty, relative_to_cohort

RESPONSE = "response/gdsc2_auc_blood.csv"
PERMUTED = 0.02


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="holds expression/ and patients/")
    data = parser.parse_args().data
    arrays, other, rna_seq, aml = (
        read_expression(data / file).to_df().astype(np.float64)
        for file in (BLOOD, OTHER, RNA_SEQ, AML)
    )
    lineage = pd.read_csv(data / LINES, index_col=0)["lineage"].loc[arrays.index]
    print_novelty(arrays, lineage, other)
    parts = read_parts(data)
    on_both = [name for name in parts[2][0].index if name in DIAGNOSES]
    names = dict(zip(parts[2][0].index, parts[2][1].index, strict=True))
    same = pd.Series({name: names[name] for name in on_both})
    drugs = pd.read_csv(data / RESPONSE, index_col=0)
    trained = arrays.drop(index=same)
    models = [
        NKSusceptibilityModel().fit(trained.loc[known.index], 1 - known)
        for known in (drugs[name].reindex(trained.index).dropna() for name in drugs)
    ]
    print_platforms(models, parts, rna_seq, same, data)
    print_lines_on_both(models, parts, rna_seq, arrays, same)
    print_cohort_mode(models, rna_seq, arrays, same)
    print_company(models[0], aml)


def print_novelty(arrays: pd.DataFrame, lineage: pd.Series, other: pd.DataFrame) -> None:
    """Print false alarms on lines held out at random and by lineage, and what is detected."""
    splits = {
        "random": KFold(5, shuffle=True, random_state=1).split(arrays),
        "lineages held out": GroupKFold(5).split(arrays, groups=lineage),
    }
    rows = []
    for name, folds in splits.items():
        held_out, permuted, foreign = [], [], []
        for number, (train, test) in enumerate(folds):
            judge = Judge(arrays.iloc[train])
            held_out.append(judge.outside(arrays.iloc[test]))
            permuted.append(judge.outside(with_names_permuted(arrays.iloc[test], number)))
            foreign.append(judge.outside(other))
        rows.append([name, *(share(part) for part in (held_out, permuted, foreign))])
    columns = ["split", "false alarms", f"{PERMUTED:.0%} of names permuted", "other tissues"]
    print_table("Arrays: profiles outside the training domain", columns, rows)


class Judge:
    """Novelty as the models have it, without their learners."""

    def __init__(self, training: pd.DataFrame) -> None:
        self.harmoniser = ProfileHarmoniser().fit(training)
        self.novelty = ProfileNovelty().fit(self.harmoniser.transform(training))

    def outside(self, profiles: pd.DataFrame) -> np.ndarray:
        """Whether each profile lies outside."""
        return self.novelty.score_samples(self.harmoniser.transform(profiles)) > 1


def with_names_permuted(profiles: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Give a few genes each other's names."""
    random = np.random.default_rng(seed)
    places = random.choice(profiles.shape[1], int(PERMUTED * profiles.shape[1]), replace=False)
    values = profiles.to_numpy().copy()
    values[:, places] = values[:, random.permutation(places)]
    return pd.DataFrame(values, index=profiles.index, columns=profiles.columns)


def share(parts: list) -> float:
    """Share of what is true in all parts."""
    return float(np.concatenate(parts).mean())


def print_platforms(
    models: list, parts: tuple, rna_seq: pd.DataFrame, same: pd.Series, data: Path
) -> None:
    """Print how many profiles of other platforms lie outside the domain of a model of arrays."""
    bare = model_with(models[0], None)
    levels_from, judged = half_of_patients(parts)
    model = model_with(models[0], platform_levels(*levels_from))
    blood = rna_seq.loc[[name for name in rna_seq.index if name in DIAGNOSES]]
    aml = read_expression(data / AML).to_df().loc[judged[3].index]
    leukaemias = read_expression(data / ALL).to_df().loc[pd.concat(judged[4].values()).index]
    cohorts = {
        "AML patients, RNA-seq": aml,
        "ALL patients, HG-U95Av2": leukaemias,
        "other tissues, RNA-seq": rna_seq.drop(index=blood.index),
    }
    novelty = np.concatenate(
        [
            (model_with(model, without(parts, name)) if name in same.index else model).novelty(
                blood.loc[[name]]
            )
            for name in blood.index
        ]
    )
    rows = [
        [
            "blood-cancer lines, RNA-seq",
            len(blood),
            outside(bare.novelty(blood)),
            outside(novelty),
            outside(model.novelty(with_names_permuted(measured(blood, model), 0))),
        ]
    ]
    for name, profiles in cohorts.items():
        print(f"{name}: told to be {pd.Series(model.platform(profiles)).value_counts().to_dict()}")
        permuted = with_names_permuted(measured(profiles, model), 0)
        found = (bare.novelty(profiles), model.novelty(profiles), model.novelty(permuted))
        rows.append([name, len(profiles), *map(outside, found)])
    columns = ["profiles", "number", "no bridge", "outside", f"{PERMUTED:.0%} permuted"]
    print_table("A model of arrays: profiles outside its domain", columns, rows)


def measured(profiles: pd.DataFrame, model: NKSusceptibilityModel) -> pd.DataFrame:
    """Return the genes of the model that were measured."""
    return profiles[profiles.columns.intersection(pd.Index(model.feature_names_in_))]


def outside(novelty: np.ndarray) -> float:
    """Share of profiles outside."""
    return float((novelty > 1).mean())


def half_of_patients(parts: tuple) -> tuple[tuple, tuple]:
    """Split the patients, by lot, into those that levels are taken from and those judged."""
    arrays, lineage, both, aml, leukaemias = parts
    random = np.random.default_rng(0)

    def halves(patients: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        order = random.permutation(len(patients))
        middle = len(order) // 2
        return patients.iloc[order[:middle]], patients.iloc[order[middle:]]

    first, second = halves(aml)
    split = {name: halves(one) for name, one in leukaemias.items()}
    return (
        (arrays, lineage, both, first, {name: one[0] for name, one in split.items()}),
        (arrays, lineage, both, second, {name: one[1] for name, one in split.items()}),
    )


def without(parts: tuple, name: str) -> pd.DataFrame:
    """Levels that a line which both platforms measured is no part of."""
    arrays, lineage, (first, second), *patients = parts
    kept = first.index != name
    (line,) = second.index[~kept]
    arrays = arrays.drop(index=line)
    return platform_levels(
        arrays, lineage.loc[arrays.index], (first[kept], second[kept]), *patients
    )


def model_with(model: NKSusceptibilityModel, levels: pd.DataFrame | None) -> NKSusceptibilityModel:
    """Return the model with other levels of platforms, or without any."""
    other = copy(model)
    if levels is None:
        other.platforms_ = None
        return other
    genes = model.feature_names_in_
    none = RankedProfiles.of(np.full((1, len(genes)), np.nan))
    fresh = PlatformBridge.of(genes, none, levels)
    other.platforms_ = replace(fresh, counts=model.platforms_.counts)
    return other


def print_lines_on_both(
    models: list, parts: tuple, rna_seq: pd.DataFrame, arrays: pd.DataFrame, same: pd.Series
) -> None:
    """Print order and level of lines on both platforms, and whose nearest neighbour each is."""
    levels = {name: without(parts, name) for name in same.index}
    rows = []
    for title, known in (("no bridge", False), ("bridge", True)):
        order, shift, error = [], [], []
        for model in models:
            first = model.predict(arrays.loc[same])
            second = np.concatenate(
                [
                    model_with(model, levels[name] if known else None).predict(rna_seq.loc[[name]])
                    for name in same.index
                ]
            )
            order.append(spearmanr(first, second).statistic)
            shift.append(abs((second - first).mean()) / first.std())
            error.append(np.sqrt(((second - first) ** 2).mean()) / first.std())
        nearest = sum(
            is_nearest(
                model_with(models[0], levels[name] if known else None),
                rna_seq.loc[[name]],
                arrays,
                same[name],
            )
            for name in same.index
        )
        means = map(float, map(np.mean, (order, shift, error)))
        rows.append([title, *means, f"{nearest} of {len(same)}"])
    columns = ["", "Spearman", "shift (SD)", "RMSE (SD)", f"nearest of {len(arrays)} is itself"]
    print_table(f"{len(same)} lines on both platforms, mean of {len(models)} drugs", columns, rows)


def print_cohort_mode(
    models: list, rna_seq: pd.DataFrame, arrays: pd.DataFrame, same: pd.Series
) -> None:
    """Print order and level of the same lines when their cohort is mapped as a whole."""
    blood = rna_seq.loc[[name for name in rna_seq.index if name in DIAGNOSES]]
    cohorts = {"blood-cancer lines": blood, "lines on both": rna_seq.loc[same.index]}
    rows = []
    for name, cohort in {**cohorts, "lines of all tissues": rna_seq}.items():
        found = []
        for model in models:
            first = model.predict(arrays.loc[same])
            moved = model.predict(relative_to_cohort(model, model.prepare(cohort)))
            second = pd.Series(moved, cohort.index).loc[same.index].to_numpy()
            gap = second - first
            found.append(
                [
                    spearmanr(first, second).statistic,
                    *(abs(gap.mean()) / first.std(), np.sqrt((gap**2).mean()) / first.std()),
                ]
            )
        rows.append([name, len(cohort), *map(float, np.mean(found, axis=0))])
    columns = ["cohort", "samples", "Spearman", "shift (SD)", "RMSE (SD)"]
    print_table(f"The same {len(same)} lines, mapped with their cohort", columns, rows)
    print_cohort_sizes(models, blood, arrays, same)


def print_cohort_sizes(
    models: list, blood: pd.DataFrame, arrays: pd.DataFrame, same: pd.Series
) -> None:
    """Print the same for parts of the cohort, drawn ten times each."""
    random, rows = np.random.default_rng(0), []
    for size in (4, 6, 8, 10, 12, 14, 16):
        shift, error = [], []
        for _ in range(10):
            part = blood.iloc[np.sort(random.choice(len(blood), size, replace=False))]
            both = [name for name in part.index if name in same.index]
            for model in models:
                aligned = relative_to_cohort(model, model.prepare(part), fewest=2)
                whole = model.predict(arrays.loc[same])
                second = pd.Series(model.predict(aligned), part.index)[both]
                gap = second.to_numpy() - pd.Series(whole, same.index)[both].to_numpy()
                shift.append(abs(gap.mean()) / whole.std())
                error.append(np.sqrt((gap**2).mean()) / whole.std())
        rows.append([size, float(np.mean(shift)), float(np.mean(error))])
    print_table("Cohorts of fewer samples", ["samples", "shift (SD)", "RMSE (SD)"], rows)


def is_nearest(
    model: NKSusceptibilityModel, profile: pd.DataFrame, arrays: pd.DataFrame, name: str
) -> bool:
    """Whether a profile is most correlated with the line itself among all lines of the arrays."""
    own = model.core_.standardise(model.harmonised(profile).to_numpy())[0]
    lines = model.core_.standardise(model.harmonised(arrays).to_numpy())
    there = ~np.isnan(own)
    return arrays.index[np.corrcoef(own[there], lines[:, there])[0, 1:].argmax()] == name


def print_company(model: NKSusceptibilityModel, patients: pd.DataFrame) -> None:
    """Whether a patient has the same numbers alone, among ten and among all."""
    alone, ten, everyone = (
        score(patients.iloc[:number], model).table.iloc[[0]] for number in (1, 10, len(patients))
    )
    print(f"A patient alone, among 10, among {len(patients)}: ", end="")
    print("identical" if alone.equals(ten) and alone.equals(everyone) else "different")


if __name__ == "__main__":
    main()
