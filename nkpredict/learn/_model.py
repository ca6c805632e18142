"""The one model users meet: harmonised profiles, evidence-guided learners, their blend."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.stats import spearmanr
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, KFold

from nkpredict.errors import InputError, name_some
from nkpredict.features import (
    GeneSets,
    ModuleScores,
    ProfileHarmoniser,
    Profiles,
    RankedProfiles,
    not_expression,
    read_gene_sets,
    to_frame,
    to_labels,
    to_target,
    to_weights,
)
from nkpredict.learn._blend import blend_weights, normal_scores
from nkpredict.learn._core import BlendCore, TrainingData, fit_learner
from nkpredict.learn._gene_model import GeneModel
from nkpredict.learn._intervals import interval_half_width
from nkpredict.learn._novelty import ProfileNovelty
from nkpredict.learn.learners import (
    Evidence,
    EvidenceBoosting,
    EvidenceRidge,
    GeneLearner,
    NoSplitWarning,
    combined,
    signed_evidence,
)

LEARNERS: dict[str, type[GeneLearner]] = {
    "ridge": EvidenceRidge,
    "boosting": EvidenceBoosting,
}
"""What is blended, in the order of the weights."""
PRIOR_WEIGHTS = (4.0, 1.0)
"""Weights of the learners before any sample is seen: on a few hundred samples or fewer, trees add
little to the ridge, and equal weights cost accuracy on lineages not seen before."""

MINIMUM_SAMPLES = 20
# Skill is taken for chance when the one-sided p value of the out-of-fold rank correlation is above.
CHANCE_LEVEL = 0.05


class ChanceSkillWarning(UserWarning):
    """The model predicts unseen samples no better than chance."""


@contextmanager
def fit_warnings_ignored() -> Iterator[None]:
    """Fit without warnings of chance skill or of no split, where what follows tells it better."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ChanceSkillWarning)
        warnings.simplefilter("ignore", NoSplitWarning)
        yield


class NKSusceptibilityModel(GeneModel):
    """Predict NK susceptibility from expression, with screens as a prior.

    Profiles are harmonised one by one to the training distribution, and the response is replaced
    by normal scores of its ranks. A ridge adapted to response and evidence and evidence-guided
    boosted trees are fitted, and blended by weights learned from out-of-fold
    predictions. Genes are matched by name; a gene missing from a new profile counts as average.

    Parameters
    ----------
    evidence
        `GeneEvidence`, `ScreenTable` or None.
    random_state
        Seed of folds and of row and column samples.
    ridge, boosting
        Learners to use in place of the default ones; their evidence is set by the model.
    folds
        Inner folds that give blend weights, intervals and skill.
    within_groups
        Whether to learn what is left of the response when each group's (lineage's, study's) own
        shrunken mean is taken out. Predictions then compare samples of one group; add the group's
        entry of ``offsets_`` to compare groups. On six drug responses this predicted worse, also
        within lineages (Spearman 0.25, not 0.28): use it where groups differ by measurement.
    modules
        Gene sets whose scores the learners see beside the genes: a GMT file, a mapping of set name
        to gene names, or ``"nk"`` for the shipped modules of genes relevant to killing by NK
        cells; see `nkpredict.features.modules`. The scores are learned inside each fold, and
        what a module adds to a prediction is passed on to its genes. On six drug responses they
        changed little (mean Spearman 0.508 with MSigDB's Hallmark, 0.503 with ``"nk"`` or none).

    Attributes
    ----------
    feature_names_in_ : numpy.ndarray
        Genes in sorted order.
    weights_ : numpy.ndarray
        Blend weights of (ridge, boosting), summing to 1.
    offsets_ : pandas.Series or None
        What each group adds, when `within_groups`.
    held_out_ : pandas.DataFrame
        ``observed`` and ``predicted`` susceptibility of each training sample, the prediction made
        by models that had not seen it.
    skill_ : dict
        ``spearman`` of the held-out predictions and its one-sided ``p``.
    effect_ : numpy.ndarray
        Change of the prediction per standard deviation of each gene over the training profiles.
    range_ : numpy.ndarray
        Low and high end (5th and 95th percentile) of each gene over the harmonised training
        profiles, shape (2, n_genes).
    half_width_ : float
        Half width of the 90 % prediction interval.

    Examples
    --------
    >>> from nkpredict import NKSusceptibilityModel
    >>> model = NKSusceptibilityModel().fit(profiles, susceptibility)  # doctest: +SKIP
    >>> parts, base = model.contributions(patients)  # doctest: +SKIP
    """

    def __init__(
        self,
        evidence: Evidence = None,
        random_state: int = 0,
        ridge: EvidenceRidge | None = None,
        boosting: EvidenceBoosting | None = None,
        folds: int = 5,
        within_groups: bool = False,
        modules: GeneSets | None = None,
    ) -> None:
        self.evidence = evidence
        self.random_state = random_state
        self.ridge = ridge
        self.boosting = boosting
        self.folds = folds
        self.within_groups = within_groups
        self.modules = modules

    @property
    def modules_(self) -> dict[str, tuple[str, ...]] | None:
        """Gene sets in use, name → genes as named in the training data; None without modules."""
        modules = self.core_.modules
        return None if modules is None else modules.gene_sets

    def fit(self, X: Profiles, y: Any, groups: Any = None, sample_weight: Any = None) -> Self:
        """Fit on samples × genes.

        Parameters
        ----------
        X
            DataFrame or AnnData with gene symbols as columns; NaN marks a missing value. Columns of
            ``obsm["genetics"]`` (or named ``genetics:…``) are taken as they are.
        y
            Susceptibility of each sample (higher = killed more easily); a Series is matched by
            sample name, a string names a column of ``X.obs``.
        groups
            Labels; samples of one group are held out together inside, for predictions on groups
            not seen before. With `within_groups` their offsets are taken out instead, and inner
            folds are random.
        sample_weight
            Non-negative weights.

        Raises
        ------
        InputError
            When there are fewer than 20 samples, the response is constant, a gene has no value at
            all, names and shapes differ, or the gene sets are malformed or of other genes.

        Warns
        -----
        ChanceSkillWarning
            When unseen samples are predicted no better than chance.
        """
        data = self._training_data(X, y, groups, sample_weight)
        held_out = np.zeros((len(data.target), len(LEARNERS)))
        for test, predicted in self._held_out(data, {}):
            held_out[test] = predicted
        self.weights_ = blend_weights(held_out, normal_scores(data.response), PRIOR_WEIGHTS)
        self.offsets_ = data.offsets
        self.evidence_ = combined(self.evidence)
        self.core_ = self._fit_core(data)
        self.feature_names_in_ = data.genes
        self.n_features_in_ = len(data.genes)
        harmonised = self.core_.harmonise(data.profiles)
        self.effect_ = self.core_.effect(harmonised, self.weights_)
        self.range_ = self.core_.ends(harmonised)
        self._judge(data.samples, data.response, held_out @ self.weights_)
        self.novelty_ = ProfileNovelty(random_state=self.random_state).fit(
            np.nan_to_num(self.core_.standardise(harmonised))
        )
        return self

    def cross_predict(
        self,
        X: Profiles,
        y: Any,
        groups: Any = None,
        sample_weight: Any = None,
        *,
        memory: dict[Any, Any] | None = None,
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Predict each inner fold by learners fitted on the others, without the final fit.

        Parameters
        ----------
        X, y, groups, sample_weight
            As in `fit`.
        memory
            Keeps what does not depend on the settings that change between calls: harmonised
            folds, and predictions of learners whose settings stay. Hand in the same dict only
            with the same data, seed, folds and modules.

        Yields
        ------
        test : numpy.ndarray
            Positions of the samples of the fold.
        predicted : numpy.ndarray
            Predictions of ridge and boosting, fold samples × 2.
        """
        memory = {} if memory is None else memory
        if "data" not in memory:
            memory["data"] = self._training_data(X, y, groups, sample_weight)
        yield from self._held_out(memory["data"], memory)

    def _training_data(self, X: Profiles, y: Any, groups: Any, sample_weight: Any) -> TrainingData:
        frame = to_frame(X)
        target = to_target(y, X)
        _check_training(frame, target)
        if self.within_groups and groups is None:
            raise InputError(
                "Learning within groups was asked for and no groups were given; expected the "
                "lineage or study of each sample."
            )
        frame = frame[sorted(frame.columns)]
        modules = (
            None
            if self.modules is None
            else ModuleScores(read_gene_sets(self.modules), frame.columns)
        )
        known = signed_evidence(self.evidence, frame.columns)
        return TrainingData(
            samples=frame.index,
            genes=np.asarray(frame.columns, dtype=object),
            profiles=RankedProfiles.of(
                np.ascontiguousarray(frame.to_numpy()), not_expression(frame.columns)
            ),
            target=target,
            labels=None if groups is None else to_labels(groups, X, "groups"),
            weights=to_weights(sample_weight, X),
            evidence=known if modules is None else np.append(known, np.zeros(len(modules))),
            within_groups=self.within_groups,
            modules=modules,
        )

    def _held_out(
        self, data: TrainingData, memory: dict[Any, Any]
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        count = len(data.target)
        labels = None if data.within_groups else data.labels
        groups = 0 if labels is None else len(np.unique(labels))
        splitter = (
            GroupKFold(min(self.folds, groups))
            if groups > 1
            else KFold(self.folds, shuffle=True, random_state=self.random_state)
        )
        for train, test in splitter.split(np.zeros(count), groups=labels if groups > 1 else None):
            fold = memory.setdefault(("fold", test.tobytes()), {})
            if not fold:
                part = data.part(train)
                core = BlendCore(ProfileHarmoniser(), {}, data.modules)
                fold["train"] = core.learner_input(core.fit_scale(part.profiles)), part
                fold["test"] = core.learner_input(core.harmonise(data.profiles[test]))
            yield test, np.column_stack([self._fold_prediction(n, data, fold) for n in LEARNERS])

    def _fold_prediction(self, name: str, data: TrainingData, fold: dict[str, Any]) -> np.ndarray:
        learner = self._learner(name, data)
        settings = {k: v for k, v in learner.get_params().items() if k != "evidence"}
        key = f"{name} {settings}"
        if key not in fold:
            inputs, part = fold["train"]
            fold[key] = fit_learner(learner, inputs, part).predict(fold["test"])
        predicted: np.ndarray = fold[key]
        return predicted

    def _learner(self, name: str, data: TrainingData) -> GeneLearner:
        given = getattr(self, name)
        learner: GeneLearner = LEARNERS[name]() if given is None else clone(given)
        common = {"evidence": data.evidence, "random_state": self.random_state}
        taken = learner.get_params()
        return learner.set_params(**{k: v for k, v in common.items() if k in taken})

    def _fit_core(self, data: TrainingData) -> BlendCore:
        learners = {name: self._learner(name, data) for name in LEARNERS}
        return BlendCore(ProfileHarmoniser(), learners, data.modules).fit(data)

    def _judge(self, samples: pd.Index, target: np.ndarray, predicted: np.ndarray) -> None:
        self.held_out_ = pd.DataFrame({"observed": target, "predicted": predicted}, index=samples)
        self.reference_ = predicted
        self.half_width_ = interval_half_width(target - predicted)
        if np.ptp(predicted) > 0:
            test = spearmanr(predicted, target, alternative="greater")
            self.skill_ = {"spearman": float(test.statistic), "p": float(test.pvalue)}
        else:
            self.skill_ = {"spearman": 0.0, "p": 1.0}
        if self.skill_["p"] > CHANCE_LEVEL:
            warnings.warn(
                f"Unseen samples are predicted no better than chance (Spearman "
                f"{self.skill_['spearman']:.2f}, p = {self.skill_['p']:.2f}, {len(target)} "
                "samples): do not rank samples with this model.",
                ChanceSkillWarning,
                stacklevel=3,
            )


def _check_training(frame: pd.DataFrame, target: np.ndarray) -> None:
    if len(frame) < MINIMUM_SAMPLES:
        raise InputError(
            f"Found {len(frame)} samples with a response; expected {MINIMUM_SAMPLES} at least, "
            "because fewer cannot be split into training and test samples. Add samples."
        )
    if np.ptp(target) == 0:
        raise InputError("The response is the same for all samples; there is nothing to learn.")
    empty = frame.columns[frame.isna().all(axis=0)]
    if len(empty):
        raise InputError(
            f"{len(empty)} genes have no value in any sample ({name_some(empty)}); remove them."
        )
