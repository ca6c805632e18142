"""What is known about a model that was calibrated to lines of a laboratory."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

from nkpredict.facts._json import Facts
from nkpredict.facts._read import ExpressionFacts, PanelFacts, ResponseFacts


@dataclass(frozen=True, kw_only=True, slots=True)
class CalibrationGainFacts(Facts):
    """What own lines say about a model, and what they bought; in the unit of their response.

    Attributes
    ----------
    lines, lines_held_out, lines_seen
        Own lines; how many of them are training samples of the model that count with the prediction
        made while they were held out, and how many without such a prediction.
    same_unit
        Whether the model's training response has the unit of the lines'.
    level_shift
        Mean of the measured minus the uncalibrated prediction; NaN in another unit.
    slope
        Change of the laboratory's response per unit of the model's prediction.
    falling
        Probability that the response falls where the prediction rises.
    spearman
        Rank correlation of the lines' response with the model's prediction.
    error_calibrated, error_own_mean, error_uncalibrated
        Root mean square error on each line, left out in turn: of the calibrated model, of the mean
        of the other lines, and of the model as it was (NaN in another unit).
    width_own_mean, width_before, width_after
        Mean width of the 90 % interval of a new sample in this laboratory: when the mean of the
        lines stands for every sample, by the model before the lines were seen (NaN in another
        unit), and after.
    """

    lines: int
    lines_held_out: int = 0
    lines_seen: int = 0
    same_unit: bool
    level_shift: float = nan
    slope: float
    falling: float
    spearman: float
    error_calibrated: float
    error_own_mean: float
    error_uncalibrated: float = nan
    width_own_mean: float
    width_before: float = nan
    width_after: float

    def sentences(self) -> tuple[str, ...]:
        """Say it in words."""
        better = 1 - self.error_calibrated / self.error_own_mean
        before = f", {self.width_before:.3g} before the lines were seen" if self.same_unit else ""
        uncalibrated = (
            f"the model as it was has {self.error_uncalibrated:.3g}"
            if self.same_unit
            else "the model as it was speaks another unit"
        )
        said = [
            f"{self.lines} own lines: Spearman {self.spearman:.2f} with the model's prediction; "
            f"the response rises by {self.slope:.3g} per unit of it (probability that it falls: "
            f"{self.falling:.3f}).",
            f"Each line left out in turn: error {self.error_calibrated:.3g}, {better:.0%} below "
            f"that of the mean of the other lines ({self.error_own_mean:.3g}); {uncalibrated}.",
            f"Width of a 90 % interval in this laboratory: {self.width_after:.3g}{before}; "
            f"{self.width_own_mean:.3g} if the mean of the lines stood for every sample.",
        ]
        if self.same_unit:
            said.insert(1, f"The laboratory's level differs by {self.level_shift:+.3g}.")
        if self.lines_held_out:
            said.append(
                f"{self.lines_held_out} of the lines are training samples of the model and count "
                "with the prediction made while they were held out."
            )
        if self.lines_seen:
            said.append(
                f"{self.lines_seen} of the lines are training samples of the model without a "
                "held-out prediction: it fits them better than new ones."
            )
        return tuple(said)


@dataclass(frozen=True, kw_only=True, slots=True)
class CalibrationFacts(Facts):
    """From which model and which own lines a calibrated model was made.

    ``model``, ``version`` and ``sha256`` are of the bundle that was calibrated; ``lines`` names the
    own lines, ``lines_outside`` counts those outside the domain of the model; ``expression``,
    ``response`` and ``panel`` say how they were read.
    """

    model: str | None = None
    version: int | None = None
    sha256: str | None = None
    lines: tuple[str, ...] = ()
    lines_outside: int = 0
    gain: CalibrationGainFacts
    expression: ExpressionFacts | None = None
    response: ResponseFacts | None = None
    panel: PanelFacts | None = None
    curve_left_out: bool = False

    @property
    def reference(self) -> str:
        """The model that was calibrated, as ``NAME/version``."""
        return f"{self.model or 'a model'}{'' if self.version is None else f'/{self.version}'}"
