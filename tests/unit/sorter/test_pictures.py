"""A picture file is the same bytes to everybody, upright, or it is refused with the reason; never anything between."""

from __future__ import annotations

import io
import os
import struct
import tracemalloc
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, PngImagePlugin

from sorter.errors import PictureRefused
from sorter.pictures import SUFFIXES, read_picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rgb = NDArray[np.uint8]


def colours(height: int = 40, width: int = 56) -> Rgb:
    """Different in every corner, along every side and in every channel."""
    down, across = np.mgrid[0:height, 0:width]
    return np.stack([down * 5 % 256, across * 4 % 256, (down + 2 * across) % 256], axis=2).astype(np.uint8)


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    memory = io.BytesIO()
    picture.save(memory, format=kind, **options)  # type: ignore[arg-type]
    return memory.getvalue()


def read(folder: Path, content: bytes, name: str = "picture.png") -> Rgb:
    (folder / name).write_bytes(content)
    return read_picture(folder / name)


def refusal(path: Path) -> str:
    with pytest.raises(PictureRefused) as refused:
        read_picture(path)
    assert refused.value.message == f"{path} {refused.value.reason}"
    assert refused.value.as_dict()["file"] == str(path)
    assert refused.value.remedy
    return refused.value.reason


def refusal_of(folder: Path, content: bytes) -> str:
    (folder / "picture").write_bytes(content)
    return refusal(folder / "picture")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For examples, one after the other."""
    return tmp_path_factory.mktemp("pictures")


@pytest.mark.parametrize(
    ("kind", "options"),
    [("PNG", {}), ("WEBP", {"lossless": True}), ("BMP", {}), ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"})],
)
def test_a_picture_without_loss_is_its_pixels(tmp_path: Path, kind: str, options: dict[str, object]) -> None:
    got = read(tmp_path, saved(Image.fromarray(colours()), kind, **options))
    assert got.dtype == np.uint8
    assert np.array_equal(got, colours())


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_in_a_file_counts_and_not_its_name(tmp_path: Path, suffix: str) -> None:
    assert np.array_equal(read(tmp_path, saved(Image.fromarray(colours()), "PNG"), f"x{suffix.upper()}"), colours())


def test_a_photograph_is_read_alike_each_time(tmp_path: Path) -> None:
    content = saved(Image.fromarray(colours()), "JPEG", quality=90)
    first = read(tmp_path, content, "a.jpg")
    assert first.shape == (40, 56, 3)
    assert np.abs(first.astype(int) - colours()).mean() < 25
    assert np.array_equal(first, read(tmp_path, content, "b.jpg"))


def test_a_grey_picture_becomes_three_equal_channels(tmp_path: Path) -> None:
    grey = colours()[..., 0]
    got = read(tmp_path, saved(Image.fromarray(grey), "PNG"))
    assert np.array_equal(got, np.repeat(grey[..., None], 3, axis=2))
    assert read(tmp_path, saved(Image.fromarray(grey), "JPEG")).shape == (40, 56, 3)


def test_a_black_and_white_picture_becomes_three_channels(tmp_path: Path) -> None:
    grey = np.where(colours()[..., 0] > 99, 255, 0).astype(np.uint8)
    got = read(tmp_path, saved(Image.fromarray(grey).convert("1", dither=Image.Dither.NONE), "PNG"))
    assert np.array_equal(got, np.repeat(grey[..., None], 3, axis=2))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_of_grey_become_the_upper_eight(tmp_path: Path, kind: str) -> None:
    deep = (np.arange(40 * 56, dtype=np.uint32) * 29).astype(np.uint16).reshape(40, 56)
    got = read(tmp_path, saved(Image.fromarray(deep), kind))
    assert np.array_equal(got, np.repeat((deep >> 8).astype(np.uint8)[..., None], 3, axis=2))


def test_thirty_two_bits_of_grey_are_refused_where_eight_would_lose_them(tmp_path: Path) -> None:
    deep = np.full((40, 56), 40_000, np.int32)
    assert (read(tmp_path, saved(Image.fromarray(deep), "TIFF")) == 40_000 >> 8).all()
    deep[3, 3] = 70_000
    assert "more than 16 bits" in refusal_of(tmp_path, saved(Image.fromarray(deep), "TIFF"))


def png_chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(width: int, height: int, colour_type: int, bits: int, packed: bytes, *extra: bytes) -> bytes:
    """A PNG by hand; ``packed`` is its zlib stream. See ISO/IEC 15948, 11.2."""
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(extra) + png_chunk(b"IDAT", packed) + png_chunk(b"IEND", b"")


def test_sixteen_bits_of_colour_become_the_upper_eight(tmp_path: Path) -> None:
    deep = (np.arange(40 * 56 * 3, dtype=np.uint32) * 29).astype(">u2").reshape(40, 56, 3)
    rows = b"".join(b"\0" + row.tobytes() for row in deep)
    got = read(tmp_path, png(56, 40, 2, 16, zlib.compress(rows)))
    assert np.array_equal(got, (deep >> 8).astype(np.uint8))


def test_a_palette_is_looked_up(tmp_path: Path) -> None:
    palette = Image.fromarray(colours()).quantize(50)
    assert np.array_equal(read(tmp_path, saved(palette, "PNG")), np.asarray(palette.convert("RGB")))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_an_alpha_channel_that_hides_nothing_is_dropped(tmp_path: Path, mode: str) -> None:
    picture = Image.fromarray(colours()).convert(mode)
    got = read(tmp_path, saved(picture, "PNG"))
    assert np.array_equal(got, np.asarray(picture.convert("RGB")))


@pytest.mark.parametrize("alpha", [0, 254])
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_what_hides_behind_transparency_is_not_guessed(tmp_path: Path, kind: str, alpha: int) -> None:
    picture = np.dstack([colours(), np.full((40, 56), 255, np.uint8)])
    picture[5, 5, 3] = alpha
    assert "partly transparent" in refusal_of(tmp_path, saved(Image.fromarray(picture), kind, lossless=True))


def test_a_transparent_colour_is_refused_if_it_is_there_and_dropped_if_not(tmp_path: Path) -> None:
    palette = Image.fromarray(colours()).quantize(50)
    used = int(np.asarray(palette)[0, 0])
    assert "partly transparent" in refusal_of(tmp_path, saved(palette, "PNG", transparency=used))
    white = Image.fromarray(np.full((40, 56, 3), 255, np.uint8))
    assert (read(tmp_path, saved(white, "PNG", transparency=(0, 0, 0))) == 255).all()
    assert "partly transparent" in refusal_of(tmp_path, saved(white, "PNG", transparency=(255, 255, 255)))
    rows = (b"\0" + b"\x12\x34" * 56) * 40
    for value, is_refused in ((0x1234, True), (0x1235, False)):
        content = png(56, 40, 0, 16, zlib.compress(rows), png_chunk(b"tRNS", struct.pack(">H", value)))
        if is_refused:
            assert "partly transparent" in refusal_of(tmp_path, content)
        else:
            assert (read(tmp_path, content) == 0x12).all()


@pytest.mark.parametrize(
    ("mode", "kind"), [("CMYK", "JPEG"), ("CMYK", "TIFF"), ("LAB", "TIFF"), ("F", "TIFF")], ids=str
)
def test_pictures_for_print_and_measurement_are_refused(tmp_path: Path, mode: str, kind: str) -> None:
    picture = Image.fromarray(colours()[..., 0]).convert("F") if mode == "F" else Image.new(mode, (56, 40))
    assert f"colour mode {mode}" in refusal_of(tmp_path, saved(picture, kind))


TURNED = {  # what a camera held so stores of an upright picture (CIPA DC-008, 4.6.5)
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.transpose(1, 0, 2),
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: upright[::-1, ::-1].transpose(1, 0, 2),
    8: lambda upright: np.rot90(upright, -1),
}


def exif_with(orientation: object) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make] = "a maker"
    return exif


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize(
    ("kind", "options"),
    [("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"}), ("JPEG", {})],
)
def test_a_picture_comes_out_upright_however_the_camera_was_held(
    tmp_path: Path, kind: str, options: dict[str, object], orientation: int
) -> None:
    upright = np.zeros((32, 48, 3), np.uint8)
    upright[:16, :16], upright[:16, 32:], upright[16:, :16] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    stored = Image.fromarray(np.ascontiguousarray(TURNED[orientation](upright)))
    got = read(tmp_path, saved(stored, kind, exif=exif_with(orientation), **options))
    assert got.shape == upright.shape
    assert np.abs(got.astype(int) - upright).mean() < (4.0 if kind == "JPEG" else 1e-9)


def test_deep_and_grey_pictures_come_out_upright_too(tmp_path: Path) -> None:
    deep = (colours()[..., 0].astype(np.uint16) << 8).copy()
    stored = Image.fromarray(np.ascontiguousarray(np.rot90(deep, 1)))
    assert np.array_equal(read(tmp_path, saved(stored, "PNG", exif=exif_with(6)))[..., 0], colours()[..., 0])


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_means_nothing_is_no_reason_to_refuse(tmp_path: Path, orientation: int) -> None:
    content = saved(Image.fromarray(colours()), "PNG", exif=exif_with(orientation))
    assert np.array_equal(read(tmp_path, content), colours())


def test_odd_metadata_of_a_whole_picture_neither_warns_nor_refuses(tmp_path: Path) -> None:
    """Pillow warns of cut-off EXIF, and writing it anew fails on values of the wrong kind; neither is a pixel."""
    whole = saved(Image.fromarray(colours()), "PNG")
    for exif in (
        b"MM\0*\0\0\0\x08\0\x03\x01\x12",
        b"MM\0*\0\0\0\x08\0\x01\x01\x0f\0\x02\0\0\xff\xff\0\0\0\0",
        b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x02\0\0\0\x02a\0\0\0\0\0\0\0",
        b"II*\0\x08\0\0\0\x01\0\x1a\x01\x03\0\x05\0\0\0\x08\0\0\0\0\0\0\0",
        b"",
    ):
        content = whole[:33] + png_chunk(b"eXIf", exif) + whole[33:]
        assert np.array_equal(read(tmp_path, content), colours())


def test_a_picture_that_may_lie_on_its_side_is_refused(tmp_path: Path) -> None:
    whole = saved(Image.fromarray(colours()), "PNG")
    assert "is damaged" in refusal_of(tmp_path, whole[:33] + png_chunk(b"eXIf", b"no EXIF") + whole[33:])


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_a_moving_picture_is_refused(tmp_path: Path, kind: str) -> None:
    frames = [Image.fromarray(colours() // number) for number in (1, 2, 3)]
    reason = refusal_of(tmp_path, saved(frames[0], kind, save_all=True, append_images=frames[1:]))
    assert ("no picture that is known here" if kind == "GIF" else "several pictures") in reason


@pytest.mark.parametrize(
    ("found", "written"), [((256, 4, 1, 56), (255, 4, 1, 56)), ((259, 3, 1, 1), (259, 3, 1, 9999))]
)
def test_a_second_picture_that_is_damaged_is_no_defect_of_the_program(
    tmp_path: Path, found: tuple[int, ...], written: tuple[int, ...]
) -> None:
    """Without a width, or packed in a way that nobody knows: tag, type, count and value of a TIFF."""
    picture = Image.fromarray(colours())
    content = saved(picture, "TIFF", save_all=True, append_images=[picture])
    before, second, after = content.rpartition(struct.pack("<HHII", *found))
    assert second
    assert "is damaged" in refusal_of(tmp_path, before + struct.pack("<HHII", *written) + after)


def test_a_phones_picture_with_a_preview_behind_it_is_read(tmp_path: Path) -> None:
    picture = Image.fromarray(colours())
    preview = picture.resize((28, 20))
    content = saved(picture, "MPO", save_all=True, append_images=[preview], quality=95)
    assert read(tmp_path, content).shape == colours().shape


@pytest.mark.parametrize(
    "content", [b"", b"hello\n" * 50, b"\xff\xd8\xff", b"%PDF-1.7\n", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"<svg/>"]
)
def test_what_is_no_picture_is_refused(tmp_path: Path, content: bytes) -> None:
    assert refusal_of(tmp_path, content)


def test_a_folder_a_pipe_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert refusal(tmp_path / "pipe.png") == "is no file"
    assert refusal(tmp_path) == "is no file"
    assert refusal(tmp_path / "missing.png") == "cannot be read: No such file or directory"
    assert "null byte" in refusal(tmp_path / "nu\0l.png")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret.png"
    path.write_bytes(saved(Image.fromarray(colours()), "PNG"))
    path.chmod(0)
    assert refusal(path) == "cannot be read: Permission denied"


@pytest.mark.parametrize("size", [(1, 1), (15, 200), (200, 15)])
def test_a_picture_too_small_to_hold_a_part_is_refused(tmp_path: Path, size: tuple[int, int]) -> None:
    assert "16 a side are the least" in refusal_of(tmp_path, saved(Image.new("RGB", size), "PNG"))


def test_the_smallest_picture_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, saved(Image.new("RGB", (16, 16)), "PNG")).shape == (16, 16, 3)


@pytest.mark.parametrize(("width", "height"), [(30_000, 30_000), (10_000, 10_000), (8_200, 8_000), (2**31 - 1, 16)])
def test_a_small_file_that_unpacks_to_gigabytes_is_refused_before_it_is_unpacked(
    tmp_path: Path, width: int, height: int
) -> None:
    squeezer = zlib.compressobj(9)
    zeros = bytes(1_000_000)
    packed = b"".join(squeezer.compress(zeros) for _ in range(20)) + squeezer.flush()
    path = tmp_path / "bomb.png"
    path.write_bytes(png(width, height, 0, 8, packed))
    assert path.stat().st_size < 50_000
    resident_before = resident_bytes()
    tracemalloc.start()
    try:
        reason = refusal(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "64,000,000" in reason
    assert peak < 2_000_000
    assert resident_bytes() - resident_before < 30_000_000  # tracemalloc does not see what Pillow allocates in C


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_a_file_of_endless_length_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "long.png"
    with path.open("wb") as file:
        file.write(saved(Image.fromarray(colours()), "PNG"))
        file.truncate(100_000_001)
    assert refusal(path) == "has more than 100,000,000 bytes"


def test_text_that_unpacks_to_gigabytes_is_refused(tmp_path: Path) -> None:
    squeezed = zlib.compress(bytes(40_000_000), 9)
    whole = saved(Image.fromarray(colours()), "PNG")
    content = whole[:33] + png_chunk(b"zTXt", b"comment\0\0" + squeezed) + whole[33:]
    assert "data too large" in refusal_of(tmp_path, content).lower()


SAMPLES: dict[str, bytes] = {}


def _fill_samples() -> None:
    picture, exif = Image.fromarray(colours()), exif_with(1)
    text = PngImagePlugin.PngInfo()
    text.add_text("comment", "so it is " * 10, zip=True)
    SAMPLES.update(
        {
            "jpeg": saved(picture, "JPEG", exif=exif),
            "progressive": saved(picture, "JPEG", progressive=True),
            "grey jpeg": saved(picture.convert("L"), "JPEG"),
            "png": saved(picture, "PNG", exif=exif, pnginfo=text),
            "palette": saved(picture.quantize(16), "PNG"),
            "16 bits": saved(Image.fromarray(colours()[..., 0].astype(np.uint16) * 257), "PNG"),
            "opaque": saved(picture.convert("RGBA"), "PNG"),
            "webp": saved(picture, "WEBP", exif=exif),
            "lossless webp": saved(picture, "WEBP", lossless=True),
            "bmp": saved(picture, "BMP"),
            "tiff": saved(picture, "TIFF", exif=exif),
            "phone": saved(picture, "MPO", save_all=True, append_images=[picture]),
        }
    )


_fill_samples()


@pytest.mark.parametrize("name", SAMPLES)
def test_a_picture_that_was_cut_off_is_refused_or_whole(folder: Path, name: str) -> None:
    content = SAMPLES[name]
    whole = read(folder, content)
    cuts = {*range(1, len(content), max(1, len(content) // 90)), *range(len(content) - 20, len(content))}
    for cut in sorted(cuts):
        try:
            got = read(folder, content[:cut])
        except PictureRefused:
            continue
        assert np.array_equal(got, whole), f"{name} cut after {cut} of {len(content)} bytes"


@settings(max_examples=400, deadline=None)
@given(
    name=st.sampled_from(sorted(SAMPLES)),
    changes=st.lists(st.tuples(st.integers(0, 1_000_000), st.integers(0, 255)), min_size=1, max_size=4),
    is_near_the_start=st.booleans(),
    cut=st.none() | st.integers(0, 3000),
)
@example(name="bmp", changes=[(18, 0), (19, 0)], is_near_the_start=True, cut=None)
def test_a_damaged_picture_is_refused_or_a_picture_and_nothing_else(
    folder: Path, name: str, changes: list[tuple[int, int]], is_near_the_start: bool, cut: int | None
) -> None:
    content = bytearray(SAMPLES[name])
    for place, byte in changes:
        content[place % (min(200, len(content)) if is_near_the_start else len(content))] = byte
    try:
        got = read(folder, bytes(content[:cut]))
    except PictureRefused as error:
        assert error.reason  # noqa: PT017  (both ends are right)
        return
    assert got.dtype == np.uint8
    assert got.ndim == 3
    assert got.shape[2] == 3


@settings(max_examples=150, deadline=None)
@given(
    start=st.sampled_from(
        [
            *(b"", b"\xff\xd8\xff\xe0", b"\xff\xd8\xff\xe1", b"BM", b"II*\0", b"MM\0*"),
            *(b"RIFF\x40\0\0\0WEBPVP8 ", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
        ]
    ),
    noise=st.binary(max_size=300),
)
def test_random_bytes_are_refused(folder: Path, start: bytes, noise: bytes) -> None:
    (folder / "noise").write_bytes(start + noise)
    assert refusal(folder / "noise")
