"""Identifications for people (tables) and for programs (JSON)."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from client.system import CalibrationInUse
from client.transfer.values import NotSearchable
from client.values import (
    Candidate,
    Evidence,
    Identification,
    Person,
    PersonStatus,
    ReportState,
    Signal,
    SignalReport,
)

__all__ = [
    "identification_table",
    "identification_document",
    "headline",
    "status_text",
    "score_text",
    "evidence_text",
    "share_text",
    "not_searchable_text",
    "calibration_text",
]

_STYLES = {
    PersonStatus.IDENTIFIED: "bold green",
    PersonStatus.UNKNOWN: "yellow",
    PersonStatus.INSUFFICIENT_SIGNALS: "dim",
}


def identification_table(
    title: str, seen: Identification, *, candidates: int = 3, least: int = 1
) -> RenderableType:
    """What was seen in one picture: a line about the picture, a row for each candidate of each person.

    At most `candidates` of a person; those without any score only up to `least`, to show how far off.
    """
    head = headline(title, seen)
    if not seen.people:
        return Group(head, Text("nobody is visible", style="dim"))
    table = Table("#", "status", "performer", "score", "evidence", show_lines=False)
    table.columns[3].justify = "right"
    for number, person in enumerate(seen.people, start=1):
        _add_person(table, number, person, candidates, least)
    return Group(head, table)


def headline(title: str, seen: Identification) -> Text:
    """One line about the picture: size, time, and what became of each signal."""
    reports = " · ".join(_report_text(report) for report in seen.reports.values())
    return Text.assemble(
        (title, "bold"), f"  {seen.width}x{seen.height}  {seen.elapsed_ms:.0f} ms  ", (reports, "dim")
    )


def status_text(person: Person) -> Text:
    """The status in its color."""
    return Text(person.status.value, style=_STYLES.get(person.status, ""))


def identification_document(file: str, seen: Identification) -> dict[str, Any]:
    """The identification as JSON values; docs/client.md lists the keys."""
    document = asdict(seen)
    document["people"] = [{**asdict(person), "signals": sorted(person.signals)} for person in seen.people]
    document["reports"] = [asdict(report) for report in seen.reports.values()]
    return {"file": str(Path(file)), **document}


def score_text(candidate: Candidate) -> str:
    """The probability where there is one, else the score."""
    if candidate.probability is not None:
        return f"{candidate.probability:.1%}"
    return f"{candidate.score:.3f}"


def share_text(share: float) -> str:
    """A share 0..1 in percent, rounded down: what is not reached does not read as reached."""
    return f"{math.floor(share * 1000 + 1e-6) / 10:g}%"


def not_searchable_text(signal: Signal, one: NotSearchable) -> str:
    """How many observations are stored in vain, and why."""
    return f"{one.observations:,} {signal.value}s stored, not searchable: {one.reason}"


def evidence_text(candidate: Candidate) -> str:
    """Each signal's part in a few words."""
    return "; ".join(_one_evidence(evidence) for evidence in candidate.evidence) or "none"


def _one_evidence(evidence: Evidence) -> str:
    parts = [f"{evidence.signal.value} {evidence.similarity:.2f}", f"weight {evidence.weight:.0%}"]
    if evidence.is_compatible is not None:
        parts[1:] = ["fits" if evidence.is_compatible else "does not fit"]
    elif not evidence.is_proposed:
        parts[1:] = ["not proposed"]
    return f"{parts[0]} ({', '.join(parts[1:])})"


def _add_person(table: Table, number: int, person: Person, candidates: int, least: int) -> None:
    scored = sum(candidate.score > 0 for candidate in person.candidates)
    shown = person.candidates[: min(candidates, max(scored, least))]
    status = status_text(person)
    has_unknown = person.unknown_probability is not None
    if not shown:
        seen = " + ".join(sorted(person.signals))
        table.add_row(str(number), status, "", "", f"no candidate; seen: {seen}", end_section=not has_unknown)
    for place, candidate in enumerate(shown):
        is_first, is_last = place == 0, place == len(shown) - 1
        is_name = is_first and person.status is PersonStatus.IDENTIFIED
        table.add_row(
            str(number) if is_first else "",
            status if is_first else "",
            f"[bold green]{escape(candidate.name)}[/]" if is_name else escape(candidate.name),
            score_text(candidate),
            evidence_text(candidate),
            end_section=is_last and not has_unknown,
            style="" if is_first else "dim",
        )
    if person.unknown_probability is not None:
        note = "not calibrated for this library" if person.is_uncalibrated else ""
        table.add_row("", "", "nobody enrolled", f"{person.unknown_probability:.1%}", note, end_section=True)


def _report_text(report: SignalReport) -> str:
    if report.state is ReportState.OK:
        return f"{report.signal.value} {report.observations} seen"
    return f"{report.signal.value} {report.state.value}"


def calibration_text(calibration: CalibrationInUse | None) -> str:
    """What ratios rest on, in one line: fitted here and when, or shipped; pairs; weight."""
    if calibration is None:
        return "not calibrated: similarities say nothing of probabilities"
    day = calibration.created_at[: len("YYYY-MM-DD")]
    where = (
        f"calibrated on this library on {day}" if calibration.is_of_this_library else "calibration that ships"
    )
    if calibration.genuine_pairs or calibration.impostor_pairs:
        basis = f"{calibration.genuine_pairs:,} genuine and {calibration.impostor_pairs:,} impostor pairs"
    else:
        basis = calibration.provenance
    return f"{where}: {basis}; weight {calibration.weight:g}"
