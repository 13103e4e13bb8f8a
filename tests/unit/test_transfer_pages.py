"""Without vectors a page of stored rows does not read them."""

from __future__ import annotations

from typing import cast

import pytest

from chassis.postgres import Pool
from chassis.signal.transfer_store import TransferStatements, TransferStore
from chassis.signal.transferred import parse_page
from services.face.transfer import face_statements
from services.tattoo.transfer import TATTOO_STATEMENTS


async def _nothing(_connection: object, _rows: object) -> None:
    """Follows from no rows."""


class _Told:
    """A pool that keeps what it is asked, and finds nothing."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    async def fetch(self, statement: str, *_values: object) -> list[object]:
        self.statements.append(statement)
        return []


@pytest.mark.parametrize(
    ("statements", "column"), [(face_statements(_nothing), "vector"), (TATTOO_STATEMENTS, "embedding")]
)
@pytest.mark.parametrize("with_set_aside", [False, True])
async def test_a_page_without_vectors_selects_none(
    statements: TransferStatements, column: str, with_set_aside: bool
) -> None:
    """Of either kind of page; an empty one stands in the column's place."""
    told = _Told()
    store = TransferStore(cast(Pool, told), statements)
    for without in (False, True):
        query = parse_page(10, "", with_set_aside=with_set_aside, without_vectors=without)
        await store.page(query)
    with_, without_ = told.statements
    assert f" {column}," in with_
    assert without_ == with_.replace(f" {column},", f" ''::bytea AS {column},")
