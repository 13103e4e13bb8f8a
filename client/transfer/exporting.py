"""Writing an export: everything beside the folder's place, and the folder into its place at the end."""

from __future__ import annotations

import asyncio
import datetime
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from chassis.errors import ConfigError, Conflict
from client.api import Marquee
from client.transfer.folder import MANIFEST
from client.transfer.own_layout import (
    FORMAT,
    FORMAT_VERSION,
    OBSERVATIONS,
    PERFORMERS,
    POSITIONS,
    SET_ASIDE,
    observation_document,
    performer_document,
)
from client.transfer.signal_files import ModelIndex, SignalFiles
from client.transfer.universal_id import universal_id
from client.transfer.voyager_file import SPACE
from client.transfer.writing import as_list, facts_of, new_folder_beside, put_in_place, write_lines
from client.values import Signal

__all__ = ["Exported", "export_to"]

_PAGE = 1000

OnStep = Callable[[str, int], None]
"""What was written, and how many more of it."""


@dataclass(frozen=True, slots=True)
class Exported:
    """How much was written: performers, observations by signal, and vectors by file."""

    performers: int
    observations: dict[Signal, int]
    vectors: dict[str, int]


async def export_to(
    marquee: Marquee,
    target: Path,
    *,
    preferred: Sequence[str],
    on_step: OnStep = lambda what, count: None,
    now: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC),
) -> Exported:
    """Write everything that the server has into a new folder.

    An export that is interrupted leaves nothing at `target`; what it left beside is removed by the next
    one. Raises ConfigError for a folder that is there already or cannot be written, Conflict when somebody
    was forgotten
    meanwhile: what was written is deleted then; and as the server does.
    """
    aside: Path | None = None
    try:
        aside = await asyncio.to_thread(new_folder_beside, target)
        writing = _Export(marquee, aside, preferred, on_step)
        done = await writing.run(now())
        await asyncio.to_thread(put_in_place, aside, target)
        return done
    except OSError as exc:
        raise ConfigError(f"{target} cannot be written ({exc.strerror or exc})") from exc
    finally:
        if aside is not None:
            shutil.rmtree(aside, ignore_errors=True)


class _Export:
    """One export into an empty folder."""

    def __init__(self, marquee: Marquee, folder: Path, preferred: Sequence[str], on_step: OnStep) -> None:
        self._marquee = marquee
        self._folder = folder
        self._preferred = preferred
        self._on_step = on_step
        self._universal: dict[str, str] = {}
        self._indexes: list[dict[str, Any]] = []
        self._set_aside: list[dict[str, Any]] = []

    async def run(self, now: datetime.datetime) -> Exported:
        await self._write_performers()
        observations = {signal: await self._write_signal(signal) for signal in POSITIONS}
        await self._check_nobody_left()
        names = sorted(path.name for path in self._folder.iterdir())
        facts = {name: await asyncio.to_thread(facts_of, self._folder / name) for name in names}
        manifest = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "created_at": now.isoformat(timespec="seconds"),
            "marquee": version("marquee"),
            "performers": len(self._universal),
            **{f"{signal.value}s": count for signal, count in observations.items()},
            "indexes": self._indexes,
            "set_aside": self._set_aside,
            "files": facts,
        }
        await asyncio.to_thread(write_lines, self._folder / MANIFEST, [json.dumps(manifest, indent=2)])
        vectors = {entry["file"]: entry["count"] for entry in (*self._indexes, *self._set_aside)}
        return Exported(len(self._universal), observations, vectors)

    async def _write_performers(self) -> None:
        lines = []
        async for page in self._marquee.transfer.export_performers(page_size=_PAGE):
            for record in page:
                universal = universal_id(record.performer, self._preferred)
                self._universal[record.performer.id] = universal
                lines.append(json.dumps(performer_document(record, universal), ensure_ascii=False))
            self._on_step("performers", len(page))
        await asyncio.to_thread(write_lines, self._folder / PERFORMERS, as_list(lines))

    async def _write_signal(self, signal: Signal) -> int:
        files, aside = SignalFiles(signal), SignalFiles(signal, prefix=f"{signal.value}_set_aside")
        exported = self._marquee.transfer.export_vectors(signal, page_size=_PAGE, with_set_aside=True)
        async for page in exported:
            # Who was enrolled since the performers were listed is in the next export.
            rows = [row for row in page if row.performer_id in self._universal]
            await asyncio.to_thread(files.add, [row for row in rows if not row.seen.state])
            await asyncio.to_thread(aside.add, [row for row in rows if row.seen.state])
            self._on_step(f"{signal.value} vectors", len(page))
        self._indexes += await self._write_files(files, POSITIONS[signal], OBSERVATIONS[signal])
        if aside.seen:
            self._set_aside += await self._write_files(aside, *SET_ASIDE[signal])
        return len(files.seen)

    async def _write_files(
        self, files: SignalFiles, positions: str, observations: str
    ) -> list[dict[str, Any]]:
        """What the manifest says of the indices."""
        owners = [json.dumps(self._universal[one], ensure_ascii=False) for one in files.owners]
        seen = (json.dumps(observation_document(one), ensure_ascii=False) for one in files.seen)
        await asyncio.to_thread(write_lines, self._folder / positions, as_list(owners))
        await asyncio.to_thread(write_lines, self._folder / observations, seen)
        return [
            await self._write_index(files.signal, files.models[key], name)
            for key, name in files.file_names().items()
        ]

    async def _write_index(self, signal: Signal, model: ModelIndex, name: str) -> dict[str, Any]:
        await asyncio.to_thread(model.index.save, self._folder / name)
        return {
            "file": name,
            "signal": signal.value,
            "model": model.name,
            "version": model.version,
            "dimension": model.index.dimension,
            "space": SPACE,
            "count": len(model.index),
        }

    async def _check_nobody_left(self) -> None:
        """Nobody who was forgotten meanwhile may be in the folder."""
        there: set[str] = set()
        async for page in self._marquee.transfer.export_performers(page_size=_PAGE):
            there.update(record.performer.id for record in page)
        if not there.issuperset(self._universal):
            raise Conflict(
                "performers were forgotten while they were exported: nothing is kept, export again"
            )
