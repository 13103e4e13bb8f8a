"""Owners behave as two dictionaries would."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chassis.owners import Owners

_SEQS = st.one_of(st.integers(0, 50), st.integers(2**40, 2**40 + 50), st.integers(16_380, 16_390))
_CHANGES = st.lists(st.tuples(st.sampled_from("abcde"), _SEQS, st.booleans()), max_size=80)


@given(_CHANGES)
def test_owners_are_two_dictionaries(changes: list[tuple[str, int, bool]]) -> None:
    """Rows come and go in any order, over pages, and each belongs to whoever it was put in for."""
    owners, expected = Owners(), dict[int, str]()
    for performer, seq, is_added in changes:
        if not is_added:
            assert owners.pop(seq) == expected.pop(seq, None)
        elif seq not in expected:
            owners.put([seq], performer)
            expected[seq] = performer
    assert len(owners) == len(expected)
    assert owners.performers == set(expected.values())
    for _, seq, _ in changes:
        assert owners.of(seq) == expected.get(seq)
        assert (seq in owners) is (seq in expected)
    for performer in "abcde":
        assert sorted(owners.seqs_of(performer)) == sorted(
            seq for seq, one in expected.items() if one == performer
        )
