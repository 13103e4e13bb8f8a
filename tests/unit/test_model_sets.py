"""What is recorded of embedders: how records and settings agree, and when enough is described."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chassis.signal.model_sets import ModelRecord, ModelSet, Progress, Sets, agreed, is_another_file

_DIGESTS = st.sampled_from([None, "a" * 64, "b" * 64])


Records = tuple[ModelRecord, ...]


@st.composite
def _records(draw: st.DrawFn) -> Records:
    names = draw(st.lists(st.sampled_from("xyz"), min_size=1, max_size=3, unique=True))
    return tuple(_record(name, draw(_DIGESTS), draw(st.integers(1, 3))) for name in names)


def _record(name: str, digest: str | None, weight: int) -> ModelRecord:
    return ModelRecord(name, "1", {"weight": weight, **({"sha256": digest} if digest else {})})


@given(_records(), _records(), st.none() | _records())
def test_vectors_of_two_files_never_share_a_version(
    wanted: Records, serving: Records, preparing: Records | None
) -> None:
    """A known file stays the recorded one; everything else is as it is wanted, in the wanted order."""
    sets = Sets(ModelSet(1, serving), ModelSet(2, preparing) if preparing else None)
    result = agreed(wanted, sets.records)
    assert [one.key for one in result] == [one.key for one in wanted]
    for one, before in ((one, sets.records.get(one.key)) for one in result):
        asked = next(each for each in wanted if each.key == one.key)
        if before is not None and before.digest is not None:
            assert one.digest == before.digest
        else:
            assert one.digest == asked.digest
        if before is None or not is_another_file(asked, before):
            assert one.facts["weight"] == asked.facts["weight"]


@given(st.integers(0, 1000), st.integers(0, 1000), st.floats(0, 1))
def test_enough_is_described(observations: int, described: int, share: float) -> None:
    """All of it always is, and more is never less; of nothing all is described."""
    described = min(described, observations)
    progress = Progress(observations, described)
    assert Progress(observations, observations).reaches(share)
    assert progress.reaches(0.0)
    assert Progress(0, 0).reaches(share)
    if progress.reaches(share):
        assert Progress(observations, min(described + 1, observations)).reaches(share)
    assert progress.reaches(1.0) == progress.is_complete
