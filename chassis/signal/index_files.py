"""When indexes are written to files, and when the files must go."""

from __future__ import annotations

import hashlib
import re
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import structlog

from chassis.errors import StoreError
from chassis.gallery import Gallery
from chassis.index import IndexSettings
from chassis.index.snapshots import (
    ROWS,
    Manifest,
    Origin,
    Snapshot,
    SnapshotFolder,
    is_snapshot_folder,
)
from chassis.signal.feed import Listing, Moment
from chassis.signal.model_sets import ModelKey

__all__ = ["IndexFiles", "prune"]

_LEAST_CHANGES, _LEAST_SHARE = 1000, 0.05
# Removals come in flocks: one file for all of them.
_AFTER_REMOVAL_SECONDS = 2.0
# The disk is full, or another process writes here: looking through all rows again at once helps nobody.
_AFTER_FAILURE_SECONDS, _LONGEST_PAUSE_SECONDS = 10.0, 160.0
_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]")

_log = structlog.get_logger()


@dataclass
class _Condition:
    """How far an index is from its file."""

    changes: int = 0
    written_at: float = 0.0
    """Or read, or deleted."""
    is_missing: bool = True
    not_before: float = 0.0
    """After a write that was not possible."""
    pause: float = _AFTER_FAILURE_SECONDS
    """Until the try after the next one."""
    is_undeleted: bool = False
    """Files that must go could not be deleted."""
    manifest: Manifest | None = None
    problem: str = ""


class IndexFiles:
    """The snapshots of one process's indexes, one folder for each model.

    A file is written when a twentieth changed (1,000 rows at least), or some time after any change. A file
    that holds a vector of a row that is gone is deleted at once, and the next one is written soon.
    Every method blocks: use threads.
    """

    def __init__(
        self,
        directory: Path,
        settings: IndexSettings,
        *,
        seconds: float = 600.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._directory = directory
        self._settings = settings
        self._seconds = seconds
        self._clock = clock
        self._folders: dict[ModelKey, SnapshotFolder] = {}
        self._conditions: dict[ModelKey, _Condition] = {}

    def __repr__(self) -> str:
        return f"<IndexFiles in {self._directory}, {self._conditions}>"

    def read(self, key: ModelKey, gallery: Gallery, moment: Moment) -> Snapshot | None:
        """The newest snapshot; one that is not good, or of another database, is told of and deleted."""
        folder, condition = self._folder(key), self._condition(key)
        condition.written_at = self._clock()
        try:
            snapshot = folder.read(gallery.dimension, gallery.index.space, self._settings)
            if snapshot is not None:
                _check_origin(snapshot.manifest.origin, key, moment)
        except StoreError as exc:
            _log.warning("an index file cannot be used; reading from the database", cause=str(exc))
            self._delete(key)
            return None
        condition.is_missing = snapshot is None
        condition.manifest = snapshot.manifest if snapshot is not None else None
        return snapshot

    def note(self, key: ModelKey, changes: int) -> None:
        """So many rows were added."""
        self._condition(key).changes += changes

    def forget(self, keys: Iterable[ModelKey]) -> None:
        """Rows that these files hold are gone: the files go."""
        for key in keys:
            condition = self._condition(key)
            condition.changes += 1
            self._delete(key)
            condition.written_at = self._clock()

    def remove(self, keys: Iterable[ModelKey]) -> None:
        """Delete these files; the next ones are written soon."""
        for key in keys:
            self._delete(key)

    def delete_rest(self) -> None:
        """Try again to delete what could not be deleted."""
        for key, condition in list(self._conditions.items()):
            if condition.is_undeleted:
                self._delete(key)

    @property
    def problem(self) -> str:
        """What is wrong with files, in words; "" when nothing is."""
        return "; ".join(one.problem for one in list(self._conditions.values()) if one.problem)

    def may_write(self, key: ModelKey) -> bool:
        """Whether this process writes this model's files; where another one does, it is asked ever later."""
        condition = self._condition(key)
        try:
            if self._folder(key).may_write():
                return True
        except OSError as exc:
            _tell(condition, f"the index of {' '.join(key)} cannot be saved: {exc.strerror or exc}")
        self._put_off(condition)
        return False

    def is_due(self, key: ModelKey, gallery: Gallery) -> bool:
        """Whether it is time to write a file."""
        condition, age = self._condition(key), self._clock() - self._condition(key).written_at
        if condition.manifest is not None and not self._folder(key).has(condition.manifest):
            condition.is_missing, condition.manifest = True, None  # another process deleted it
            condition.changes += 1
        if not len(gallery) or not condition.changes or self._clock() < condition.not_before:
            return False
        if condition.is_missing:
            return age >= _AFTER_REMOVAL_SECONDS
        most = max(_LEAST_CHANGES, int(_LEAST_SHARE * len(gallery)))
        return condition.changes >= most or age >= self._seconds

    def write(self, key: ModelKey, gallery: Gallery, listing: Listing, moment: Moment) -> None:
        """Write what is in both the gallery and the listing; see `problem` for why it could not."""
        condition, ids = self._condition(key), gallery.index.ids()
        rows = np.empty(len(listing.seqs), ROWS)
        rows["seq"], rows["xid"] = listing.seqs, listing.xids
        rows = rows[np.isin(listing.seqs, ids)]
        origin = Origin(model=key[0], version=key[1], epoch=moment.epoch, mark=moment.mark)
        condition.written_at = self._clock()
        try:
            manifest = self._folder(key).write(gallery.index, rows, origin)
        except OSError as exc:
            self._put_off(condition)
            _tell(condition, f"the index of {' '.join(key)} cannot be saved: {exc.strerror or exc}")
            return
        _tell(condition, "")
        if manifest is None:
            self._put_off(condition)
            return
        condition.not_before, condition.pause, condition.is_undeleted = 0.0, _AFTER_FAILURE_SECONDS, False
        condition.changes, condition.is_missing, condition.manifest = 0, False, manifest
        _log.info("index saved", model=key[0], version=key[1], vectors=manifest.count)

    def manifest(self, key: ModelKey) -> Manifest | None:
        """Of the file that is there, as far as this process knows."""
        return self._condition(key).manifest

    def close(self, *, remove: Iterable[ModelKey] = ()) -> None:
        """Let other processes write; delete files that are not needed any more."""
        for key in remove:
            self._delete(key)
        for folder in self._folders.values():
            folder.close()

    def _delete(self, key: ModelKey) -> None:
        condition = self._condition(key)
        condition.is_missing, condition.manifest = True, None
        try:
            self._folder(key).remove()
        except OSError as exc:
            condition.is_undeleted = True
            _tell(condition, f"the file of {' '.join(key)} cannot be deleted: {exc.strerror or exc}")
            return
        if condition.is_undeleted:
            condition.is_undeleted = False
            _tell(condition, "")

    def _put_off(self, condition: _Condition) -> None:
        condition.not_before = self._clock() + condition.pause
        condition.pause = min(2 * condition.pause, _LONGEST_PAUSE_SECONDS)

    def _folder(self, key: ModelKey) -> SnapshotFolder:
        if key not in self._folders:
            self._folders[key] = SnapshotFolder(self._directory / _folder_name(key))
        return self._folders[key]

    def _condition(self, key: ModelKey) -> _Condition:
        return self._conditions.setdefault(key, _Condition())


def prune(directory: Path, keys: Iterable[ModelKey]) -> None:
    """Delete the files of models that are none of these: nobody follows what they hold."""
    kept = {_folder_name(key) for key in keys}
    for folder in directory.iterdir() if directory.is_dir() else ():
        if folder.name not in kept and is_snapshot_folder(folder):
            try:
                shutil.rmtree(folder)
                _log.info("index file of a model that is not in use deleted", folder=folder.name)
            except OSError as exc:
                _log.warning("an index file cannot be deleted", folder=folder.name, cause=exc.strerror)


def _tell(condition: _Condition, problem: str) -> None:
    if problem and problem != condition.problem:
        _log.warning("trouble with an index file", cause=problem)
    condition.problem = problem


def _folder_name(key: ModelKey) -> str:
    # The separator is in no part, so that two models never share a folder by the place where one ends.
    name = "@".join(_UNSAFE.sub("-", part) for part in key)
    if name == "@".join(key):
        return name
    return f"{name}@{hashlib.sha256(repr(key).encode()).hexdigest()[:8]}"


def _check_origin(origin: Origin, key: ModelKey, moment: Moment) -> None:
    if (origin.model, origin.version) != key:
        raise StoreError("the snapshot is of another model")
    if origin.epoch != moment.epoch or origin.mark > moment.mark:
        raise StoreError("the snapshot is of another database, or of one that was restored since")
