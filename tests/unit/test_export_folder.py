"""The manifest of an export, in the forms that are in use; universal ids; Voyager files by position."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from chassis.errors import InvalidInput
from client.catalogue import Performer
from client.transfer.community_database import authority_of
from client.transfer.folder import ExportFolder
from client.transfer.universal_id import all_ids, universal_id
from client.transfer.values import unseen_hash
from client.transfer.voyager_file import VectorFile, VectorFileWriter
from client.values import ExternalId
from tests.fakes.community_folder import unit_vectors

_DATA = b"some data"
_DIGEST = hashlib.sha256(_DATA).hexdigest()


def _folder(root: Path, manifest: object) -> ExportFolder:
    (root / "a.bin").write_bytes(_DATA)
    (root / "manifest.json").write_text(json.dumps(manifest))
    return ExportFolder(root)


@pytest.mark.parametrize(
    "manifest",
    [
        {"files": {"a.bin": {"sha256": _DIGEST, "bytes": len(_DATA)}}},
        {"files": {"a.bin": {"checksum": f"sha256:{_DIGEST.upper()}", "size": len(_DATA)}}},
        {"files": {"a.bin": _DIGEST}},
        {"checksums": {"a.bin": f"sha256:{_DIGEST}"}},
        {"files": [{"name": "a.bin", "sha256": _DIGEST}]},
        {"files": [{"filename": "a.bin", "hash": _DIGEST}], "version": "2026.01"},
    ],
)
def test_a_checksum_is_read_in_every_form(tmp_path: Path, manifest: object) -> None:
    assert _folder(tmp_path, manifest).verified("a.bin") == tmp_path / "a.bin"


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        ({"files": {"a.bin": {"sha256": "0" * 64}}}, "not the SHA-256"),
        ({"files": {"a.bin": {"sha256": _DIGEST, "bytes": 100}}}, "truncated"),
        ({"files": {"a.bin": {"md5": "0" * 32}}}, "no SHA-256"),
        ({"files": {"a.bin": "0" * 40}}, "no SHA-256"),
        ({}, "no SHA-256"),
    ],
)
def test_a_file_that_is_not_as_stated_is_refused(tmp_path: Path, manifest: object, words: str) -> None:
    """Another content, another size, no checksum or one of another kind."""
    with pytest.raises(InvalidInput, match=words):
        _folder(tmp_path, manifest).verified("a.bin")


def test_a_file_that_is_missing_is_told(tmp_path: Path) -> None:
    folder = _folder(tmp_path, {"files": {"a.bin": _DIGEST, "b.bin": _DIGEST}})
    with pytest.raises(InvalidInput, match="is not there"):
        folder.verified("b.bin")


def test_what_is_no_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="not a folder"):
        ExportFolder(tmp_path / "nothing")


def _performer(*ids: tuple[str, str]) -> Performer:
    return Performer(id="u", name="A", external_ids=tuple(ExternalId(*one) for one in ids))


def test_the_universal_id_is_that_of_the_preferred_authority() -> None:
    """Else the first one, else Marquee's own."""
    performer = _performer(("folder", "A"), ("fansdb.cc", "f"), ("stashdb.org", "s"))
    assert universal_id(performer) == "stashdb.org:s"
    assert universal_id(performer, ("fansdb.cc", "stashdb.org")) == "fansdb.cc:f"
    assert universal_id(performer, ()) == "folder:A"
    assert universal_id(_performer()) == "marquee:u"
    assert all_ids(performer) == ("folder:A", "fansdb.cc:f", "stashdb.org:s", "marquee:u")


@pytest.mark.parametrize(
    ("endpoint", "authority"),
    [
        ("stashdb", "stashdb.org"),
        ("https://stashdb.org/graphql", "stashdb.org"),
        ("StashDB.org", "stashdb.org"),
        ("https://theporndb.net/graphql", "theporndb.net"),
        ("tpdb", "theporndb.net"),
        ("example.org/x", "example.org"),
        (None, ""),
    ],
)
def test_an_endpoint_means_an_authority(endpoint: str | None, authority: str) -> None:
    assert authority_of(endpoint) == authority


def test_the_hash_of_an_unseen_picture_is_that_of_its_url() -> None:
    """As docs/transfer.md states it."""
    expected = hashlib.sha256(b"url:https://example.org/1.jpg").hexdigest()
    assert unseen_hash("https://example.org/1.jpg") == expected


def test_vectors_come_back_by_position(tmp_path: Path) -> None:
    """Positions may have gaps; more than the first capacity are kept."""
    vectors = unit_vectors(5000, 4, seed=1)
    positions = [3 * number for number in range(5000)]
    writer = VectorFileWriter(4)
    for start in range(0, 5000, 700):
        writer.add(positions[start : start + 700], vectors[start : start + 700])
    writer.save(tmp_path / "a.voy")
    found: dict[int, np.ndarray[tuple[int, ...], np.dtype[np.float32]]] = {}
    for some, rows in VectorFile(tmp_path / "a.voy", dimension=4).batches(512):
        found.update(zip(some, rows, strict=True))
    assert list(found) == positions
    np.testing.assert_allclose(np.stack(list(found.values())), vectors, atol=1e-6)
