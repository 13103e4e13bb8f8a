"""Pictures are recognised, limited, decoded and turned upright, and nothing else gets through."""

import base64
import hashlib
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import ConfigError, InvalidImage
from chassis.images import (
    PIXEL_CEILING,
    ImageFormat,
    ImageHeader,
    ImageLimits,
    RGBImage,
    cv2,
    decode,
    image_hash,
    inspect,
)
from tests.fakes.pictures import encode, gradient, png, png_chunk, with_orientation

LOSSLESS_WEBP = (cv2.IMWRITE_WEBP_QUALITY, 101)
PROGRESSIVE = (cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
ENCODED = {
    "jpeg": encode(gradient(), ".jpg"),
    "progressive jpeg": encode(gradient(), ".jpg", *PROGRESSIVE),
    "png": encode(gradient(), ".png"),
    "lossy webp": encode(gradient(), ".webp", cv2.IMWRITE_WEBP_QUALITY, 90),
    "lossless webp": encode(gradient(), ".webp", *LOSSLESS_WEBP),
    "extended webp": with_orientation(encode(gradient(), ".webp", *LOSSLESS_WEBP), 6),
}
# 8x8, Adobe CMYK: no cyan, much magenta and yellow, so it shows red.
CMYK_JPEG = base64.b64decode(
    "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwAbEhQXFBEbFxYXHhwbIChCKyglJShROj0wQmBVZWRfVV1baniZgWpxkHNbXYW1hpCeo6utq2eA"
    "vMm6pseZqKuk/8AAFAgACAAIBEMRAE0RAFkRAEsRAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//EALUQAAIBAwMCBAMF"
    "BQQEAAABfQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZHSElKU1RVVldY"
    "WVpjZGVmZ2hpanN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV1tfY2drh4uPk5ebn"
    "6Onq8fLz9PX29/j5+v/aAA4EQwBNAFkASwAAPwDpqyaya6Ov/9k="
)


def assert_close(actual: RGBImage, expected: RGBImage, *, within: int = 24) -> None:
    """Equal but for what a lossy codec does to a gradient."""
    assert actual.dtype == np.uint8
    assert actual.flags.c_contiguous
    assert actual.shape == expected.shape
    assert np.abs(actual.astype(int) - expected).max() <= within


@pytest.mark.parametrize("name", ["jpeg", "progressive jpeg", "png", "lossy webp", "lossless webp"])
def test_each_format_is_measured_and_decoded_to_rgb(name: str) -> None:
    """The header gives format and size; decoding gives the pixels, red first."""
    data = ENCODED[name]
    assert inspect(data) == ImageHeader(ImageFormat(name.split()[-1]), 64, 48, 1)
    assert_close(decode(data), gradient(), within=0 if name in ("png", "lossless webp") else 24)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("extension", [".jpg", ".png", ".webp"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_orientation_is_undone_in_size_and_pixels(extension: str, orientation: int, order: str) -> None:
    """A picture stored in any of the eight orientations comes out upright, and so does its size."""
    stored: dict[int, RGBImage] = {
        1: gradient(),
        2: gradient()[:, ::-1],
        3: gradient()[::-1, ::-1],
        4: gradient()[::-1],
        5: gradient().transpose(1, 0, 2),
        6: np.rot90(gradient(), 1),
        7: np.rot90(gradient(), 2).transpose(1, 0, 2),
        8: np.rot90(gradient(), -1),
    }
    lossless = (cv2.IMWRITE_JPEG_QUALITY, 100) if extension == ".jpg" else LOSSLESS_WEBP
    plain = encode(stored[orientation], extension, *(() if extension == ".png" else lossless))
    data = with_orientation(plain, orientation, order=order)
    header = inspect(data)
    assert (header.width, header.height, header.orientation) == (64, 48, orientation)
    assert_close(decode(data), gradient())


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_impossible_orientation_counts_as_upright(value: int) -> None:
    """A damaged EXIF block does not cost the picture."""
    assert inspect(with_orientation(ENCODED["jpeg"], value)).orientation == 1


def test_cmyk_jpeg_becomes_rgb() -> None:
    """Print colours are converted: magenta and yellow ink show as red."""
    red, green, blue = decode(CMYK_JPEG)[4, 4].tolist()
    assert red > 200
    assert max(green, blue) < 100


def test_grey_and_16_bit_pictures_become_8_bit_rgb() -> None:
    """One channel is repeated three times; of 16 bits the upper 8 stay."""
    grey = gradient()[:, :, 0]
    assert_close(decode(encode(grey)), np.repeat(grey[:, :, None], 3, axis=2), within=0)
    assert_close(decode(encode(gradient().astype(np.uint16) * 257)), gradient(), within=0)


@pytest.mark.parametrize("extension", [".png", ".webp"])
def test_transparency_is_dropped(extension: str) -> None:
    """A transparent picture gives its colours."""
    opacity = np.full((48, 64, 1), 100, np.uint8)
    options = LOSSLESS_WEBP if extension == ".webp" else ()
    data = encode(np.concatenate([gradient(), opacity], axis=2), extension, *options)
    assert_close(decode(data), gradient(), within=0)


def test_palette_png_becomes_rgb() -> None:
    """Indexed colours are looked up."""
    palette = png_chunk(b"PLTE", bytes([10, 20, 30, 200, 150, 100]))
    data = png(2, 1, b"\0\0\1", color=3, extra=palette)
    assert decode(data).tolist() == [[[10, 20, 30], [200, 150, 100]]]


def test_an_animation_gives_its_first_frame() -> None:
    """An animated WebP is the picture it starts with."""
    animation = cv2.Animation()
    animation.frames = [gradient()[:, :, ::-1].copy(), gradient()[::-1, :, ::-1].copy()]
    animation.durations = [100, 100]
    done, buffer = cv2.imencodeanimation(".webp", animation, list(LOSSLESS_WEBP))
    assert done
    assert inspect(buffer.tobytes()).format is ImageFormat.WEBP
    assert_close(decode(buffer.tobytes()), gradient())


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8\xff", b"GIF89a" + bytes(50), b"BM" + bytes(60), b"not a picture"]
)
def test_what_is_not_an_accepted_picture_is_refused(data: bytes) -> None:
    """Nothing, a bare signature, other formats and plain text are refused before a decoder sees them."""
    with pytest.raises(InvalidImage):
        inspect(data)
    with pytest.raises(InvalidImage):
        decode(data)


@pytest.mark.parametrize("name", ENCODED)
def test_a_picture_cut_off_anywhere_is_refused_from_its_header(name: str) -> None:
    """No prefix of a picture passes, so an upload that broke off never becomes a half-grey picture."""
    data = ENCODED[name]
    for end in range(len(data)):
        with pytest.raises(InvalidImage):
            inspect(data[:end])


def test_a_jpeg_whose_thumbnail_has_an_end_marker_is_still_truncated() -> None:
    """The end marker of an embedded preview does not pass for that of the picture."""
    preview = ENCODED["jpeg"]
    segment = b"\xff\xe2" + struct.pack(">H", len(preview) + 2) + preview
    whole = preview[:2] + segment + preview[2:]
    assert_close(decode(whole), gradient())
    with pytest.raises(InvalidImage, match="truncated"):
        inspect(whole[:-100])


def test_bytes_after_the_end_are_ignored() -> None:
    """Phones append data to a JPEG; the picture is complete without it."""
    assert_close(decode(ENCODED["jpeg"] + bytes(1000)), gradient())


def test_damaged_content_is_refused_when_decoding() -> None:
    """A PNG whose data fails its checksum has a good header and no picture."""
    data = bytearray(ENCODED["png"])
    data[len(data) // 2] ^= 0xFF
    assert inspect(bytes(data)).width == 64
    with pytest.raises(InvalidImage):
        decode(bytes(data))


def test_a_huge_picture_is_refused_by_its_header() -> None:
    """20000x20000 in a small file is refused before a byte of it is decoded, and the limit is named."""
    with pytest.raises(InvalidImage, match=r"20000x20000.*50 megapixels"):
        decode(png(20_000, 20_000, bytes(1000)))


def test_limits_are_inclusive() -> None:
    """Exactly as many bytes and pixels as allowed pass; one more does not."""
    data = ENCODED["png"]
    assert inspect(data, ImageLimits(max_bytes=len(data), max_pixels=64 * 48)).width == 64
    with pytest.raises(InvalidImage, match="bytes"):
        inspect(data, ImageLimits(max_bytes=len(data) - 1))
    with pytest.raises(InvalidImage, match="megapixels"):
        inspect(data, ImageLimits(max_pixels=64 * 48 - 1))


def test_a_header_that_lies_about_the_size_is_refused() -> None:
    """A WebP whose canvas claims another size than its picture never gets out under the claimed one."""
    data = bytearray(ENCODED["extended webp"])
    canvas = data.index(b"VP8X") + 12
    data[canvas : canvas + 3] = (9).to_bytes(3, "little")
    with pytest.raises(InvalidImage):
        decode(bytes(data))


def test_a_jpeg_of_many_scans_is_refused() -> None:
    """A small progressive file that would cost a hundred passes over its pixels is refused by its header."""
    data = ENCODED["progressive jpeg"]
    scan = data.rindex(b"\xff\xda")
    with pytest.raises(InvalidImage, match="scans"):
        inspect(data[:-2] + data[scan:-2] * 100 + data[-2:])


def test_a_limit_above_the_decoder_ceiling_is_a_configuration_error() -> None:
    """A limit that OpenCV would not honour is refused when it is set."""
    for limits in ({"max_pixels": PIXEL_CEILING + 1}, {"max_pixels": 0}, {"max_bytes": 0}):
        with pytest.raises(ConfigError, match=next(iter(limits))):
            ImageLimits(**limits)


def test_opencv_has_the_ceiling_too() -> None:
    """Were a header read wrongly, OpenCV itself refuses to allocate more than the ceiling."""
    data = np.frombuffer(png(20_000, 20_000, bytes(1000)), np.uint8)
    with pytest.raises(cv2.error, match="pixels"):
        cv2.imdecode(data, cv2.IMREAD_COLOR)


def test_hash_is_sha256_of_the_bytes() -> None:
    """The hash identifies the uploaded bytes."""
    assert image_hash(b"abc") == hashlib.sha256(b"abc").hexdigest()


@given(data=st.binary(max_size=300), signature=st.sampled_from([b"", *(d[:40] for d in ENCODED.values())]))
def test_arbitrary_bytes_never_raise_anything_else(data: bytes, signature: bytes) -> None:
    """Whatever follows a signature, reading the header succeeds or says InvalidImage."""
    _inspect_or_refuse(signature + data)


@given(
    name=st.sampled_from(sorted(ENCODED)),
    position=st.floats(0, 1, exclude_max=True),
    replacement=st.binary(min_size=1, max_size=8),
)
def test_damaged_pictures_never_raise_anything_else(name: str, position: float, replacement: bytes) -> None:
    """A picture with some bytes overwritten is decoded to the size its header says, or refused."""
    data = bytearray(ENCODED[name])
    start = int(position * len(data))
    data[start : start + len(replacement)] = replacement
    header = _inspect_or_refuse(bytes(data))
    if header is None or header.width * header.height > 1_000_000:
        return
    try:
        pixels = decode(bytes(data))
    except InvalidImage:
        return
    assert pixels.shape == (header.height, header.width, 3)


def _inspect_or_refuse(data: bytes) -> ImageHeader | None:
    try:
        return inspect(data)
    except InvalidImage:
        return None
