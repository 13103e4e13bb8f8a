"""Creating and changing performers, adults only."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass, replace

from chassis.errors import Conflict, InvalidInput
from gateway.age import check_enrolled, check_history, check_performer
from gateway.catalogue.performer import Performer, merged, validated
from gateway.catalogue.store import CatalogueStore

__all__ = ["Upserted", "UpsertPerformer", "checked", "checked_new"]


@dataclass(frozen=True, slots=True)
class Upserted:
    """The performer as stored, and whether it is new."""

    performer: Performer
    is_created: bool


class UpsertPerformer:
    """Creates a performer, or changes the one with the given id or with one of the given external ids."""

    def __init__(self, store: CatalogueStore, *, today: Callable[[], datetime.date]) -> None:
        self._store = store
        self._today = today

    async def __call__(self, change: Performer) -> Upserted:
        """Raises InvalidInput, NotFound (the id), Conflict (an external id), Refused (under 18, now or in an
        enrolled image).
        """
        change = validated(change, today=self._today())
        try:
            return await self._apply(change)
        except Conflict:
            # Somebody may have created the same performer at the same moment; then this time it is found.
            return await self._apply(change)

    async def _apply(self, change: Performer) -> Upserted:
        async with self._store.edit() as edit:
            stored = await edit.find(change)
            if stored is None:
                performer = await edit.create(checked_new(change, self._today()))
            else:
                if change.body_ratios and await edit.is_measured(stored.id):
                    change = replace(change, body_ratios={})
                performer = checked(merged(stored, change), self._today())
                await edit.update(performer)
            if change.image_url:
                await edit.name_image(performer.id, performer.image_url)
            return Upserted(performer, is_created=stored is None)


def checked(performer: Performer, today: datetime.date) -> Performer:
    """A merged performer as it is to be stored, if it may be: fields that are right alone may contradict what
    is stored. Raises InvalidInput, and Refused for the age.
    """
    validated(performer, today=today)
    return checked_new(performer, today)


def checked_new(performer: Performer, today: datetime.date) -> Performer:
    """A validated performer as it is to be stored, if it may be. Raises as `checked` does."""
    if not performer.name:
        raise InvalidInput("name: a new performer needs one")
    check_performer(
        birth_date=performer.birth_date, career_start_year=performer.career_start_year, today=today
    )
    check_enrolled(birth_date=performer.birth_date, earliest_image_date=performer.earliest_image_date)
    days = [day for one in performer.breast_history for day in one.days]
    check_history(birth_date=performer.birth_date, days=days)
    return performer
