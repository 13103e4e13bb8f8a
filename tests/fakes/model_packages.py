"""Tiny packages with a model in them, in the archives that pip makes of them, and specs that build it."""

import gzip
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

from chassis.models import InputSpec, ModelSpec, OutputSpec, PackageFile, PinnedPackage
from chassis.models.graph import GraphWriter

__all__ = ["Archive", "wheel", "source_archive", "npm_archive", "spec_of", "build_scale"]

CONTENT = b"2.5"
_PATH = "tiny/model.txt"


@dataclass(frozen=True)
class Archive:
    """An archive as a registry would serve it, and its pin."""

    file_name: str
    data: bytes
    package: PinnedPackage
    file: PackageFile

    def save(self, folder: Path, name: str | None = None) -> Path:
        """Write it under its registry name or another."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / (name or self.file_name)
        path.write_bytes(self.data)
        return path


def wheel(name: str = "tiny-model", *, content: bytes = CONTENT) -> Archive:
    """A wheel for every platform."""
    base = f"{name.replace('-', '_')}-1.0"
    files = {
        _PATH: content,
        f"{base}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{base}.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{base}.dist-info/RECORD": b"",
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for path, data in files.items():
            # A ZipInfo has a fixed date, so that the archive has the same checksum whenever it is made.
            archive.writestr(zipfile.ZipInfo(path), data)
    return _archive("pip wheel", name, f"{base}-py3-none-any.whl", stream.getvalue(), _PATH, content)


def source_archive(name: str = "tiny-source", *, content: bytes = CONTENT) -> Archive:
    """A tarball in the form of a source distribution."""
    return _tarball("pip source", name, f"{name}-1.0", content)


def npm_archive(name: str = "tiny-npm", *, content: bytes = CONTENT) -> Archive:
    """A tarball in the form of an npm package."""
    return _tarball("npm", name, "package", content)


def spec_of(archive: Archive, name: str = "tiny", **options: object) -> ModelSpec:
    """A spec whose model multiplies its input by the number in the archive."""
    values: dict[str, object] = {
        "name": name,
        "version": "1",
        "role": "test.scale",
        "source": archive.file,
        "licence": "none",
        "provenance": "made for a test",
        "input": InputSpec(shape=(4,), layout="NCHW", color="RGB", normalisation="x"),
        "outputs": (OutputSpec(name="scaled", shape=(4,), meaning="input times the number"),),
        "build": build_scale,
    }
    # The options replace fields of the same names, each test with the types of those.
    return ModelSpec(**{**values, **options})  # type: ignore[arg-type]


def build_scale(data: bytes, *, on_build: Callable[[], None] = lambda: None) -> onnx.ModelProto:
    """(N, 4) -> `scaled` (N, 4)."""
    on_build()
    writer = GraphWriter("scale")
    writer.add("Mul", "input", writer.constant(np.array(float(data), np.float32)), output="scaled")
    return writer.finish({"input": ["N", 4]}, {"scaled": ["N", 4]})


def _tarball(kind: str, name: str, folder: str, content: bytes) -> Archive:
    stream = io.BytesIO()
    files = {f"{folder}/{_PATH}": content, f"{folder}/package.json": _package_json(name)}
    files[f"{folder}/PKG-INFO"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for path, data in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    compressed = gzip.compress(stream.getvalue(), mtime=0)
    suffix = "tgz" if kind == "npm" else "tar.gz"
    return _archive(kind, name, f"{name}-1.0.{suffix}", compressed, f"{folder}/{_PATH}", content)


def _package_json(name: str) -> bytes:
    return f'{{"name": "{name}", "version": "1.0.0"}}'.encode()


def _archive(kind: str, name: str, file_name: str, data: bytes, path: str, content: bytes) -> Archive:
    package = PinnedPackage(
        kind=kind,  # type: ignore[arg-type] # one of the three literals, by the callers above
        name=name,
        version="1.0.0" if kind == "npm" else "1.0",
        sha256=hashlib.sha256(data).hexdigest(),
        megabytes=1,
    )
    file = PackageFile(package=package, path=path, sha256=hashlib.sha256(content).hexdigest())
    return Archive(file_name, data, package, file)
