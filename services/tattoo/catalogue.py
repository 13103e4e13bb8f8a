"""The tattoos of performers as their owner sees them: listing, searching, and the SQL of both."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from chassis.errors import InvalidInput
from chassis.geometry import Box
from chassis.postgres import Pool, translate
from services.tattoo.enrolled import KnownTattoo
from services.tattoo.regions_store import RegionStatement, statement_of
from services.tattoo.store import FACTS, known_of
from services.tattoo.whole import WholeTattoo, wholes_of

__all__ = [
    "CatalogueQuery",
    "CatalogueView",
    "ListedTattoo",
    "ListedPerformer",
    "ListedPage",
    "TattooCatalogue",
]

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueQuery:
    """Which tattoos; what is empty restricts nothing."""

    performer_id: str = ""
    regions: tuple[str, ...] = ()
    words: str = ""
    size: int = 100
    """Performers on a page."""
    after: str = "00000000-0000-0000-0000-000000000000"
    """The performer that the page before ended with."""

    @property
    def text_query(self) -> str:
        """The words as PostgreSQL's full text search wants them, each the beginning of a word; "" for none.

        Raises InvalidInput for a text without any letter or digit.
        """
        if not self.words:
            return ""
        found = _WORD.findall(self.words)
        if not found:
            raise InvalidInput("words: no letter and no digit in them")
        return " & ".join(f"{word}:*" for word in found)


@dataclass(frozen=True, slots=True)
class CatalogueView:
    """One view with what only the owner asks for."""

    known: KnownTattoo
    uri: str
    quality: float
    origin: str
    is_pinned: bool


@dataclass(frozen=True, slots=True)
class ListedTattoo:
    """A tattoo with its views, by date."""

    tattoo_id: str
    whole: WholeTattoo
    views: tuple[CatalogueView, ...]


@dataclass(frozen=True, slots=True)
class ListedPerformer:
    """What is known of one performer's tattoos."""

    performer_id: str
    tattoos: tuple[ListedTattoo, ...]
    statements: tuple[RegionStatement, ...]


@dataclass(frozen=True, slots=True)
class ListedPage:
    """Performers by id; `next_after`: "" on the last page."""

    performers: tuple[ListedPerformer, ...]
    next_after: str


class TattooCatalogue:
    """Reads what the database has. Raises Unavailable and DeadlineExceeded as it does."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def page(self, query: CatalogueQuery) -> ListedPage:
        """Performers of whom something fits, each with what fits. Raises InvalidInput for unusable words."""
        text, regions = query.text_query, list(query.regions) or None
        with translate():
            values = (query.after, query.size + 1, query.performer_id or None, regions)
            rows = await (
                self._pool.fetch(_WITH_WORDS, *values, text) if text else self._pool.fetch(_WITH_ANY, *values)
            )
            ids = [str(row["performer_id"]) for row in rows]
            shown = ids[: query.size]
            statements = await self._pool.fetch(_STATEMENTS, shown, regions, text or None)
            views = await self._pool.fetch(_VIEWS, shown)
        listed = [_performer(one, query, views, statements) for one in shown]
        return ListedPage(tuple(listed), shown[-1] if len(ids) > query.size else "")

    async def of(self, performer_id: str) -> ListedPerformer:
        """All of one performer, possibly nothing."""
        page = await self.page(CatalogueQuery(performer_id=performer_id))
        return page.performers[0] if page.performers else ListedPerformer(performer_id, (), ())


def _performer(
    performer_id: str,
    query: CatalogueQuery,
    views: Sequence[asyncpg.Record],
    statements: Sequence[asyncpg.Record],
) -> ListedPerformer:
    said = tuple(statement_of(row) for row in statements if str(row["performer_id"]) == performer_id)
    # Words are said of a region, not of a tattoo.
    wanted = {one.region for one in said} if query.words else set(query.regions)
    tattoos = [
        one
        for one in _tattoos([row for row in views if str(row["performer_id"]) == performer_id])
        if one.whole.region in wanted or not (wanted or query.words)
    ]
    return ListedPerformer(performer_id, tuple(tattoos), said)


def _tattoos(rows: Sequence[asyncpg.Record]) -> list[ListedTattoo]:
    seen: dict[tuple[str, Box], CatalogueView] = {}
    for row in rows:
        view = _view(row)
        seen.setdefault((view.known.image_hash, view.known.box), view)
    wholes = wholes_of([view.known for view in seen.values()])
    tattoos = [
        ListedTattoo(
            tattoo_id,
            whole,
            tuple(sorted((one for one in seen.values() if one.known.tattoo_id == tattoo_id), key=_by_date)),
        )
        for tattoo_id, whole in wholes.items()
    ]
    return sorted(
        tattoos, key=lambda one: (one.whole.region, str(one.whole.first_seen or "z"), one.tattoo_id)
    )


def _by_date(view: CatalogueView) -> tuple[str, str, float, float]:
    known = view.known
    return (str(known.first_seen or "z"), known.image_hash, known.box.x, known.box.y)


def _view(row: asyncpg.Record) -> CatalogueView:
    return CatalogueView(known_of(row), row["image_url"], row["quality"], row["source"], row["is_pinned"])


_IN_REGIONS = "($4::text[] IS NULL OR body_region = ANY($4))"
_OF_PERFORMER = "performer_id > $1::uuid AND ($3::uuid IS NULL OR performer_id = $3)"
# Each half stops early, along an index.
_WITH_ANY = f"""
SELECT performer_id FROM (
    (SELECT DISTINCT performer_id FROM tattoo.performer_tattoos WHERE {_OF_PERFORMER} AND {_IN_REGIONS}
     ORDER BY performer_id LIMIT $2)
    UNION
    (SELECT DISTINCT performer_id FROM tattoo.region_knowledge
     WHERE {_OF_PERFORMER} AND {_IN_REGIONS} AND (knowledge = 'known_tattooed' OR $3 IS NOT NULL)
     ORDER BY performer_id LIMIT $2)
) AS found
ORDER BY performer_id LIMIT $2
"""
_SAYS = "description <> '' AND to_tsvector('simple', description) @@ to_tsquery('simple', {query})"
_WITH_WORDS = f"""
SELECT DISTINCT performer_id FROM tattoo.region_knowledge
WHERE {_OF_PERFORMER} AND {_IN_REGIONS} AND knowledge = 'known_tattooed' AND {_SAYS.format(query="$5")}
ORDER BY performer_id LIMIT $2
"""
_STATEMENTS = f"""
SELECT performer_id, body_region, knowledge, source, description, since, until
FROM tattoo.region_knowledge
WHERE performer_id = ANY($1::uuid[]) AND ($2::text[] IS NULL OR body_region = ANY($2))
AND ($3::text IS NULL OR (knowledge = 'known_tattooed' AND {_SAYS.format(query="$3")}))
ORDER BY performer_id, body_region, source, description
"""
_VIEWS = f"""
SELECT {FACTS}, image_url, quality, source, is_pinned FROM tattoo.performer_tattoos
WHERE performer_id = ANY($1::uuid[]) ORDER BY seq
"""
