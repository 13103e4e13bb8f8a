"""Where enrolled pictures are read from again, and what keeps them from being read."""

import os
from pathlib import Path, PurePath

import pytest

from chassis.images import image_hash
from client.sources import Root, SourceUnusable, Trouble, read_source, source_path

_BYTES = b"any bytes"
_HASH = image_hash(_BYTES)


async def _trouble(uri: str | Path, digest: str = _HASH) -> Trouble:
    with pytest.raises(SourceUnusable) as raised:
        await read_source(str(uri), digest)
    return raised.value.trouble


@pytest.mark.parametrize("name", ["a.jpg", "a b%20c.jpg", "é.jpg"])
async def test_a_path_and_its_url_are_read(tmp_path: Path, name: str) -> None:
    """The same bytes as at enrolment, whatever is in the name."""
    file = tmp_path / name
    file.write_bytes(_BYTES)
    assert await read_source(str(file), _HASH) == _BYTES
    assert await read_source(file.as_uri(), _HASH) == _BYTES
    assert await read_source(file.as_uri().replace("file://", "file://localhost"), _HASH) == _BYTES


async def test_other_bytes_are_a_changed_picture(tmp_path: Path) -> None:
    """A picture that was edited since is told, not sent."""
    file = tmp_path / "a.jpg"
    file.write_bytes(b"other bytes")
    with pytest.raises(SourceUnusable, match=r"a\.jpg: is not the picture that was enrolled") as raised:
        await read_source(str(file), _HASH)
    assert raised.value.trouble is Trouble.CHANGED


async def test_what_is_not_there_is_gone(tmp_path: Path) -> None:
    """The file, its folder, a folder that is a file now, or no source from the start."""
    (tmp_path / "file").write_bytes(_BYTES)
    for uri in (tmp_path / "a.jpg", tmp_path / "no" / "a.jpg", tmp_path / "file" / "a.jpg", ""):
        assert await _trouble(uri) is Trouble.GONE


async def test_what_is_no_file_is_unreadable(tmp_path: Path) -> None:
    """A folder, a pipe (which would never end), a name that no file can have."""
    os.mkfifo(tmp_path / "pipe")
    for uri in (tmp_path, tmp_path / "pipe", "/a\0b", "/" + "x" * 300):
        assert await _trouble(uri) is Trouble.UNREADABLE


@pytest.mark.parametrize("uri", ["https://example.org/a.jpg", "HTTP://x/a.jpg", "s3://b/a", "file://host/a"])
async def test_other_urls_are_not_fetched(uri: str) -> None:
    """They are named as such."""
    assert await _trouble(uri) is Trouble.REMOTE


def test_a_moved_folder_is_mapped() -> None:
    """Whole parts of a path only, and the longest folder first; URLs of files too."""
    roots = [Root(PurePath("/a"), Path("/x")), Root(PurePath("/a/b"), Path("/y/z"))]
    assert source_path("/a/c.jpg", roots) == Path("/x/c.jpg")
    assert source_path("/a/b/c.jpg", roots) == Path("/y/z/c.jpg")
    assert source_path("/ab/c.jpg", roots) == Path("/ab/c.jpg")
    assert source_path("file:///a/b/c%20d.jpg", roots) == Path("/y/z/c d.jpg")
