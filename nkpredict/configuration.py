"""What a run can be asked for; name, type, default and words of each setting are written here only.

The command line makes its options from these classes, and YAML files are read into them. They lie
on the ground floor and import nothing but the errors, as ``nkpredict --help`` must not wait for the
libraries that the rooms need.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_type_hints

from nkpredict.errors import InputError

DEFAULT_SPEC = "nk-susceptibility"
Direction = Literal["lower-is-sensitive", "higher-is-sensitive"]
Orientation = Literal["auto", "samples-by-genes", "genes-by-samples"]
Duplicates = Literal["mean", "max", "first"]


@dataclass(frozen=True)
class Setting:
    """Words for a setting, part of its type: ``Annotated[int, Setting("Random seed.", "N")]``.

    Attributes
    ----------
    help
        What it does.
    metavar
        What stands for its value in a help text; a switch has none.
    option
        Name of its command-line option when that is not the field's.
    least
        Smallest whole number allowed.
    """

    help: str
    metavar: str | None = None
    option: str | None = None
    least: int | None = None


EffectorName = Literal["primary-NK", "NK-92", "KHYG-1", "CAR-NK"]
AskedEffector = Annotated[
    EffectorName | None,
    Setting(
        "Killer cells: primary-NK (default), NK-92, KHYG-1 or CAR-NK; others count half.", "CELLS"
    ),
]
NoKnowledge = Annotated[bool, Setting("Screens alone: leave out what publications showed.")]
SampleSheet = Annotated[
    Path | None, Setting("For counts: sample, role (NK or control), ...", "FILE")
]
RegistryLocation = Annotated[
    str | None,
    Setting(
        "Folder of the model registry or MLflow URI (default: as mlflow.yaml says).", "DIR|URI"
    ),
]


def setting_of(annotation: Any) -> Setting | None:
    """Return the words that an annotation carries, None without any."""
    return next((part for part in get_args(annotation) if isinstance(part, Setting)), None)


def check_settings(settings: Any) -> None:
    """Check the numbers and choices of a dataclass whose fields carry a `Setting`.

    Raises
    ------
    InputError
        When a whole number is too small or a word is none of the choices.
    """
    annotations = get_type_hints(type(settings), include_extras=True)
    for name in (known.name for known in fields(settings)):
        value, words = getattr(settings, name), setting_of(annotations[name])
        if value is None or words is None:
            continue
        if words.least is not None and (not isinstance(value, int) or value < words.least):
            raise InputError(f"{name} is {value!r}; expected a whole number from {words.least} up.")
        choices = choices_of(annotations[name])
        if choices and value not in choices:
            raise InputError(
                f"The {name} {value!r} is unknown; expected {', '.join(choices[:-1])} or "
                f"{choices[-1]}."
            )


def choices_of(annotation: Any) -> tuple[str, ...]:
    """Return the words allowed by the ``Literal`` in an annotation, none without one."""
    parts = get_args(annotation)
    if parts and all(isinstance(part, str) for part in parts):
        return parts
    return next((found for part in parts if (found := choices_of(part))), ())


def _all_cores() -> int:
    from joblib import cpu_count

    return int(cpu_count())


DuplicatesSetting = Annotated[
    Duplicates | None,
    Setting("What to do with genes that are there twice: mean, max or first.", "RULE"),
]


@dataclass(frozen=True, kw_only=True)
class ReadingSettings:
    """How to read profiles, where it should not be told from the content."""

    orientation: Annotated[
        Orientation, Setting("auto, samples-by-genes or genes-by-samples.", "AXES")
    ] = "auto"
    unit: Annotated[
        str, Setting("auto, counts, tpm, linear, log2, log2_intensity or standardised.", "UNIT")
    ] = "auto"
    layer: Annotated[
        str | None, Setting("Layer of an AnnData or loom file to read; raw is .raw.", "NAME")
    ] = None
    var_column: Annotated[
        str | None, Setting("Column of an AnnData's var with the names of the genes.", "NAME")
    ] = None
    duplicates: DuplicatesSetting = None

    def __post_init__(self) -> None:
        """Check the choices; see `check_settings`."""
        check_settings(self)


@dataclass(frozen=True, kw_only=True)
class InputFiles:
    """The files to learn from and how to read them; see `nkpredict.read_panel`.

    The screens are described by ``screen_meta`` and, for guide counts, by ``sample_sheet``; see
    `nkpredict.read_screens`. To screens the knowledge base is added, as
    `nkpredict.gene_evidence` does, unless ``no_knowledge``; simulated screens stay alone.
    ``gene_sets`` is a GMT file or ``"nk"``; see
    `nkpredict.features.read_gene_sets`.
    """

    expression: Annotated[Path, Setting("Expression matrix: CSV, TSV, xlsx, h5ad, ...", "FILE")]
    response: Annotated[Path, Setting("PRISM viability file, or a table sample,value.", "FILE")]
    target: Annotated[
        str | None,
        Setting("Response column of a table with several.", "COLUMN"),
    ] = None
    direction: Annotated[
        Direction | None,
        Setting(
            "What the values of a table mean: lower-is-sensitive or higher-is-sensitive.",
            "DIRECTION",
        ),
    ] = None
    replicates: Annotated[
        Path | None, Setting("PRISM biological replicates, for ceiling and weights.", "FILE")
    ] = None
    no_weights: Annotated[
        bool, Setting("Count all lines alike, however precisely they were measured.")
    ] = False
    obs: Annotated[Path | None, Setting("Table of sample annotations.", "FILE")] = None
    genetics: Annotated[
        Path | None, Setting("Mutations, copy numbers: samples x features.", "FILE")
    ] = None
    lineage_column: Annotated[
        str,
        Setting("Annotation column with the lineage.", "COLUMN"),
    ] = "lineage"
    duplicates: DuplicatesSetting = None
    drop_unmatched: Annotated[bool, Setting("Leave out responses without expression.")] = False
    screens: Annotated[
        tuple[Path, ...], Setting("CRISPR screen table; may be repeated.", "FILE")
    ] = ()
    screen_meta: Annotated[
        Path | None, Setting("Table or YAML that describes the screens.", "FILE")
    ] = None
    sample_sheet: SampleSheet = None
    effector: AskedEffector = None
    no_knowledge: NoKnowledge = False
    gene_sets: Annotated[
        str | Path | None, Setting("GMT file of pathways to score as features, or nk.", "FILE|nk")
    ] = None

    def __post_init__(self) -> None:
        """Check numbers and choices; see `check_settings`."""
        check_settings(self)


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings(InputFiles):
    """The files, and how a recipe is evaluated on them; what is None is the recipe's.

    The results do not depend on ``jobs``.
    """

    spec: Annotated[str, Setting("Recipe of the model.", "NAME|FILE")] = DEFAULT_SPEC
    trials: Annotated[
        int | None, Setting("Optuna trials in each fold (default: the recipe's).", "N", least=0)
    ] = None
    repeats: Annotated[int | None, Setting("Repetitions of the random split.", "N", least=1)] = None
    peers: Annotated[bool, Setting("Also evaluate RidgeCV and default LightGBM.")] = False
    random_state: Annotated[
        int | None, Setting("Random seed (default: the recipe's).", "N", option="seed", least=0)
    ] = None
    jobs: Annotated[
        int,
        Setting("Processes (default: all cores); same results.", "N", least=1),
    ] = field(default_factory=_all_cores)


@dataclass(frozen=True, kw_only=True)
class TrainingSettings(EvaluationSettings):
    """Everything that can be said about a training run."""

    name: Annotated[str, Setting("Name to register the model under.", "NAME")]
    curves: Annotated[bool, Setting("Also predict viability at each E:T ratio.")] = False
    run_folder: Annotated[
        Path | None, Setting("Folder of the run (default: runs/NAME).", "DIR")
    ] = None
    registry: RegistryLocation = field(default=None, repr=False)  # may hold a password
    storage: Annotated[
        str | None,
        Setting("Database (postgresql://, sqlite:///) whose trials --worker takes part in.", "URL"),
    ] = field(default=None, repr=False)  # as well
    heartbeat: Annotated[
        int, Setting("Seconds between signs of life of a trial in --storage.", "N", least=1)
    ] = 30
