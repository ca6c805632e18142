"""What a model learns from: the files, what was found in them, and sentences that tell it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nkpredict.configuration import InputFiles
from nkpredict.errors import InputError
from nkpredict.features import NK_MODULES, ModuleScores, read_gene_sets
from nkpredict.io import file_sha256, read_panel

if TYPE_CHECKING:
    from anndata import AnnData

    from nkpredict.evidence import GeneEvidence

# Counts of the expression reader → what happened to so many genes.
_GENE_COUNTS = {
    "genes_renamed": "renamed to approved symbols",
    "gene_names_ambiguous": "with an ambiguous old name",
    "gene_names_unknown": "with an unknown name",
    "genes_restored_from_dates": "restored from spreadsheet dates",
    "genes_merged": "merged",
    "genes_superseded_dropped": "dropped, as their new name is there too",
    "genes_without_symbol_dropped": "dropped without a symbol",
}


@dataclass(frozen=True)
class TrainingInputs:
    """What was read.

    Attributes
    ----------
    panel
        Profiles and response of the same samples.
    evidence
        Screens combined, None without any.
    modules
        Gene sets matched to the genes of the panel, None without any.
    provenance
        Files and decisions: ``expression``, ``response``, ``panel``, ``genetics``, ``screens`` and
        ``gene_sets``, the last three only when given.
    """

    panel: AnnData
    evidence: GeneEvidence | None
    modules: ModuleScores | None
    provenance: dict[str, Any]

    @property
    def simulated(self) -> bool:
        """Whether any of the data are simulated."""
        screens = self.evidence is not None and self.evidence.simulated
        return bool(self.panel.uns["nkpredict"]["simulated"] or screens)

    def sentences(self) -> list[str]:
        """Say what was found, one sentence a source."""
        found, panel = self.provenance, self.provenance["panel"]
        profiles, response = found["expression"], found["response"]
        counts = [f"{profiles[k]:,} {words}" for k, words in _GENE_COUNTS.items() if profiles[k]]
        lineages = ", ".join(f"{name} {count}" for name, count in panel["lineages"].items())
        said = [
            f"{'SIMULATED data. ' if self.simulated else ''}Read {profiles['samples']} profiles of "
            f"{profiles['genes']:,} genes ({profiles['orientation']}, {profiles['identifiers']}, "
            f"{profiles['unit_words']}){': ' if counts else ''}{', '.join(counts)}.",
            f"Susceptibility is {response['susceptibility']} ({response['format']}); "
            f"{panel['samples']} samples have it and a profile"
            f"{f' ({lineages})' if lineages else ''}.",
        ]
        if "genetics" in found:
            genetics = found["genetics"]
            said.append(
                f"Genetics: {genetics['features']:,} features of "
                f"{genetics['samples_with_genetics']} profiles; "
                f"{genetics['samples_without_genetics']} have none."
            )
        if "screens" in found:
            screens = found["screens"]
            said.append(
                f"Screens: {len(screens['screens'])}; {screens['genes_with_evidence']:,} genes "
                "carry evidence."
            )
        if "gene_sets" in found:
            sets = found["gene_sets"]
            said.append(
                f"Gene sets: {sets['used']} with {sets['genes_used']:,} of the "
                f"{sets['genes_named']:,} genes they name"
                f"{f'; {len(out)} left out' if (out := sets['left_out']) else ''}."
            )
        return said


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
    )
    known = panel.uns["nkpredict"]
    provenance = {
        k: known[k] for k in ("panel", "expression", "response", "genetics") if k in known
    }
    evidence = _read_evidence(files)
    if evidence is not None:
        provenance["screens"] = evidence.provenance
    modules = None
    if files.gene_sets is not None:
        modules = ModuleScores(read_gene_sets(files.gene_sets), panel.var_names)
        provenance["gene_sets"] = {"source": _source(files.gene_sets), **modules.provenance}
    return TrainingInputs(panel, evidence, modules, provenance)


def _read_evidence(files: InputFiles) -> GeneEvidence | None:
    if not files.screens:
        for described in (files.screen_meta, files.sample_sheet):
            if described is not None:
                raise InputError(
                    f"{described} describes screens, and no screen was given; name one with "
                    "--screens."
                )
        return None
    from nkpredict.evidence import combine_screens, read_screens

    screens = read_screens(
        *files.screens, metadata=files.screen_meta, sample_sheet=files.sample_sheet
    )
    return combine_screens(screens)


def _source(gene_sets: str | Path) -> str:
    if str(gene_sets) == NK_MODULES:
        return NK_MODULES
    return file_digest(Path(gene_sets))


def file_digest(path: Path) -> str:
    """Return the name of a file with the beginning of its hash; the name when it is no file."""
    return f"{path.name} {file_sha256(path)[:16]}" if path.is_file() else path.name
