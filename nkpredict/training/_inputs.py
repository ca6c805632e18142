"""What a model learns from: the files, what was found in them, and sentences that tell it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nkpredict.configuration import InputFiles
from nkpredict.errors import InputError
from nkpredict.facts import (
    CombinationFacts,
    ExpressionFacts,
    GeneSetFacts,
    KnowledgeFacts,
    TrainingFacts,
)
from nkpredict.features import NK_MODULES, ModuleScores, read_gene_sets
from nkpredict.io import facts_of, file_sha256, read_panel

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData

    from nkpredict.evidence import GeneEvidence


@dataclass(frozen=True)
class TrainingInputs:
    """What was read.

    Attributes
    ----------
    panel
        Profiles and response of the same samples.
    evidence
        Screens and, unless it is left out, knowledge as one judgement a gene; None without screens.
    modules
        Gene sets matched to the genes of the panel, None without any.
    provenance
        Files and decisions.
    simulated
        Whether any of the data are simulated.
    """

    panel: AnnData
    evidence: GeneEvidence | None
    modules: ModuleScores | None
    provenance: TrainingFacts
    simulated: bool

    @property
    def precision(self) -> pd.Series | None:
        """Weight of each sample by the precision of its response, None where all count alike."""
        weights: pd.Series | None = self.panel.obs.get("sample_weight")
        return weights

    def sentences(self) -> list[str]:
        """Say what was found, one sentence a source."""
        found, sentences = self.provenance, []
        mark = "SIMULATED data. " if self.simulated else ""
        if (profiles := found.expression) is not None:
            counts = _gene_counts(profiles)
            sentences.append(
                f"{mark}Read {profiles.samples} profiles of {profiles.genes:,} genes "
                f"({profiles.orientation}, {profiles.identifiers}, {profiles.unit_words})"
                f"{': ' if counts else ''}{', '.join(counts)}."
            )
            sentences += profiles.remarks()
            if profiles.unlike_expression:
                sentences.append(
                    "The profiles do not rank the genes within a sample as measured expression "
                    f"does ({profiles.unlike_expression}), as after scaling gene by gene, and the "
                    "model learns from these ranks: give the expression before scaling."
                )
        if (response := found.response) is not None:
            lineages = ", ".join(f"{k} {n}" for k, n in (found.lineages or {}).items())
            sentences.append(
                f"Susceptibility is {response.susceptibility} ({response.format}); "
                f"{found.samples} samples have it and a profile"
                f"{f' ({lineages})' if lineages else ''}."
            )
            if (weights := response.weights) is not None:
                sentences.append(
                    f"Lines count by the precision of their area, {weights.least:.2f} to "
                    f"{weights.most:.2f} (a replicate's standard deviation is "
                    f"{weights.replicate_sd:.3f}; --no-weights counts them alike)."
                )
        if (genetics := found.genetics) is not None:
            sentences.append(
                f"Genetics: {genetics.features:,} features of "
                f"{genetics.samples_with_genetics} profiles; "
                f"{genetics.samples_without_genetics} have none."
            )
        if (screens := found.screens) is not None:
            sentences.append(
                f"Screens: {len(screens.screens)}; {screens.genes_with_evidence:,} genes "
                "carry evidence"
                f"{_without_knowledge(screens)}."
            )
        if (known := found.knowledge) is not None:
            sentences.append(
                f"Knowledge: {known.experiments} functional experiments and {known.hits} published "
                f"hits, read for {known.effector}; with the screens {known.genes_with_evidence:,} "
                f"genes carry evidence, {known.genes_in_conflict} in conflict."
            )
            sentences += [held.sentence() for held in known.chance]
        if (sets := found.gene_sets) is not None:
            sentences.append(
                f"Gene sets: {sets.used} with {sets.genes_used:,} of the "
                f"{sets.genes_named:,} genes they name"
                f"{f'; {len(sets.left_out)} left out' if sets.left_out else ''}."
            )
        return sentences


def _without_knowledge(screens: CombinationFacts) -> str:
    why = screens.knowledge_left_out
    return f"; the knowledge base takes no part, as {why}" if why else ""


def _gene_counts(profiles: ExpressionFacts) -> list[str]:
    counts = (
        (profiles.genes_renamed, "renamed to approved symbols"),
        (profiles.gene_names_ambiguous, "with an ambiguous old name"),
        (profiles.gene_names_unknown, "with an unknown name"),
        (profiles.genes_restored_from_dates, "restored from spreadsheet dates"),
        (profiles.genes_merged, "merged"),
        (profiles.genes_superseded_dropped, "dropped, as their new name is there too"),
        (profiles.genes_without_symbol_dropped, "dropped without a symbol"),
    )
    return [f"{count:,} {what}" for count, what in counts if count]


def read_inputs(files: InputFiles) -> TrainingInputs:
    """Read everything a model learns from.

    Raises
    ------
    InputError
        When a file is wrong, or describes screens that were not given.
    """
    panel = read_panel(
        files.expression,
        files.response,
        target=files.target,
        direction=files.direction,
        replicates=files.replicates,
        obs=files.obs,
        genetics=files.genetics,
        lineage_column=files.lineage_column,
        drop_unmatched=files.drop_unmatched,
        duplicates=files.duplicates,
    )
    evidence = _read_evidence(files)
    modules, gene_sets = None, None
    if files.gene_sets is not None:
        modules = ModuleScores(read_gene_sets(files.gene_sets), panel.var_names)
        gene_sets = GeneSetFacts.from_json(
            {"source": _source(files.gene_sets), **modules.provenance}
        )
    judged = None if evidence is None else evidence.provenance
    combined = judged.screens if isinstance(judged, KnowledgeFacts) else judged
    knowledge = replace(judged, screens=None) if isinstance(judged, KnowledgeFacts) else None
    known = facts_of(panel)
    response = known.response
    if files.no_weights and "sample_weight" in panel.obs:
        del panel.obs["sample_weight"]
        response = None if response is None else replace(response, weights=None)
    lineage = panel.obs.get("lineage")
    provenance = TrainingFacts(
        samples=panel.n_obs,
        genes=panel.n_vars,
        lineages=None if known.panel is None else known.panel.lineages,
        sample_lineage=None if lineage is None else tuple(map(str, lineage)),
        panel=known.panel,
        expression=known.expression,
        response=response,
        genetics=known.genetics,
        screens=combined if isinstance(combined, CombinationFacts) else None,
        knowledge=knowledge,
        gene_sets=gene_sets,
    )
    simulated = known.simulated or (evidence is not None and evidence.simulated)
    return TrainingInputs(panel, evidence, modules, provenance, simulated)


def _read_evidence(files: InputFiles) -> GeneEvidence | None:
    if not files.screens:
        for described in (files.screen_meta, files.sample_sheet):
            if described is not None:
                raise InputError(
                    f"{described} describes screens, and no screen was given; name one with "
                    "--screens."
                )
        if files.effector is not None or files.no_knowledge:
            raise InputError(
                "--effector and --no-knowledge say how screens are judged, and no screen was "
                "given; name one with --screens."
            )
        return None
    from nkpredict.evidence import gene_evidence, read_screens

    screens = read_screens(
        *files.screens, metadata=files.screen_meta, sample_sheet=files.sample_sheet
    )
    return gene_evidence(screens, effector=files.effector, knowledge=not files.no_knowledge)


def _source(gene_sets: str | Path) -> str:
    if str(gene_sets) == NK_MODULES:
        return NK_MODULES
    return file_digest(Path(gene_sets))


def file_digest(path: Path) -> str:
    """Return the name of a file with the beginning of its hash; the name when it is no file."""
    return f"{path.name} {file_sha256(path)[:16]}" if path.is_file() else path.name
