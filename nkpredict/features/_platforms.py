"""Which platform a profile is from, told from the profile itself, and profiles brought to another.

Platforms read the same gene at other levels, and that is no biology. What they read is a shipped
table: levels of genes on each platform beside the levels that the same lines, or lines of the same
diseases, have on arrays. See docs/decisions/020.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri

from nkpredict.features._harmonise import RankedProfiles
from nkpredict.features._row_blocks import row_blocks
from nkpredict.features._sparse import SparseProfiles, SparseRanks
from nkpredict.shipped import shipped_path
from nkpredict.types import AnyArray, BoolArray, FloatArray, IndexArray, LabelArray
from nkpredict.vocabulary import Platform

# Set by hand; docs/decisions/020 tells what was measured.
_MARKERS = 200  # genes that tell two platforms apart
_FEWEST_MARKERS = 20
_LEAST_LIKENESS = 0.5  # correlation with the levels of its platform, below which it is of none
_LEAST_VARIANCE = 0.1  # added to that of two platforms when markers are chosen
_SMOOTHING = 0.02  # added to variances, so that silent genes are not stretched
_MAIN_SHARE = 0.5  # of the training profiles that must be of one platform
_NATIVE_SHARE = 0.05  # of the training profiles from which a platform is the model's own
_PARTS = ("level", "spread", "array_level", "array_spread", "agreement")
_NONE = -1
_TOLD_AT_ONCE = 256  # profiles


class _Markers(NamedTuple):
    """Genes that tell a platform from another; ``middle`` lies half way between their levels."""

    first: int
    second: int
    genes: IndexArray
    middle: FloatArray
    difference: FloatArray

    def narrow(
        self, margins: FloatArray, side: FloatArray, enough: BoolArray, whole: FloatArray
    ) -> None:
        """Keep by how much each platform wins at least, profiles × platforms, beside this other.

        ``side`` sums the markers and is ``whole`` for a profile of the second platform, minus that
        for one of the first; ``enough`` says whether enough markers were measured.
        """
        side = np.where(enough & (whole > 0), side / np.maximum(whole, 1e-12), -np.inf)
        margins[:, self.second] = np.minimum(margins[:, self.second], side)
        other = np.where(enough, -side, side)
        margins[:, self.first] = np.minimum(margins[:, self.first], other)


@dataclass(frozen=True, eq=False)
class PlatformBridge:
    """Levels of a model's genes on known platforms, and which of these the model learned from.

    Levels are normal scores of ranks within a profile. Everything is asked of one profile at a
    time, so a profile alone is treated as in company.

    Attributes
    ----------
    platforms : numpy.ndarray
        Names, as `nkpredict.vocabulary.Platform` has them.
    levels : dict
        ``level, spread`` (on the platform), ``array_level, array_spread`` (the same lines, or lines
        of the same diseases, on arrays) and ``agreement`` (correlation over the same lines; NaN
        where none was measured twice): each platforms × genes, NaN where a platform lacks a gene.
    counts : numpy.ndarray
        Training profiles of each platform, and behind them those of no known one.
    """

    platforms: npt.NDArray[np.str_]
    levels: Mapping[str, AnyArray]
    counts: IndexArray
    _markers: tuple[_Markers, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Choose the genes that tell platforms apart."""
        pairs = [
            self._markers_of(first, second)
            for second in range(len(self.platforms))
            for first in range(second)
        ]
        told = tuple(pair for pair in pairs if len(pair.genes) >= _FEWEST_MARKERS)
        object.__setattr__(self, "_markers", told)

    @classmethod
    def of(
        cls,
        genes: LabelArray | pd.Index,
        training: RankedProfiles,
        known: pd.DataFrame | None = None,
    ) -> Self:
        """Take the levels of a model's genes from the shipped table, and look at its profiles.

        Parameters
        ----------
        genes
            Genes of the model.
        training
            Profiles it is made from, in the order of the genes.
        known
            Another table of levels than the shipped one, with its columns.
        """
        table = _shipped_levels() if known is None else known
        platforms = np.array([str(one) for one in Platform if one is not Platform.UNKNOWN])
        by_gene = table.set_index("gene")
        own = [
            by_gene.loc[by_gene["platform"] == name, list(_PARTS)].reindex(pd.Index(genes))
            for name in platforms
        ]
        levels = {part: np.array([one[part] for one in own], dtype=np.float32) for part in _PARTS}
        bridge = cls(platforms, levels, np.zeros(len(platforms) + 1, dtype=np.intp))
        found = bridge.tell(training)
        return replace(
            bridge, counts=np.bincount(found % (len(platforms) + 1), minlength=len(platforms) + 1)
        )

    @property
    def home(self) -> Platform:
        """The platform of most training profiles; unknown when they are of none or of several."""
        most = int(self.counts[:-1].argmax()) if len(self.counts) > 1 else 0
        if self.counts[most] <= _MAIN_SHARE * self.counts.sum():
            return Platform.UNKNOWN
        return Platform(str(self.platforms[most]))

    @property
    def native(self) -> tuple[Platform, ...]:
        """The platforms that the model learned from."""
        enough = self.counts[:-1] > _NATIVE_SHARE * self.counts.sum()
        return tuple(Platform(str(name)) for name in self.platforms[enough])

    def tell(self, ranked: RankedProfiles) -> IndexArray:
        """Return the number of the platform of each profile, -1 for none that is known.

        The platform is the one that wins by most over every other; the profile must have the levels
        of that platform, too.
        """
        blocks = row_blocks(len(ranked.values), _TOLD_AT_ONCE)
        return np.concatenate([self._told(ranked[rows]) for rows in blocks])

    def _told(self, ranked: RankedProfiles) -> IndexArray:
        scores = _normal_scores(ranked)
        margins = np.full((len(scores), len(self.platforms)), np.inf)
        for pair in self._markers:
            own = np.take(scores, pair.genes, axis=1)
            present = ~np.isnan(own)
            side = np.where(present, (own - pair.middle) * pair.difference, 0.0).sum(axis=1)
            enough = present.sum(axis=1) >= _FEWEST_MARKERS
            whole = np.where(present, pair.difference**2 / 2, 0.0).sum(axis=1)
            pair.narrow(margins, side, enough, whole)
        found, compared = _widest(margins)
        like = np.array(
            [
                _correlation(own, self.levels["level"][one])
                for own, one in zip(scores, found, strict=True)
            ]
        )
        return np.where(compared & (like >= _LEAST_LIKENESS), found, _NONE)

    def tell_cells(self, ranks: SparseRanks) -> IndexArray:
        """Return what `tell` says of the dense profiles of cells, from what lies above zero.

        All that is asked of a profile are sums over genes, to which the zeros of a cell, which
        share one score, add their number times that.
        """
        present = ranks.present
        scores = SparseProfiles.looked_up(ranks, _score_of_rank(int(present.sum())))
        margins = np.full((len(ranks), len(self.platforms)), np.inf)
        weights = np.zeros((len(present), len(self._markers)))
        for number, pair in enumerate(self._markers):
            weights[pair.genes, number] = np.where(present[pair.genes], pair.difference, 0.0)
        sides = scores.weighted_sums(weights)
        for number, pair in enumerate(self._markers):
            measured = present[pair.genes]
            difference = pair.difference[measured]
            side = sides[:, number] - (pair.middle[measured] * difference).sum()
            enough = np.full(len(ranks), measured.sum() >= _FEWEST_MARKERS)
            pair.narrow(margins, side, enough, np.full(len(ranks), (difference**2 / 2).sum()))
        found, compared = _widest(margins)
        like = self._likeness(scores)[np.arange(len(ranks)), found]
        return np.where(compared & (like >= _LEAST_LIKENESS), found, _NONE)

    def _likeness(self, scores: SparseProfiles) -> FloatArray:
        """Correlation of each cell with the levels of each platform, cells × platforms."""
        level = self.levels["level"].astype(np.float64)
        both = scores.present & ~np.isnan(level)
        count = both.sum(axis=1)
        many = np.maximum(count, 1)
        level = np.where(both, level, 0.0)
        level = np.where(both, level - (level.sum(axis=1) / many)[:, None], 0.0)
        spread = (level**2).sum(axis=1)
        counted = both.T.astype(np.float64)
        # the scores less that of the zeros vary and go with the levels as the scores do
        sums, product = np.split(
            scores.above_background(np.hstack([counted, level.T])), [len(level)], axis=1
        )
        own = scores.squares_above_background(counted) - sums**2 / many
        size = np.sqrt(np.maximum(own, 0.0) * spread)
        known = (size > 0) & (count >= _FEWEST_MARKERS)
        return np.asarray(np.divide(product, size, out=np.zeros(size.shape), where=known))

    def names(self, found: IndexArray) -> npt.NDArray[np.str_]:
        """Return the names of platforms by the numbers that `tell` gave."""
        return np.append(self.platforms, str(Platform.UNKNOWN))[found]

    def foreign(self, found: IndexArray) -> BoolArray:
        """Whether each profile was measured by what the model never saw.

        False throughout when the platform of the model is not known.
        """
        if self.home is Platform.UNKNOWN:
            return np.zeros(len(found), dtype=bool)
        known = {platform.technology for platform in self.native}
        return np.array([Platform(name).technology not in known for name in self.names(found)])

    @property
    def moves(self) -> BoolArray:
        """Whether `matched` moves profiles of each platform."""
        ways = [self._way(number) is not None for number in range(len(self.platforms))]
        return np.array(ways, dtype=bool)

    def bridged(self, found: IndexArray) -> BoolArray:
        """Whether `matched` moves each profile."""
        return np.append(self.moves, False)[found]

    def matched(self, ranked: RankedProfiles, found: IndexArray) -> RankedProfiles:
        """Rank profiles as they would rank on the model's platform, for predictions.

        Only between technologies that measured the same lines; all others stay as they are. Levels
        move and spreads are kept.
        """
        moved = ranked
        for number in np.unique(found[found >= 0]):
            way = self._way(int(number))
            if way is not None:
                rows = np.flatnonzero(found == number)
                moved = self._moved(moved, ranked, rows, int(number), way, shrunk=False)
        return moved

    def judged(self, ranked: RankedProfiles, found: IndexArray) -> RankedProfiles:
        """Rank profiles as lines of their diseases would on the model's platform, for novelty.

        What sets all patients apart from lines is taken off too, and a gene spreads the less the
        less platforms agree on it; profiles of the model's own platforms and of none that is known
        stay as they are.
        """
        moved, home = ranked, self.home
        if home is Platform.UNKNOWN:
            return ranked
        to = int(np.flatnonzero(self.platforms == home)[0])
        for number in np.unique(found[found >= 0]):
            if Platform(str(self.platforms[number])) not in self.native:
                rows = np.flatnonzero(found == number)
                way = (int(number), to)
                moved = self._moved(moved, ranked, rows, int(number), way, shrunk=True)
        return moved

    def arrays(self) -> dict[str, AnyArray]:
        """Return the parts as arrays by name."""
        return {"platforms": self.platforms, "counts": self.counts, **self.levels}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray], features: int) -> Self:
        """Put the parts together again.

        Raises
        ------
        KeyError, ValueError
            When a part is missing or has another shape.
        """
        platforms = np.array([str(Platform(str(name))) for name in arrays["platforms"]])
        levels = {part: arrays[part] for part in _PARTS}
        for part, values in levels.items():
            if values.shape != (len(platforms), features):
                raise ValueError(f"platforms.{part} has shape {values.shape} for {features} genes")
        return cls(platforms, levels, arrays["counts"])

    def _way(self, number: int) -> tuple[int, int] | None:
        """Return from and to which platforms profiles of a foreign technology are moved."""
        platform, home = Platform(str(self.platforms[number])), self.home
        if home is Platform.UNKNOWN or platform.technology in {p.technology for p in self.native}:
            return None
        start, end = (self._measured_twice(one.technology) for one in (platform, home))
        return None if start is None or end is None else (start, end)

    def _measured_twice(self, technology: str) -> int | None:
        for number, name in enumerate(self.platforms):
            same = Platform(str(name)).technology == technology
            if same and not np.isnan(self.levels["agreement"][number]).all():
                return number
        return None

    def _moved(
        self,
        moved: RankedProfiles,
        ranked: RankedProfiles,
        rows: IndexArray,
        number: int,
        way: tuple[int, int],
        shrunk: bool,
    ) -> RankedProfiles:
        """Rank some profiles, of one platform, as they would rank at the end of the way."""
        level, spread = self.levels["level"][number], self.levels["spread"][number]
        scores = _normal_scores(ranked[rows])
        scaled = np.array([_scaled(own, level, spread) for own in scores])
        start, end = way
        into, out = self._slope(start, shrunk=shrunk), self._slope(end, out=True, shrunk=shrunk)
        here, there = self.levels["level"][start], self.levels["array_level"][start]
        on_arrays = there + (scaled - here) * into
        here, there = self.levels["level"][end], self.levels["array_level"][end]
        arrived = here + (on_arrays - there) * out
        unknown = np.isnan(arrived)
        ranks = moved.doubled_ranks.copy()
        ranks[rows] = RankedProfiles.of(np.where(unknown, scaled, arrived)).doubled_ranks
        return replace(moved, doubled_ranks=ranks)

    def _slope(self, number: int, out: bool = False, shrunk: bool = True) -> FloatArray:
        """Spread on arrays per spread on the platform, or the other way ``out`` of arrays.

        Where lines were measured twice a ``shrunk`` spread is that times the root of their
        agreement: half way to the regression, which would make every profile an average one. A
        spread is never stretched where none was measured twice.
        """
        own = self.levels["spread"][number] ** 2 + _SMOOTHING
        ratio = np.sqrt((self.levels["array_spread"][number] ** 2 + _SMOOTHING) / own)
        ratio = 1 / ratio if out else ratio
        agreement = self.levels["agreement"][number]
        twice = np.sqrt(agreement) * ratio if shrunk else ratio
        return np.asarray(np.where(np.isnan(agreement), np.minimum(ratio, 1), twice))

    def _markers_of(self, first: int, second: int) -> _Markers:
        """Choose the genes whose levels differ most for samples of the second platform."""
        level, spread, array = (self.levels[part] for part in ("level", "spread", "array_level"))
        expected = level[first] + (array[second] - array[first]) * self._slope(first, out=True)
        difference = (level[second] - expected).astype(np.float64)
        noise = np.sqrt(spread[first] ** 2 + spread[second] ** 2 + _LEAST_VARIANCE)
        strength = np.nan_to_num(np.abs(difference) / noise)
        chosen = np.argsort(-strength, kind="stable")[: min(_MARKERS, int((strength > 0).sum()))]
        middle = (level[second] + expected)[chosen].astype(np.float64) / 2
        return _Markers(first, second, chosen, middle, difference[chosen])


@cache
def _shipped_levels() -> pd.DataFrame:
    return pd.read_csv(shipped_path("reference", "platform_levels.csv.gz"))


def _widest(margins: FloatArray) -> tuple[IndexArray, BoolArray]:
    """Return the platform that wins by most, and whether any was compared."""
    compared = np.asarray(np.isfinite(margins).any(axis=1))
    found: IndexArray = np.where(np.isfinite(margins), margins, -np.inf).argmax(axis=1)
    return found, compared


def _score_of_rank(genes: int) -> FloatArray:
    """Return the normal score of each doubled rank among some genes; see `RankedProfiles`."""
    return np.asarray(ndtri((np.arange(max(2 * genes - 1, 1)) + 1) / (2 * max(genes, 1))))


def _normal_scores(ranked: RankedProfiles) -> FloatArray:
    """Return the normal score of each gene's rank within its profile, NaN for a missing one."""
    present = ranked.doubled_ranks >= 0
    count = np.maximum(present.sum(axis=1, keepdims=True), 1)
    # twice the rank, less two; a half is taken off the rank so that both ends are finite
    return np.where(present, ndtri((ranked.doubled_ranks + 1) / (2 * count)), np.nan)


def _scaled(scores: FloatArray, level: FloatArray, spread: FloatArray) -> FloatArray:
    """Bring the scores of a profile that holds some of the genes to the scale of the levels."""
    both = ~(np.isnan(scores) | np.isnan(level))
    own, known = scores[both], level[both].astype(np.float64)
    deviation = own.std()
    if not len(own) or deviation == 0:
        return scores
    wanted = np.sqrt(known.var() + (spread[both].astype(np.float64) ** 2).mean())
    return np.asarray(known.mean() + (scores - own.mean()) * (wanted / deviation))


def _correlation(scores: FloatArray, level: FloatArray) -> float:
    both = ~(np.isnan(scores) | np.isnan(level))
    own, known = scores[both], level[both].astype(np.float64)
    if len(own) < _FEWEST_MARKERS or own.std() == 0 or known.std() == 0:
        return 0.0
    return float(np.corrcoef(own, known)[0, 1])
