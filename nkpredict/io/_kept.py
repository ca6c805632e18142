"""Finished steps of a long run, kept on disk, so that a run that was stopped repeats none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nkpredict.io._writing import atomic_folder

_KEY_FILE = "key"


@dataclass(frozen=True)
class KeptSteps:
    """Folders of finished steps, each there whole or not at all.

    Attributes
    ----------
    folder
        Where they lie; None keeps nothing.
    key
        What the results depend on, as a hash. A step that was kept under another key is not found,
        so that it is done again and not mixed with others.
    """

    folder: Path | None = None
    key: str = ""

    def done(self, step: str, make: Callable[[Path], None]) -> Path:
        """Do a step unless it was finished before, and return the folder of its results.

        Parameters
        ----------
        step
            Its name.
        make
            Does it, and writes its results into the empty folder it is given.

        Returns
        -------
        pathlib.Path
            What is read from it is the same whether the step was done now or in an earlier run.

        Raises
        ------
        ValueError
            When nothing is to be kept.
        """
        if self.folder is None:
            raise ValueError("steps without a folder are not kept")
        target = self.folder / step.replace(" ", "-")
        try:
            finished = (target / _KEY_FILE).read_text(encoding="utf-8") == self.key
        except OSError:
            finished = False
        if not finished:
            with atomic_folder(target) as temporary:
                make(temporary)
                (temporary / _KEY_FILE).write_text(self.key, encoding="utf-8")
        return target
