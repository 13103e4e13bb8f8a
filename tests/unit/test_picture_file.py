"""Reading one picture file, never more of it than a server takes."""

import os
from pathlib import Path
from threading import Thread

import pytest

from chassis.errors import InvalidInput
from client.picture_file import MAX_PICTURE_BYTES, read_picture


def _sparse(path: Path, size: int) -> Path:
    with path.open("wb") as file:
        file.truncate(size)
    return path


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    """Up to the limit and with it, the bytes are those of the file."""
    file = tmp_path / "a.jpg"
    file.write_bytes(b"12345")
    assert read_picture(file, max_bytes=5) == b"12345"


@pytest.mark.parametrize(
    ("size", "said"), [(41 * 2**20, "41 MB"), (MAX_PICTURE_BYTES + 1, "32.1 MB")], ids=["41MB", "one-byte"]
)
def test_an_oversized_file_is_refused(tmp_path: Path, size: int, said: str) -> None:
    """The error names the file, its size and the limit."""
    with pytest.raises(InvalidInput, match=rf"a\.jpg: is {said}; at most 32 MB"):
        read_picture(_sparse(tmp_path / "a.jpg", size))


def test_a_pipe_is_read_up_to_the_limit(tmp_path: Path) -> None:
    """What gives no size beforehand is refused when more than allowed comes."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = Thread(target=pipe.write_bytes, args=(b"123456",))
    writer.start()
    with pytest.raises(InvalidInput, match="at most"):
        read_picture(pipe, max_bytes=5)
    writer.join()


def test_a_missing_file_is_the_callers_error(tmp_path: Path) -> None:
    """The error names the file."""
    with pytest.raises(InvalidInput, match=r"gone\.jpg: cannot be read"):
        read_picture(tmp_path / "gone.jpg")
