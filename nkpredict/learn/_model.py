"""The one model users meet: harmonised profiles, evidence-guided learners, their blend."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.stats import spearmanr
from sklearn.base import RegressorMixin, clone

from nkpredict.errors import InputError, name_some
from nkpredict.features import (
    GeneSets,
    PlatformBridge,
    ProfileHarmoniser,
    Profiles,
    ProfilesLike,
)
from nkpredict.learn._blend import blend_weights, normal_scores
from nkpredict.learn._core import BlendCore
from nkpredict.learn._gene_model import GeneModel
from nkpredict.learn._harmonised import HarmonisedProfiles
from nkpredict.learn._inner_folds import InnerFolds
from nkpredict.learn._intervals import HeldOutIntervals
from nkpredict.learn._novelty import ProfileNovelty
from nkpredict.learn._response_range import ResponseRange
from nkpredict.learn._training_data import TrainingData
from nkpredict.learn.learners import (
    Evidence,
    GeneLearner,
    NoSplitWarning,
    combined,
    default_learners,
)
from nkpredict.threads import one_thread
from nkpredict.types import FloatArray, IndexArray

CHANCE_LEVEL = 0.05
"""One-sided p-value of the out-of-fold rank correlation above which skill is taken for chance; the
usual level, set by hand."""


class ChanceSkillWarning(UserWarning):
    """The model predicts unseen samples no better than chance."""


@contextmanager
def fit_warnings_ignored() -> Iterator[None]:
    """Fit without warnings of chance skill or of no split, where what follows tells it better."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ChanceSkillWarning)
        warnings.simplefilter("ignore", NoSplitWarning)
        yield


class NKSusceptibilityModel(RegressorMixin, GeneModel):
    """Predict NK susceptibility from expression, with screens as a prior.

    Profiles are harmonised one by one to the training distribution, and the response is replaced
    by normal scores of its ranks. A ridge adapted to response and evidence is fitted; other
    learners that are named are blended with it by weights learned from out-of-fold predictions.
    Genes are matched by name; a gene missing from a new profile counts as average.

    Parameters
    ----------
    evidence
        `GeneEvidence`, `ScreenTable` or None.
    random_state
        Seed of folds and of row and column samples.
    learners
        Unfitted learners to blend, at most one of each kind; evidence and seed are set by the
        model. None takes `EvidenceRidge` with its defaults; no other learner paid beside it, see
        docs/decisions/028.
    folds
        Inner folds that give blend weights, intervals and skill.
    within_groups
        Whether to learn what is left of the response when each group's (lineage's, study's) own
        shrunken mean is taken out. Predictions then compare samples of one group; add the group's
        entry of ``offsets_`` to compare groups. Use it where groups differ by measurement; it
        predicted drug responses worse, see docs/decisions/009.
    modules
        Gene sets whose scores the learners see beside the genes: a GMT file, a mapping of set name
        to gene names, or ``"nk"`` for the shipped modules of genes relevant to killing by NK
        cells; see `nkpredict.features.read_gene_sets`. The scores are learned inside each fold,
        and what a module adds to a prediction is passed on to its genes. They changed predictions
        of drug responses little, see docs/decisions/010.
    precision
        Weight of each sample by its name, for every fit that is given no weights of its own: how
        precisely its response was measured, see docs/decisions/033. It is not stored with a model.

    Attributes
    ----------
    feature_names_in_ : numpy.ndarray
        Genes in sorted order.
    weights_ : numpy.ndarray
        Blend weights of the learners, summing to 1.
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
        learners: Sequence[GeneLearner] | None = None,
        folds: int = 5,
        within_groups: bool = False,
        modules: GeneSets | None = None,
        precision: pd.Series | None = None,
    ) -> None:
        self.evidence = evidence
        self.random_state = random_state
        self.learners = learners
        self.folds = folds
        self.within_groups = within_groups
        self.modules = modules
        self.precision = precision

    @property
    def modules_(self) -> dict[str, tuple[str, ...]] | None:
        """Gene sets in use, name → genes as named in the training data; None without modules."""
        modules = self.core_.modules
        return None if modules is None else modules.gene_sets

    @one_thread()
    def fit(self, X: ProfilesLike, y: Any, groups: Any = None, sample_weight: Any = None) -> Self:
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
            all, names and shapes differ, the gene sets are malformed or of other genes, or what was
            given as learners are none or two of one kind.

        Warns
        -----
        ChanceSkillWarning
            When unseen samples are predicted no better than chance.
        """
        inner = self.inner_folds(X, y, groups, sample_weight, keep=False)
        data = inner.data
        held_out = np.zeros((len(data.target), len(self._learners_by_name())))
        for test, predicted in self.cross_predict(inner):
            held_out[test] = predicted
        self.weights_ = self.blend(held_out, data.response)
        self.offsets_ = data.offsets
        self.evidence_ = combined(self.evidence)
        learners = self._unfitted_learners(data)
        self.core_ = BlendCore(ProfileHarmoniser(), learners, data.modules).fit(data)
        self.feature_names_in_ = data.genes
        self.n_features_in_ = len(data.genes)
        harmonised = self.core_.harmonise(data.profiles)
        self.effect_ = self.core_.effect(harmonised, self.weights_)
        self.range_ = self.core_.ends(harmonised)
        self.response_range_ = ResponseRange.of(data.response)
        predicted = self.response_range_.bent(held_out @ self.weights_)
        self._judge(data.samples, data.response, predicted)
        self.platforms_ = PlatformBridge.of(data.genes, data.profiles)
        self.novelty_ = ProfileNovelty(random_state=self.random_state).fit(
            Profiles.unnamed(harmonised)
        )
        self.novelty_.remember(Profiles.unnamed(self.core_.standardise(harmonised)))
        return self

    def inner_folds(
        self,
        X: ProfilesLike,
        y: Any,
        groups: Any = None,
        sample_weight: Any = None,
        keep: bool = True,
    ) -> InnerFolds:
        """Prepare the inner folds of training samples.

        They depend on the data, and on the model's seed, folds, evidence, gene sets and
        `within_groups`; models that differ in their learners alone share them.

        Parameters
        ----------
        X, y, groups, sample_weight
            As in `fit`.
        keep
            Whether harmonised profiles are kept for further models; they need memory.
        """
        self._check_learners()
        if sample_weight is None and self.precision is not None:
            X = Profiles.of(X)
            sample_weight = self.precision.reindex(X.samples)
        data = TrainingData.of(
            X,
            y,
            groups,
            sample_weight,
            evidence=self.evidence,
            gene_sets=self.modules,
            within_groups=self.within_groups,
        )
        return InnerFolds(data, self.folds, self.random_state, keep)

    def cross_predict(self, inner: InnerFolds) -> Iterator[tuple[IndexArray, FloatArray]]:
        """Predict each inner fold by learners fitted on the others, without the final fit.

        Parameters
        ----------
        inner
            See `inner_folds`.

        Yields
        ------
        test : numpy.ndarray
            Positions of the samples of the fold.
        predicted : numpy.ndarray
            Fold samples × learners.
        """
        yield from inner.predict(self._unfitted_learners(inner.data))

    def blend(self, held_out: FloatArray, response: FloatArray) -> FloatArray:
        """Weights of the learners from their out-of-fold predictions, samples × learners."""
        prior = [learner.prior_weight for learner in self._learners_by_name().values()]
        return blend_weights(held_out, normal_scores(response), prior)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters; ``ridge__powers`` and the like are those of the learners."""
        params: dict[str, Any] = super().get_params(deep=False)
        named = self.learners is None or isinstance(self.learners, list | tuple)
        if deep and named:
            for name, learner in self._learners_by_name().items():
                params |= {f"{name}__{key}": value for key, value in learner.get_params().items()}
        return params

    def set_params(self, **params: Any) -> Self:
        """Set parameters, those of learners as ``ridge__powers``."""
        of_model = {key: value for key, value in params.items() if "__" not in key}
        super().set_params(**of_model)
        of_learners = {key: value for key, value in params.items() if key not in of_model}
        if of_learners:
            learners = self._learners_by_name()
            for key, value in of_learners.items():
                name, _, setting = key.partition("__")
                if name not in learners:
                    raise ValueError(
                        f"The model has no learner {name!r}; it has {', '.join(learners)}."
                    )
                learners[name].set_params(**{setting: value})
            self.learners = list(learners.values())
        return self

    def _check_learners(self) -> None:
        given = default_learners() if self.learners is None else list(self.learners)
        names = [one.name if isinstance(one, GeneLearner) else type(one).__name__ for one in given]
        wrong = [type(one).__name__ for one in given if not isinstance(one, GeneLearner)]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if wrong or repeated or not given:
            raise InputError(
                f"The model was given the learners {name_some(names) or 'none'}; expected one "
                "GeneLearner or more, each kind once, such as EvidenceRidge()."
            )

    def _learners_by_name(self) -> dict[str, GeneLearner]:
        given = default_learners() if self.learners is None else self.learners
        return {learner.name: learner for learner in given if isinstance(learner, GeneLearner)}

    def _unfitted_learners(self, data: TrainingData) -> dict[str, GeneLearner]:
        common = {
            "evidence": data.evidence,
            "other_units": data.other_units,
            "random_state": self.random_state,
        }
        learners = {}
        for name, given in self._learners_by_name().items():
            learner = clone(given)
            shared = learner.get_params(deep=False).keys() & common.keys()
            learners[name] = learner.set_params(**{key: common[key] for key in shared})
        return learners

    def _interval(self, prepared: HarmonisedProfiles, coverage: float) -> FloatArray:
        observed, predicted = self.held_out_[["observed", "predicted"]].to_numpy().T
        known = HeldOutIntervals(observed, predicted)
        # a missing gene counts as average: what it would have added is spread around nothing
        unknown = (1 - self.weight_coverage(prepared)) * np.std(predicted)
        return known.ends(self.predict(prepared), unknown, coverage)

    def _judge(self, samples: pd.Index, target: FloatArray, predicted: FloatArray) -> None:
        self.held_out_ = pd.DataFrame({"observed": target, "predicted": predicted}, index=samples)
        self.reference_ = predicted
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
