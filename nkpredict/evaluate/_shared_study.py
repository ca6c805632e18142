"""A study of trials that processes of any number of machines share through a database.

What each trial tries follows from the seed and its place alone, and none is cut short because of
others; so it does not matter who does a trial, when, or how often one was begun, and a place is
counted once. See docs/decisions/032.
"""

from __future__ import annotations

import os
import socket
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache, partial
from typing import Any, TypeVar

from nkpredict.credentials import hide_credentials, told_in_short
from nkpredict.errors import InputError, NKPredictError

_PATIENCE = 600
"""Seconds to wait for a database that was there and is gone; set by hand."""
_PAUSE = 1.0
_ATTEMPTS = 10
"""Attempts at one place before the study is given up; set by hand."""
_BEATS_MISSED = 2
_PLACE, _WORKER, _SURPLUS, _TRIALS = "place", "worker", "surplus", "trials"


Result = TypeVar("Result")


class _SurplusError(Exception):
    """The place of a trial is already taken by another one."""


@dataclass(frozen=True)
class SharedStorage:
    """Where processes meet to tune together.

    Attributes
    ----------
    url
        SQLAlchemy URL of a database: ``postgresql://`` for many machines, ``sqlite:///`` for one.
    key
        Stands for what the results depend on; processes with another one do not mix.
    heartbeat
        Seconds between two signs of life of a trial; after two missed ones it is done again.
    """

    url: str = field(repr=False)
    key: str = ""
    heartbeat: int = 30


@dataclass(frozen=True)
class StudyStatus:
    """How far a study is.

    Attributes
    ----------
    name
        Of the study.
    trials, finished, running
        Trials in all, finished ones, and those that are being worked on.
    lost
        Attempts whose process died or was stopped; each was or will be done again.
    best
        Lowest error so far, None without any.
    workers
        Machine and process of each trial that is being worked on.
    """

    name: str
    trials: int
    finished: int
    running: int
    lost: int
    best: float | None
    workers: tuple[str, ...]


class SharedStudy:
    """One study in a storage.

    Parameters
    ----------
    shared
        Where it is.
    name
        What is tuned; the key of the storage goes before it.
    settings
        What the trial of each place tries.

    Raises
    ------
    InputError
        When the database cannot be used.
    """

    def __init__(
        self, shared: SharedStorage, name: str, settings: Sequence[dict[str, Any]]
    ) -> None:
        self._shared = shared
        self._settings = settings
        with explained(shared.url):
            self._storage = _open(shared.url, shared.heartbeat)
        self._study: Any = self._patiently(partial(self._joined, f"{shared.key} {name}".strip()))

    def _joined(self, name: str) -> Any:
        import optuna

        study = optuna.create_study(
            storage=self._storage,
            study_name=name,
            direction="minimize",
            load_if_exists=True,
            pruner=optuna.pruners.NopPruner(),
        )
        study.set_user_attr(_TRIALS, len(self._settings))
        return study

    def finished(self) -> list[Any]:
        """Return the finished trial of each place that has one, in the order of the places."""
        found: dict[int, Any] = {}
        for trial in self._study.get_trials(deepcopy=False):
            if trial.state.name == "COMPLETE":
                found.setdefault(trial.user_attrs[_PLACE], trial)
        return [found[place] for place in sorted(found)]

    def help(self, objective: Callable[[Any], float]) -> bool:
        """Do trials until none is free; return whether all are finished.

        Raises
        ------
        InputError
            When a trial failed again and again, or the database stays away.
        """
        while True:
            done = self._patiently(partial(self._step, objective))
            if done is not None:
                return done

    def wait(self, objective: Callable[[Any], float]) -> list[Any]:
        """Do trials, and wait for those of others; return the finished trial of each place."""
        while not self.help(objective):
            time.sleep(_PAUSE)
        return self._patiently(self.finished)

    def _step(self, objective: Callable[[Any], float]) -> bool | None:
        """Do a trial; when there is nothing to do, return whether all are finished."""
        if len(self.finished()) == len(self._settings):
            return True
        if not self._is_free():
            return False
        self._do_one(objective)
        return None

    def _patiently(self, call: Callable[[], Result]) -> Result:
        """Ask again when the database went away in the middle of an answer."""
        until = None
        while True:
            try:
                return call()
            except Exception as error:
                if not _is_outage(error):
                    raise
                until = until or time.monotonic() + _PATIENCE
                if time.monotonic() > until:
                    with explained(self._shared.url):
                        raise
                time.sleep(_PAUSE)

    def _is_free(self) -> bool:
        """Put every place in the queue that nobody has or that was lost; tell whether any waits."""
        from optuna.exceptions import UpdateFinishedTrialError
        from optuna.trial import TrialState

        _fail_the_silent(self._study)
        trials = self._study.get_trials(deepcopy=False)
        held, waiting = self._held(trials), set()
        attempts: defaultdict[int, int] = defaultdict(int)
        for trial in trials:
            place = trial.user_attrs.get(_PLACE)
            if place is None or place in held:
                continue
            if trial.state.name == "WAITING":
                waiting.add(place)
            elif _SURPLUS not in trial.user_attrs:
                attempts[place] += 1
                if trial.state.name == "RUNNING":
                    with suppress(UpdateFinishedTrialError):  # it has come back just now
                        self._study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)
        for place, settings in enumerate(self._settings):
            if place in held or place in waiting:
                continue
            if attempts[place] >= _ATTEMPTS:
                raise InputError(
                    f"Trial {place} of the study {self._study.study_name!r} failed or lost its "
                    f"process {attempts[place]} times; look at what its workers said (memory, for "
                    "example), and begin a new study with another --seed or number of --trials."
                )
            self._study.enqueue_trial(settings, user_attrs={_PLACE: place})
            waiting.add(place)
        return bool(waiting)

    def _held(self, trials: Sequence[Any], before: int | None = None) -> set[int]:
        """Return the places that are finished or worked on, by trials before one with a number."""
        # a process that died between taking a trial and its first sign of life is seen by nobody
        oldest = datetime.now() - timedelta(seconds=self._shared.heartbeat * _BEATS_MISSED + 1)
        held = set()
        for trial in trials:
            alive = trial.state.name == "RUNNING" and (
                _WORKER in trial.user_attrs or (trial.datetime_start or oldest) > oldest
            )
            if (alive and (before is None or trial.number < before)) or (
                trial.state.name == "COMPLETE"
            ):
                held.add(trial.user_attrs.get(_PLACE, -1))
        return held

    def _do_one(self, objective: Callable[[Any], float]) -> None:
        from optuna.exceptions import UpdateFinishedTrialError

        own: list[Exception] = []

        def claimed(trial: Any) -> float:
            try:
                self._claim(trial)
                return objective(trial)
            except UpdateFinishedTrialError:
                raise _SurplusError from None
            except Exception as error:
                own.append(error)
                raise

        # a trial that was taken for dead, as it was slow or the database away, cannot be told of
        # any more, which is a ValueError: another process does it again
        try:
            self._study.optimize(claimed, n_trials=1, catch=(_SurplusError,))
        except (UpdateFinishedTrialError, ValueError):
            if own and not isinstance(own[0], _SurplusError):
                raise

    def _claim(self, trial: Any) -> None:
        place = trial.user_attrs.get(_PLACE)
        others = self._study.get_trials(deepcopy=False)
        if place is None or place in self._held(others, before=trial.number):
            trial.set_user_attr(_SURPLUS, True)
            raise _SurplusError
        self._storage.record_heartbeat(trial._trial_id)
        trial.set_user_attr(_WORKER, f"{socket.gethostname()}:{os.getpid()}")


def study_status(url: str) -> list[StudyStatus]:
    """Tell how far the studies of a storage are.

    Parameters
    ----------
    url
        As in `SharedStorage`.

    Raises
    ------
    InputError
        When the database cannot be used.
    """
    import optuna

    with explained(url):
        storage = _open(url, None)
        names = optuna.get_all_study_names(storage)
        return [_status(optuna.load_study(study_name=name, storage=storage)) for name in names]


def _status(study: Any) -> StudyStatus:
    states: defaultdict[str, list[Any]] = defaultdict(list)
    for trial in study.get_trials(deepcopy=False):
        if _SURPLUS not in trial.user_attrs:
            states[trial.state.name].append(trial)
    finished = {t.user_attrs.get(_PLACE, t.number): t.value for t in states["COMPLETE"]}
    return StudyStatus(
        name=study.study_name,
        trials=int(study.user_attrs.get(_TRIALS, len(finished))),
        finished=len(finished),
        running=len(states["RUNNING"]),
        lost=len(states["FAIL"]),
        best=min(finished.values(), default=None),
        workers=tuple(sorted(str(t.user_attrs.get(_WORKER, "?")) for t in states["RUNNING"])),
    )


def _fail_the_silent(study: Any) -> None:
    """Mark trials whose process gave no sign of life for too long."""
    import optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        optuna.storages.fail_stale_trials(study)


@lru_cache(maxsize=4)
def _open(url: str, heartbeat: int | None) -> Any:
    """Open a storage, once in a process; its tables are made when they are not there."""
    import optuna
    import sqlalchemy

    class Storage(optuna.storages.RDBStorage):
        def record_heartbeat(self, trial_id: int) -> None:
            # a sign of life that is lost ends nothing: the next one follows
            with suppress(optuna.exceptions.StorageInternalError, sqlalchemy.exc.DBAPIError):
                super().record_heartbeat(trial_id)

    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    waiting = {"timeout": 60} if url.startswith("sqlite") else {"connect_timeout": 10}
    options = {"pool_pre_ping": True, "connect_args": waiting, "hide_parameters": True}
    _refuse_other_tables(url, options)
    for left in reversed(range(5)):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                storage = Storage(
                    url,
                    engine_kwargs=options,
                    heartbeat_interval=heartbeat,
                    grace_period=heartbeat and heartbeat * _BEATS_MISSED,
                )
            break
        except (sqlalchemy.exc.DBAPIError, optuna.exceptions.StorageInternalError):
            # processes that begin at once make the tables at once, and all but one fail
            if not left:
                raise
            time.sleep(_PAUSE)
    sqlalchemy.event.listen(storage.engine, "do_connect", _connected)
    return storage


def _refuse_other_tables(url: str, options: dict[str, Any]) -> None:
    import sqlalchemy

    engine = sqlalchemy.create_engine(url, **options)
    try:
        names = set(sqlalchemy.inspect(engine).get_table_names())
    finally:
        engine.dispose()
    if "registered_models" in names:
        raise InputError(
            f"{hide_credentials(url)} holds a model registry, whose tables do not go together with "
            "those of studies; create another database on the server for --storage."
        )


def _connected(dialect: Any, record: Any, arguments: Any, named: Any) -> Any:
    """Connect again to a server that is being restarted."""
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            return dialect.connect(*arguments, **named)
        except dialect.loaded_dbapi.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(_PAUSE)


def _is_outage(error: Exception) -> bool:
    import optuna
    import sqlalchemy

    return isinstance(
        error, optuna.exceptions.StorageInternalError | sqlalchemy.exc.SQLAlchemyError
    )


@contextmanager
def explained(url: str) -> Iterator[None]:
    """Turn whatever a database or its driver raises into one sentence without passwords.

    Raises
    ------
    InputError
        In place of any error that is not nkpredict's own.
    """
    try:
        yield
    except NKPredictError:
        raise
    except Exception as error:
        told = told_in_short(error.__cause__ or error, url)
        # not chained: what a driver raises may quote the URL with its password
        raise InputError(
            f"The storage {hide_credentials(url)} cannot be used ({told}); expected postgresql:// "
            "(extra postgresql) or sqlite:/// and a database that is there. Check the URL and that "
            "the server runs."
        ) from None
