"""What is listed, merged by picture; what was answered, counted by signal."""

from client.backfill_results import ImageToRead, Outcome, all_of, answered, merged
from client.pending import PendingImage, Reembedding, ReembedReply
from client.rendering import share_text
from client.values import Signal

_FACE, _TATTOO = Signal.FACE, Signal.TATTOO
_IMAGE = ImageToRead("ann", "h1", "/a.jpg", {_FACE: 1, _TATTOO: 2})


def _reply(detail: str = "", **signals: Reembedding) -> ReembedReply:
    return ReembedReply("key", "h1", {Signal(name): one for name, one in signals.items()}, detail)


def test_pictures_are_merged_by_performer_and_hash() -> None:
    """One picture for both signals; the same bytes of two performers are two."""
    images = [
        PendingImage("ann", "h1", "", _FACE, 1),
        PendingImage("ben", "h1", "/b.jpg", _FACE, 1),
        PendingImage("ann", "h1", "/a.jpg", _TATTOO, 2),
    ]
    assert merged(images) == (_IMAGE, ImageToRead("ben", "h1", "/b.jpg", {_FACE: 1}))
    assert len({image.key for image in merged(images)}) == 2


def test_described_and_missed_are_counted() -> None:
    """With the words of every signal, each once."""
    result = answered(
        _IMAGE,
        _reply(face=Reembedding(1, 0, "", False), tattoo=Reembedding(1, 1, "1 of 2 not seen", False)),
    )
    assert result.outcomes == {
        _FACE: {Outcome.DESCRIBED: 1},
        _TATTOO: {Outcome.DESCRIBED: 1, Outcome.MISSED: 1},
    }
    assert (result.detail, result.is_done) == ("/a.jpg: 1 of 2 not seen", False)


def test_a_signal_that_does_not_wait_any_more_is_done() -> None:
    """Not in the reply: somebody else described it, or there is nothing to describe it for."""
    result = answered(_IMAGE, _reply(face=Reembedding(1, 0, "", False)))
    assert result.outcomes[_TATTOO] == {Outcome.SETTLED: 2}
    assert result.is_done


def test_a_refused_picture_is_missed_as_a_whole() -> None:
    """By every signal that waits for it."""
    result = answered(_IMAGE, _reply("no picture"))
    assert result == all_of(_IMAGE, Outcome.MISSED, "/a.jpg: no picture")
    assert not result.is_done


def test_a_signal_that_did_not_answer_counts_what_waits() -> None:
    """Known from the list, if the reply does not say."""
    result = answered(_IMAGE, _reply(tattoo=Reembedding(0, 0, "tattoo is overloaded", True)))
    assert result.outcomes[_TATTOO] == {Outcome.UNANSWERED: 2}


def test_a_share_is_rounded_down() -> None:
    """What is not reached does not read as reached."""
    assert [share_text(share) for share in (0.95, 0.94999, 0.333, 1.0, 0.9996, 0.0)] == [
        "95%",
        "94.9%",
        "33.3%",
        "100%",
        "99.9%",
        "0%",
    ]
