"""Drawings and letters made by others, fetched once into the user's cache: see CREDITS.md."""

from __future__ import annotations

import json
import tarfile
from functools import cache
from pathlib import Path

from platformdirs import user_cache_path

from chassis.models.packages import PinnedPackage, fetch

__all__ = ["FONTS", "icon_names", "icon_svg", "font_file"]

_ICONS = PinnedPackage(
    kind="npm",
    name="@iconify-json/game-icons",
    version="1.2.4",
    sha256="f5758efb34d91c4f50b941f355f16ee73938625e5996fabc25171288404460a4",
    megabytes=3,
)
_FONT_SUMS = {
    "cinzel": "b80629f715b4603fd099c0ceaa94cc7a15308a75a9cf52f0613a312ee6d53c28",
    "great-vibes": "0bfdc957fa42a6d17288fce79a9299dab14742b77bdbb223c4385739d4035ca9",
    "permanent-marker": "1fc372d174353a87b0ae7bb9651e32e7d1731f9e0b4c50c5d8704baea032bc1b",
    "pinyon-script": "7b4064f2c0145016091fee841067f1edd8c06225c575bffde3f4d9232d231dbe",
    "pirata-one": "b08505bef8f1ddee4cfc826f6c8e79fe1326cd59343cfd578c8a339fa5b84d33",
    "rye": "df0c20fb23fc88745cb64e3ad9fc8ee5058fcb8940af06ace364c6dbde49c22b",
    "sacramento": "d9214720a61e878d67296a55afec2c372b1e6a9a6a00718e8e343def34911ae3",
    "special-elite": "c4b33d38d9829a962bcb3fe8067ee8ce062c2a936e9e01fc072ddaf9cc897460",
    "unifrakturcook": "ad50231ed317614b8008d5debb278d5df522ec2ac889f74266b6a687cac086ab",
}
_FONT_WEIGHTS = {"unifrakturcook": 700}
FONTS = tuple(_FONT_SUMS)
"""Names of the fonts: engraved, script, marker, blackletter, wild west, typewriter."""


def icon_names() -> tuple[str, ...]:
    """Names of all drawings, in the alphabet's order."""
    return tuple(sorted(_icons()))


def icon_svg(name: str, *, side: int) -> str:
    """A drawing as SVG, black on nothing, `side` pixels wide and high."""
    body = _icons()[name].replace("currentColor", "#000")
    box = f'width="{side}" height="{side}" viewBox="0 0 512 512"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box}>{body}</svg>'


@cache
def font_file(name: str) -> Path:
    """A font's file, ready to be opened."""
    package = PinnedPackage(
        kind="npm", name=f"@fontsource/{name}", version="5.3.0", sha256=_FONT_SUMS[name], megabytes=1
    )
    path = _folder() / f"{name}.woff"
    if not path.exists():
        member = f"package/files/{name}-latin-{_FONT_WEIGHTS.get(name, 400)}-normal.woff"
        path.write_bytes(_member(package, member))
    return path


@cache
def _icons() -> dict[str, str]:
    stored = json.loads(_member(_ICONS, "package/icons.json"))
    return {name: icon["body"] for name, icon in stored["icons"].items()}


def _member(package: PinnedPackage, path: str) -> bytes:
    archive = _folder() / package.archive_name
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fetch(package, _folder())) as opened:
        stream = opened.extractfile(path)
        assert stream is not None, f"{package} holds {path}"  # the checksum says so
        return stream.read()


def _folder() -> Path:
    folder = user_cache_path("marquee", appauthor=False) / "studio"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
