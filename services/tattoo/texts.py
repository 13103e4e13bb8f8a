"""What a source says of performers' tattoos in words, kept as knowledge of regions: the story and its SQL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import structlog

from chassis.errors import InvalidInput
from chassis.postgres import Connection, Pool, translate
from chassis.protos import parse_uuid
from chassis.signal.requests import check_count
from marquee.common.v1 import common_pb2, transfer_pb2
from services.tattoo.region_names import region_name
from services.tattoo.region_text import regions_of, says_clear
from services.tattoo.region_words import UNKNOWN
from services.tattoo.regions_store import OBSERVED, Knowledge

__all__ = ["Claim", "Read", "TattooText", "TattooTexts", "claims_of"]

_log = structlog.get_logger()
_MOST_TEXTS = 5000
_LONGEST_LOCATION, _LONGEST_DESCRIPTION, _LONGEST_SOURCE = 500, 2000, 200
TATTOOED, CLEAR = Knowledge.KNOWN_TATTOOED.value, Knowledge.KNOWN_CLEAR.value
# Every part of a body: what is said of the whole is said of each.
_EVERYWHERE = tuple(
    region_name(value)
    for value in common_pb2.BodyRegion.values()
    if value > common_pb2.BODY_REGION_OTHER  # those before are no parts
)


@dataclass(frozen=True, slots=True)
class TattooText:
    """What one source says of one tattoo, or of there being none."""

    performer_id: str
    location: str
    description: str
    source: str

    @property
    def words(self) -> str:
        """Location and description as one text."""
        return ": ".join(text for text in (self.location, self.description) if text)


@dataclass(frozen=True, slots=True)
class Claim:
    """A row of `tattoo.region_knowledge`."""

    performer_id: str
    region: str
    knowledge: str
    source: str
    description: str


@dataclass(frozen=True, slots=True)
class Read:
    """What became of texts: counts of regions, and places in the request."""

    stored: int
    known: int
    without_region: tuple[int, ...]
    without_performer: tuple[int, ...]


class TattooTexts:
    """Reads texts into `tattoo.region_knowledge`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def take(self, messages: Sequence[transfer_pb2.TattooText]) -> Read:
        """Keep what the texts say, in one transaction; what is known in the same words is passed over.

        Raises InvalidInput for a malformed text, and as the database does.
        """
        check_count("texts", len(messages), least=1, most=_MOST_TEXTS)
        texts = [_text_of(message) for message in messages]
        with translate():
            async with self._pool.acquire() as connection, connection.transaction():
                ids = sorted({text.performer_id for text in texts})
                there = {str(row["id"]) for row in await connection.fetch(_LOCK, ids)}
                claims = claims_of([text for text in texts if text.performer_id in there])
                stored = await _store(connection, claims)
        _log.info("tattoo texts read", texts=len(texts), stored=stored)
        return Read(
            stored,
            len(claims) - stored,
            tuple(index for index, text in enumerate(texts) if _is_unread(text)),
            tuple(index for index, text in enumerate(texts) if text.performer_id not in there),
        )


def claims_of(texts: Iterable[TattooText]) -> list[Claim]:
    """What follows from texts, each claim once.

    That nothing is there (KNOWN_CLEAR, of every region) follows only where a source says it of the whole
    body, and says of no tattoo of the same performer where it is.
    """
    of_source: dict[tuple[str, str], list[TattooText]] = defaultdict(list)
    for text in texts:
        of_source[(text.performer_id, text.source)].append(text)
    claims: dict[Claim, None] = {}
    for said in of_source.values():
        tattooed = [
            (text, region) for text in said for region in sorted(regions_of(text.location, text.description))
        ]
        clear = [text for text in said if says_clear(text.location, text.description)]
        for text, region in tattooed or [(text, region) for text in clear for region in _EVERYWHERE]:
            knowledge = TATTOOED if tattooed else CLEAR
            claims[Claim(text.performer_id, region, knowledge, text.source, text.words)] = None
    return list(claims)


async def _store(connection: Connection, claims: Sequence[Claim]) -> int:
    """Write claims; how many are new.

    What a source says later of a tattoo ends what it said of there being none.
    """
    tattooed = [claim for claim in claims if claim.knowledge == TATTOOED]
    performers, sources = [one.performer_id for one in tattooed], [one.source for one in tattooed]
    await connection.execute(_NO_LONGER_CLEAR, performers, sources)
    columns = [
        [claim.performer_id for claim in claims],
        [claim.region for claim in claims],
        [claim.knowledge for claim in claims],
        [claim.source for claim in claims],
        [claim.description for claim in claims],
    ]
    return int((await connection.execute(_INSERT, *columns)).rpartition(" ")[2])


def _is_unread(text: TattooText) -> bool:
    return regions_of(text.location, text.description) == {UNKNOWN}


def _text_of(message: transfer_pb2.TattooText) -> TattooText:
    source = _checked("source", message.source, _LONGEST_SOURCE).casefold()
    if source in ("", OBSERVED):
        raise InvalidInput(f"texts.source: empty, or {OBSERVED!r}, which is said of pictures only")
    return TattooText(
        parse_uuid(message.performer_id),
        _checked("location", message.location, _LONGEST_LOCATION),
        _checked("description", message.description, _LONGEST_DESCRIPTION),
        source,
    )


def _checked(field: str, text: str, longest: int) -> str:
    if len(text) > longest or "\0" in text:
        raise InvalidInput(f"texts.{field}: longer than {longest} characters, or with a NUL in it")
    return " ".join(text.split())


_LOCK = "SELECT id FROM catalogue.performers WHERE id = ANY($1::uuid[]) ORDER BY id FOR KEY SHARE"
_NO_LONGER_CLEAR = """
DELETE FROM tattoo.region_knowledge USING unnest($1::uuid[], $2::text[]) AS said (performer_id, source)
WHERE region_knowledge.performer_id = said.performer_id AND region_knowledge.source = said.source
AND knowledge = 'known_clear'
"""
# In one order everywhere, so that two imports of the same texts wait for each other and do not deadlock.
_INSERT = """
INSERT INTO tattoo.region_knowledge (performer_id, body_region, knowledge, source, description)
SELECT said.* FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])
    AS said (performer_id, body_region, knowledge, source, description)
WHERE said.knowledge = 'known_tattooed' OR NOT EXISTS (
    SELECT FROM tattoo.region_knowledge AS old
    WHERE old.performer_id = said.performer_id AND old.source = said.source
    AND old.knowledge = 'known_tattooed'
)
ORDER BY said.performer_id, said.body_region, said.source, said.description
ON CONFLICT DO NOTHING
"""
