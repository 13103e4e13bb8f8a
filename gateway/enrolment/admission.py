"""Whether an image of a performer may be learned now: the rules of gateway.age on what the catalogue has."""

from __future__ import annotations

import datetime
from collections.abc import Callable

from chassis.errors import NotFound
from gateway.age import check_image, is_attested
from gateway.catalogue.performer import Performer
from gateway.catalogue.store import CatalogueStore

__all__ = ["Admission"]


class Admission:
    """Checks images before anybody looks at them, and once more before anything of them is stored.

    adults_only: authorities of external ids whose own policy attests adulthood.
    """

    def __init__(
        self, store: CatalogueStore, *, adults_only: frozenset[str], today: Callable[[], datetime.date]
    ) -> None:
        self._store = store
        self._adults_only = adults_only
        self._today = today

    async def check(self, performer_id: str, image_date: datetime.date | None) -> None:
        """Raises UnderAge, AgeNotAttested, NotFound, and Unavailable when the database is not there."""
        self._check(await self._store.by_id(performer_id), image_date)

    async def admit(self, performer_id: str, image_date: datetime.date | None) -> None:
        """Check once more, as of now, and remember the image's date. Raises as `check`.

        One transaction on the locked performer, before anything is stored: whoever sets a birth date came
        before, and is seen here, or comes after, and sees the date; a crash leaves no unrecorded image.
        """
        async with self._store.edit() as edit:
            performer = await edit.find(Performer(id=performer_id))
            if performer is None:
                raise NotFound("no such performer, or forgotten")
            self._check(performer, image_date)
            if image_date is not None:
                await edit.record_image_date(performer_id, image_date)

    async def check_picture(self, image_hash: str) -> None:
        """Raises NotToBeIdentified for a picture of somebody forgotten, whoever is said to be in it."""
        await self._store.do_not_identify.check(image_hashes=[image_hash])

    def _check(self, performer: Performer, image_date: datetime.date | None) -> None:
        check_image(
            birth_date=performer.birth_date,
            is_attested=is_attested(
                adult_attested=bool(performer.adult_attested),
                authorities=[one.authority for one in performer.external_ids],
                adults_only_authorities=self._adults_only,
            ),
            image_date=image_date,
            today=self._today(),
        )
