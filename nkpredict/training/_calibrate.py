"""Calibrate a model to a laboratory: read own lines, fit the line, keep and register the model."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from importlib.metadata import version
from math import isfinite, nan
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from nkpredict.configuration import Direction
from nkpredict.errors import InputError, name_some
from nkpredict.evidence import effector_named
from nkpredict.facts import CalibrationFacts, ModelFacts, ResponseFacts
from nkpredict.io import (
    ReadingOptions,
    facts_of,
    read_panel,
    read_profiles,
    write_csv,
    write_json,
)
from nkpredict.learn import CalibratedModel, GeneModel, ScreenPrior, require_readable
from nkpredict.registry import Bundle, Registry, RunRecord, check_model_name, save_bundle

if TYPE_CHECKING:
    from anndata import AnnData

_NOT_KNOWN = ResponseFacts().unit


@dataclass(frozen=True, repr=False, kw_only=True)
class Calibration:
    """A model that was calibrated to a laboratory.

    Attributes
    ----------
    bundle : Bundle
        The calibrated model.
    facts : CalibrationFacts
        From which model and lines it was made, and what the lines bought.
    lines : pandas.DataFrame
        One row an own line: ``measured`` response, ``uncalibrated`` prediction of the model, and
        the ``left_out`` prediction, by a calibration that had not seen the line.
    registered : str
        ``NAME/version``.
    """

    bundle: Bundle
    facts: CalibrationFacts
    lines: pd.DataFrame
    registered: str

    def sentences(self) -> tuple[str, ...]:
        """Say in words what was made from what, and what the lines bought."""
        facts = self.facts
        unit = _NOT_KNOWN if facts.response is None else facts.response.unit
        mark = "SIMULATED data. " if self.bundle.simulated else ""
        said = [
            f"{mark}Calibrated {facts.reference} to {unit}; no gene was fitted again.",
            *facts.gain.sentences(),
        ]
        if facts.lines_outside:
            said.append(
                f"{facts.lines_outside} of {facts.gain.lines} own lines lie outside the domain of "
                "the model, as profiles from another platform do: score samples of the platform "
                "of the lines."
            )
        if facts.curve_left_out:
            said.append(
                "The killing curve of the model was left out: it has the level of its own "
                "laboratory."
            )
        return tuple(said)

    def __repr__(self) -> str:
        """Say what was made and what it bought."""
        return "\n  ".join([f"Calibration {self.registered}", *self.sentences()])


def calibrate(
    model: str | Path | Bundle,
    own: str | Path | pd.DataFrame | AnnData,
    response: str | Path | pd.Series | None = None,
    *,
    name: str,
    target: str | None = None,
    direction: Direction | None = None,
    effector: str | None = None,
    genetics: str | Path | None = None,
    drop_unmatched: bool = False,
    registry: str | Path | Registry | None = None,
) -> Calibration:
    """Shift and stretch a model to the response that a laboratory measured in own lines.

    Parameters
    ----------
    model
        ``NAME@alias``, ``NAME/version``, path of a bundle, `screen-prior` or `Bundle`.
    own
        Expression of five to twenty own lines: file, DataFrame or AnnData; see `read_expression`.
    response
        What was measured in them: a file that `read_response` reads, or a Series by line (higher =
        killed more easily). Without it the response is the column ``target`` of ``own``.
    name
        Name to register the calibrated model under.
    target, direction
        Response column of a table, and what its values mean; see `read_response`.
    effector
        NK cells of the laboratory, for a model of published knowledge.
    genetics
        File of mutations, copy numbers or subtypes, for models that were trained with them.
    drop_unmatched
        Leave out lines that have a response but no expression.
    registry
        Where the model is looked up and the calibrated one registered.

    Returns
    -------
    Calibration

    Raises
    ------
    InputError
        When files are wrong, lines hold too little of the model, there are fewer than 5, or they
        contradict the model; see `nkpredict.CalibratedModel`.
    RegistryError, BundleError
        When the model is not found or damaged.
    """
    check_model_name(name)
    store = registry if isinstance(registry, Registry) else Registry(registry)
    base = model if isinstance(model, Bundle) else store.load(model)
    base = replace(base, model=_for_effector(base, effector))
    if isinstance(own, str | Path):
        panel = _from_files(own, response, target, direction, drop_unmatched, genetics)
        read = facts_of(panel)
    else:
        panel, measured = _from_memory(own, response, base.model, drop_unmatched)
        read = replace(facts_of(panel), response=measured)
    prepared = base.model.prepare(panel)
    require_readable(base.model, prepared, read.expression)
    same_unit = _same_unit(base.metadata.response, read.response)
    fitted = CalibratedModel(base.model, same_unit).fit(prepared, panel.obs["susceptibility"])
    lines = fitted.lines_.set_axis(panel.obs_names.astype(str)).rename_axis("line")
    facts = CalibrationFacts(
        model=base.metadata.name,
        version=base.metadata.registry_version,
        sha256=base.metadata.sha256,
        lines=tuple(lines.index),
        lines_outside=int((fitted.novelty(prepared) > 1).sum()),
        gain=fitted.gain_,
        expression=read.expression,
        response=read.response,
        panel=read.panel,
        curve_left_out=base.curve is not None,
    )
    metadata = replace(
        base.metadata,
        name=name,
        registry_version=None,
        sha256=None,
        simulated=base.simulated or read.simulated,
        knowledge_only=fitted.knowledge_only,
        nkpredict_version=version("nkpredict"),
        # ranks hold, errors were measured in the unit of the model's own laboratory
        performance=base.metadata.performance
        and tuple(replace(row, rmse=nan) for row in base.metadata.performance),
        interval_coverage=None,
        curves=None,
        calibration=facts,
    )
    bundle, number = _registered(fitted, metadata, facts, lines, store)
    return Calibration(bundle=bundle, facts=facts, lines=lines, registered=f"{name}/{number}")


def _for_effector(bundle: Bundle, effector: str | None) -> GeneModel:
    if isinstance(bundle.model, CalibratedModel):
        made_from = bundle.metadata.calibration
        raise InputError(
            f"{bundle.metadata.name or 'The model'} is calibrated already; name the model that it "
            f"was made from ({'in memory' if made_from is None else made_from.reference})."
        )
    if effector is None:
        return bundle.model
    if not isinstance(bundle.model, ScreenPrior):
        raise InputError(
            f"The effector {effector!r} was asked for, but {bundle.metadata.name} was trained on a "
            "response and is about the NK cells of that response; leave the effector out: the own "
            "lines tell how the laboratory's differ."
        )
    return bundle.model.for_effector(effector_named(effector))


def _from_files(
    own: str | Path,
    response: str | Path | pd.Series | None,
    target: str | None,
    direction: Direction | None,
    drop_unmatched: bool,
    genetics: str | Path | None,
) -> AnnData:
    """Return profiles and response of own lines, read as training data are."""
    if isinstance(response, pd.Series):
        raise InputError(
            "The response is a Series and the profiles are a file; give both as files or both in "
            "memory."
        )
    if response is None and target is None:
        raise InputError(
            f"What was measured in the lines of {own} was not said; name the file of the response "
            "(--response), or the column of the table that holds it (--target)."
        )
    return read_panel(
        own,
        own if response is None else response,
        target=target,
        direction=direction,
        drop_unmatched=drop_unmatched,
        genetics=genetics,
    )


def _from_memory(
    own: pd.DataFrame | AnnData,
    response: str | Path | pd.Series | None,
    model: GeneModel,
    drop_unmatched: bool,
) -> tuple[AnnData, ResponseFacts]:
    """Return profiles and response of own lines, matched by name."""
    if not isinstance(response, pd.Series):
        raise InputError(
            "The profiles are in memory; expected the response as a Series by name of the line, "
            "higher = killed more easily."
        )
    known = frozenset(map(str, model.feature_names_in_))
    profiles = read_profiles(own, ReadingOptions(known=known))
    by_name = response.set_axis(response.index.astype(str)).dropna()
    repeated = by_name.index[by_name.index.duplicated()].unique()
    absent = by_name.index[~by_name.index.isin(profiles.obs_names)]
    if len(repeated) or len(absent) == len(by_name) or (len(absent) and not drop_unmatched):
        wrong = repeated if len(repeated) else absent
        raise InputError(
            f"{len(wrong)} of {len(by_name)} lines with a response "
            f"{'stand more than once' if len(repeated) else 'have no profile'} "
            f"({name_some(wrong)}); expected each line once in the response and among the profiles."
        )
    panel = profiles[profiles.obs_names.isin(by_name.index)].copy()
    panel.obs["susceptibility"] = by_name.loc[panel.obs_names].to_numpy(dtype=float)
    unit = _NOT_KNOWN if response.name is None else str(response.name)
    return panel, ResponseFacts(unit=unit, susceptibility=unit, offset=0.0, slope=1.0)


def _same_unit(one: ResponseFacts | None, other: ResponseFacts | None) -> bool:
    """Whether two responses are measured in one unit, as far as it is on record."""
    if one is None or other is None or _NOT_KNOWN in (one.unit, other.unit):
        return False
    return (one.unit, one.susceptibility) == (other.unit, other.susceptibility)


def _registered(
    fitted: CalibratedModel,
    metadata: ModelFacts,
    facts: CalibrationFacts,
    lines: pd.DataFrame,
    store: Registry,
) -> tuple[Bundle, int]:
    """Save the model, register it and return it as it was registered."""
    mark = {"note": "SIMULATED"} if metadata.simulated else {}
    gain = facts.gain.to_json()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        save_bundle(fitted, folder / "bundle", metadata)
        write_csv(folder / "own_lines.csv", lines.assign(**mark))
        write_json(folder / "provenance.json", metadata.to_json())
        number = store.register(
            folder / "bundle",
            str(metadata.name),
            RunRecord(
                parameters={
                    "calibrated_from": facts.reference,
                    "calibrated_from_sha256": facts.sha256,
                    "own_lines": facts.gain.lines,
                    "own_expression_sha256": facts.expression and facts.expression.sha256,
                    "own_response_sha256": facts.response and facts.response.sha256,
                },
                metrics={key: float(value) for key, value in gain.items() if isfinite(value)},
                tags={
                    "simulated": str(metadata.simulated).lower(),
                    "calibrated_from": facts.reference,
                },
                artifacts=[folder / "own_lines.csv", folder / "provenance.json"],
            ),
        )
        return store.load(f"{metadata.name}/{number}"), number
