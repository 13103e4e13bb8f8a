"""What every benchmark states: the machine, the seed, a table, and JSON for machines."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import onnxruntime
from rich.console import Console
from rich.table import Table

__all__ = ["machine", "print_heading", "print_table", "write_json"]

_console = Console(width=120)


def machine() -> dict[str, Any]:
    """Processor, cores this process may use, memory in GB, and the versions that decide speed."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "onnxruntime": onnxruntime.__version__,
        "marquee": version("marquee"),
    }


def print_heading(title: str, *, seed: int) -> None:
    """The benchmark's name, its seed and the machine."""
    facts = machine()
    _console.rule(f"[bold]{title}")
    _console.print(
        f"seed {seed}; {facts['processor']}, {facts['cores']} cores, {facts['memory_gb']} GB; "
        f"Python {facts['python']}, onnxruntime {facts['onnxruntime']}, marquee {facts['marquee']}",
        highlight=False,
    )


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """One table; the first column is text, the others are numbers."""
    table = Table(title=title, title_justify="left")
    for position, column in enumerate(columns):
        table.add_column(column, justify="left" if position == 0 else "right")
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    _console.print(table)


def write_json(path: Path | None, payload: dict[str, Any]) -> None:
    """Write `payload` with the machine, if a path is given."""
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": machine(), **payload}, indent=2, sort_keys=True) + "\n")
    _console.print(f"wrote {path}", highlight=False)


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    for line in info.read_text().splitlines() if info.exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
