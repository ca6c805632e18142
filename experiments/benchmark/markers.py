"""Known markers of drug response, and where explanations of several kinds place them.

The markers and their directions are those of the literature; none was taken in or left out for its
rank. Primary are genes by whose expression the response is known to be predicted, secondary are
genes known to change it. What one cause is known by (the output of the MAPK pathway) counts as one.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNetCV
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from experiments.benchmark.tasks import BenchmarkTask
from nkpredict.evaluate import generic_learners
from nkpredict.explain import driver_scores, explain
from nkpredict.learn import NKSusceptibilityModel, fit_warnings_ignored

OURS, APART, DRIVERS = "nkpredict", "nkpredict within lineages", "nkpredict drivers"
CORRELATION, WITHIN = "correlation", "correlation within lineage"
NET, BOOSTING = "elastic net", "LightGBM SHAP"
_SEEDS = 3
# What counts as found; set by hand.
_FOUND_PRIMARY, _FOUND_SECONDARY = 1, 50


@dataclass(frozen=True)
class Marker:
    """A gene known to change the response to a drug.

    Attributes
    ----------
    drug, gene
        Names in the response file and approved symbol.
    direction
        1 where high expression goes with sensitivity, −1 where it goes with resistance.
    primary
        Whether the response is known to be predicted by it.
    source
        DOI, PMID, or a journal's year, volume and page.
    """

    drug: str
    gene: str
    direction: int
    primary: bool
    source: str


def _markers(
    drug: str, source: str, genes: Mapping[str, int], primary: bool = False
) -> list[Marker]:
    return [Marker(drug, gene, sign, primary, source) for gene, sign in genes.items()]


_MAPK = "10.1038/s41698-018-0051-4"
MARKERS: tuple[Marker, ...] = (
    *_markers("Venetoclax", "10.1038/nm.3048", {"BCL2": 1}, primary=True),
    *_markers("Venetoclax", "10.1038/nm.3048", {"BCL2L1": -1}),
    *_markers("Venetoclax", "10.1038/s43018-020-0103-x", {"BCL2A1": -1, "CLEC7A": -1}),
    *_markers("Venetoclax", "10.3324/haematol.2020.260331", {"MCL1": -1}),
    *_markers("Venetoclax", "10.1158/2159-8290.CD-19-0125", {"BAX": 1, "PMAIP1": 1}),
    *_markers("AZD5991", "10.1038/nature19830", {"BCL2L1": -1}, primary=True),
    *_markers("AZD5991", "10.1038/s41467-018-07551-w", {"MCL1": 1}, primary=True),
    *_markers("AZD5991", "10.1038/s41467-018-07551-w", {"BAK1": 1}),
    *_markers("AZD5991", "10.1182/blood.2020008528", {"BCL2A1": -1}),
    *_markers("AZD5991", "Mol Cancer Ther 2022;21:879", {"BCL2": -1}),
    *_markers("Talazoparib", "10.18632/oncotarget.12266", {"SLFN11": 1}, primary=True),
    *_markers("Talazoparib", "10.1038/s41467-018-03917-2", {"PARP1": 1}),
    *_markers("Talazoparib", "PMID 38340425", {"ABCC1": -1, "ABCG2": -1}),
    *_markers(
        "Trametinib",
        _MAPK,
        {"DUSP6": 1, "SPRY2": 1, "SPRY4": 1, "ETV4": 1, "ETV5": 1},
        primary=True,
    ),
    *_markers("Trametinib", _MAPK, {"DUSP4": 1, "CCND1": 1, "EPHA2": 1, "EPHA4": 1, "PHLDA1": 1}),
    *_markers("Dasatinib", "10.1038/bcj.2017.87", {"LCK": 1}),
    *_markers("Dasatinib", "Blood 2013;122:1900", {"LYN": 1, "HCK": 1, "FGR": 1, "KIT": 1}),
    *_markers("Gemcitabine", "10.1186/1471-2210-4-8", {"DCK": 1}),
    *_markers("Gemcitabine", "10.3390/cancers13225758", {"SLC29A1": 1, "CDA": -1}),
    *_markers("Gemcitabine", "10.1073/pnas.1205943109", {"SLFN11": 1}),
)


@dataclass(frozen=True)
class Importance:
    """Importance of each gene, 0 for one that is not used, and the sign of its effect."""

    size: pd.Series
    sign: pd.Series


def rank_markers(
    task: BenchmarkTask,
    entrants: Mapping[str, Callable[[BenchmarkTask], Importance]] | None = None,
) -> pd.DataFrame:
    """Fit every entrant on all samples of a task and look its known markers up.

    Parameters
    ----------
    task
        Its name is a drug of `MARKERS`.
    entrants
        Name → importance of genes; `ENTRANTS` when not given.

    Returns
    -------
    pandas.DataFrame
        One row a marker and entrant: ``drug, gene, primary, direction, source, genes, entrant,
        rank, used, sign_agrees``. The rank is the mean of the ranks of genes of equal importance,
        such as those not used; NaN where the gene was not measured.
    """
    rows = []
    for name, importance_of in (ENTRANTS if entrants is None else entrants).items():
        found = importance_of(task)
        ranks = pd.Series(rankdata(-found.size.to_numpy()), found.size.index)
        for marker in MARKERS:
            if marker.drug != task.name:
                continue
            measured = marker.gene in ranks
            rows.append(
                {
                    **vars(marker),
                    "genes": len(ranks),
                    "entrant": name,
                    "rank": ranks[marker.gene] if measured else np.nan,
                    "used": bool(measured and found.size[marker.gene] > 0),
                    "sign_agrees": bool(
                        measured and np.sign(found.sign[marker.gene]) == marker.direction
                    ),
                }
            )
    return pd.DataFrame(rows)


def median_ranks(table: pd.DataFrame) -> pd.DataFrame:
    """Summarise what `rank_markers` returned for all drugs.

    Returns
    -------
    pandas.DataFrame
        One row an entrant: ``primary`` (median over drugs of the best primary marker),
        ``primary_markers`` (median over all of them), ``secondary`` (median over markers),
        ``secondary_in_50`` and ``secondary_signs`` (how many stand among the first 50, and how many
        have the known sign), ``secondary_markers``.
    """
    measured = table.dropna(subset="rank")
    rows = []
    for entrant, part in measured.groupby("entrant", sort=False):
        first, second = part[part["primary"]], part[~part["primary"]]
        rows.append(
            {
                "entrant": entrant,
                "primary": float(first.groupby("drug")["rank"].min().median()),
                "primary_markers": float(first["rank"].median()),
                "secondary": float(second["rank"].median()),
                "secondary_in_50": int((second["rank"] <= 50).sum()),
                "secondary_signs": int(second["sign_agrees"].sum()),
                "secondary_markers": len(second),
            }
        )
    return pd.DataFrame(rows)


def markers_markdown(table: pd.DataFrame, medians: pd.DataFrame) -> str:
    """Return the conclusion, the medians and every rank as Markdown."""
    entrants = list(dict.fromkeys(table["entrant"]))
    genes = int(table["genes"].max())
    lines = [
        conclusion(medians),
        "",
        f"Median ranks among about {genes:,} genes; by chance a rank is {(genes + 1) / 2:,.0f} on "
        "average. Primary: the best marker of each drug, median over drugs; all primary and "
        "secondary: median over markers.",
        "",
        "| explanation | primary | all primary | secondary | secondary among the first 50 | "
        "with the known sign |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {row.entrant} | {row.primary:,g} | {row.primary_markers:,g} | {row.secondary:,.0f} | "
        f"{row.secondary_in_50} of {row.secondary_markers} | "
        f"{row.secondary_signs} of {row.secondary_markers} |"
        for row in medians.itertuples()
    ]
    lines += [
        "",
        "Rank of each marker; ✓ with the known sign, ✗ with the other one, · the gene is not used "
        "at all. Known: + high expression goes with sensitivity, − with resistance. Primary "
        "markers are in bold.",
        "",
        "| drug | marker | known | " + " | ".join(entrants) + " | source |",
        "|---|---|---|" + "---:|" * len(entrants) + "---|",
    ]
    keys = ["drug", "gene", "primary", "direction", "source"]
    for (drug, gene, primary, direction, source), part in table.groupby(keys, sort=False):
        cells = [_cell(row) for row in part.itertuples()]
        name = f"**{gene}**" if primary else gene
        lines.append(
            f"| {drug} | {name} | {'+' if direction > 0 else '−'} | "
            + " | ".join(cells)
            + f" | {source} |"
        )
    absent = sorted(set(table.loc[table["rank"].isna(), "gene"]))
    if absent:
        lines += ["", f"Not among the genes of these profiles: {', '.join(absent)}."]
    return "\n".join(lines)


def conclusion(medians: pd.DataFrame) -> str:
    """Say in one sentence which causes are found."""
    ours = medians.set_index("entrant").loc[OURS]
    first = "are found" if ours["primary"] <= _FOUND_PRIMARY else "are not found"
    second = "are found" if ours["secondary"] <= _FOUND_SECONDARY else "are not found"
    return (
        f"Primary causes {first} by nkpredict's explanation (median rank {ours['primary']:,g}); "
        f"secondary causes {second} (median rank {ours['secondary']:,.0f})."
    )


def _cell(row: Any) -> str:
    if np.isnan(row.rank):
        return "not measured"
    if not row.used:
        return "·"
    return f"{row.rank:,.0f} {'✓' if row.sign_agrees else '✗'}"


def _nkpredict(task: BenchmarkTask, within_groups: bool = False) -> Importance:
    """Mean absolute contribution, mean over the seeds."""
    genes, sizes, effects = task.profiles.columns, [], []
    for seed in range(_SEEDS):
        model = NKSusceptibilityModel(random_state=seed, within_groups=within_groups)
        with fit_warnings_ignored():  # skill is the question of another table
            model.fit(task.profiles, task.target, task.lineage if within_groups else None)
        table = explain(model, task.profiles).per_gene().set_index("gene")
        sizes.append(table["mean_abs"].reindex(genes, fill_value=0.0))
        effects.append(pd.Series(model.effect_, model.feature_names_in_).reindex(genes))
    return Importance(sum(sizes) / _SEEDS, sum(effects) / _SEEDS)


def _drivers(task: BenchmarkTask) -> Importance:
    """Probability of driving the response given all other genes and the lineage."""
    table = driver_scores(task.profiles, task.target, groups=task.lineage).set_index("gene")
    return Importance(table["probability"], table["effect"])


def _correlation(task: BenchmarkTask) -> Importance:
    return _correlated(task.profiles.rank(), pd.Series(task.target, task.profiles.index).rank())


def _within_lineage(task: BenchmarkTask) -> Importance:
    """Correlation of ranks after the mean of each lineage was taken out of both."""
    genes, response = task.profiles.rank(), pd.Series(task.target, task.profiles.index).rank()
    return _correlated(
        genes - genes.groupby(task.lineage).transform("mean"),
        response - response.groupby(task.lineage).transform("mean"),
    )


def _correlated(genes: pd.DataFrame, response: pd.Series) -> Importance:
    found = genes.corrwith(response).fillna(0.0)
    return Importance(found.abs(), found)


def _elastic_net(task: BenchmarkTask) -> Importance:
    net = make_pipeline(
        StandardScaler(),
        ElasticNetCV(
            l1_ratio=[0.1, 0.5, 0.9],
            alphas=30,
            eps=1e-2,
            cv=KFold(5, shuffle=True, random_state=0),
            max_iter=2000,
        ),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # on the path, not at the end
        net.fit(_filled(task).to_numpy(), task.target)
    found = pd.Series(net[-1].coef_, task.profiles.columns)
    return Importance(found.abs(), found)


def _boosting(task: BenchmarkTask) -> Importance:
    """Mean absolute TreeSHAP; the sign is that of its correlation with the expression."""
    values = _filled(task).to_numpy()
    model: Any = generic_learners()["LightGBM default"].fit(values, task.target)
    parts = model[-1].predict(values, pred_contrib=True)[:, :-1]
    size = np.abs(parts).mean(axis=0)
    sign = ((values - values.mean(axis=0)) * parts).sum(axis=0)
    genes = task.profiles.columns
    return Importance(pd.Series(size, genes), pd.Series(sign, genes))


def _filled(task: BenchmarkTask) -> pd.DataFrame:
    return task.profiles.fillna(task.profiles.mean())


ENTRANTS: dict[str, Callable[[BenchmarkTask], Importance]] = {
    OURS: _nkpredict,
    APART: partial(_nkpredict, within_groups=True),
    DRIVERS: _drivers,
    CORRELATION: _correlation,
    WITHIN: _within_lineage,
    NET: _elastic_net,
    BOOSTING: _boosting,
}
