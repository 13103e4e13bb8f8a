"""Coverage as people read it. Pure but for rich's tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.markup import escape
from rich.table import Table

from client.coverage import Coverage, FaceCounts, PerformerCoverage, SourceCoverage, Target
from client.values import Signal

__all__ = ["headline", "signals_table", "target_line", "sources_table", "performers_table"]

_ASIDE = ("reserve", "quarantined", "not searchable")
_SIGNALS = (Signal.FACE, Signal.TATTOO, Signal.BODY)


def headline(totals: Coverage) -> str:
    """One line about everybody."""
    return (
        f"{totals.performers} performers; {totals.without_observations} with nothing enrolled; "
        f"{totals.age_unverified} adult by attestation only (AGE_UNVERIFIED)"
    )


def signals_table(totals: Coverage) -> Table:
    """What each signal has; faces by quality, and those set aside."""
    columns = ("performers", "of all", "observations", "good", "usable", "weak", *_ASIDE)
    table = _right(Table("signal", *columns), 1)
    for signal, count in totals.signals.items():
        share = f"{count.performers / totals.performers:.0%}" if totals.performers else ""
        faces = totals.faces if signal is Signal.FACE else None
        table.add_row(signal.value, str(count.performers), share, str(count.observations), *_kinds(faces))
    return table


def target_line(totals: Coverage) -> str:
    """How many have less than is wanted."""
    wanted = _wanted(totals.target)
    if not wanted:
        return "nothing is wanted of anybody (gateway.target_faces and others are 0)"
    below = "?" if totals.below_target is None else str(totals.below_target)
    return f"{below} of {totals.performers} performers are below the target: {wanted} each"


def sources_table(sources: Sequence[SourceCoverage]) -> Table:
    """What each source brought; one that brought nothing is marked."""
    columns = ("seen", "downloaded", "accepted", "with face", "rejected", "failed", "to try")
    table = _right(Table("source", *columns), 1)
    table.add_column("why not")
    for one in sources:
        counts = (one.seen, one.downloaded, one.accepted, one.with_face, one.rejected, one.failed, one.open)
        table.add_row(escape(one.source), *(str(count or "") for count in counts), _reasons(one))
    return table


def performers_table(performers: Iterable[PerformerCoverage]) -> Table:
    """A line for each performer."""
    table = Table(
        "performer",
        "id",
        "age",
        *(signal.value for signal in _SIGNALS),
        "good/usable/weak",
        "quarantined",
        "target",
    )
    table.add_column("accepted of seen")
    for each in performers:
        counts = (each.signals.get(signal) for signal in _SIGNALS)
        table.add_row(
            escape(each.performer.name),
            each.performer.id,
            each.performer.age_status.value,
            *("?" if count is None else str(count.observations) for count in counts),
            "?" if each.faces is None else f"{each.faces.good}/{each.faces.usable}/{each.faces.weak}",
            "?" if each.faces is None else str(each.faces.quarantined or ""),
            {True: "[yellow]below[/]", False: "[green]reached[/]", None: "?"}[each.is_below_target],
            ", ".join(f"{escape(one.source)} {one.accepted} of {one.seen}" for one in each.sources),
        )
    return table


def _kinds(faces: FaceCounts | None) -> list[str]:
    if faces is None:
        return []
    searched = (faces.good, faces.usable, faces.weak)
    return [str(one) for one in (*searched, faces.reserve, faces.quarantined, faces.unsearchable)]


def _wanted(target: Target) -> str:
    parts = [f"{target.faces} faces"] if target.faces else []
    parts += [f"{target.good_faces} good faces"] if target.good_faces else []
    parts += [f"{target.bodies} bodies"] if target.bodies else []
    return ", ".join(parts)


def _reasons(one: SourceCoverage) -> str:
    reasons = ", ".join(f"{each.reason} {each.images}" for each in one.reasons)
    if not one.has_brought_nothing:
        return reasons
    mark = "not tried yet" if one.known == one.seen else "[red]brought nothing[/]"
    return f"{mark}: {reasons}" if reasons else mark


def _right(table: Table, first: int) -> Table:
    for column in table.columns[first:]:
        column.justify = "right"
    return table
