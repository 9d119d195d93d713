"""The folder of pictures: never above its bound, what matters least goes first, and the rig never waits for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sorter.ledger.pictures import PictureFolder, Worth
from sorter.pictures import read_picture

if TYPE_CHECKING:
    from sorter.types.pictures import RgbArray

PLENTY = 10_000_000
BLOCK = 4096

# A child that writes large pictures until it is killed.
WRITER = """
import sys
import time
from pathlib import Path
from sorter.ledger.pictures import PictureFolder, Worth
from tests.unit.sorter.ledger.test_pictures import noise
folder = PictureFolder(Path(sys.argv[1]), 50_000_000)
first = int(sys.argv[2])
rgb = noise(1, 900)
for number in range(first, first + 10_000):
    folder.keep(f"parts/1/{number}-0.jpg", rgb, worth=Worth.ORDINARY)
    while folder.waiting > 4:
        time.sleep(0.001)
"""


def noise(seed: int, side_px: int = 16) -> RgbArray:
    """A picture that no JPEG makes small."""
    return np.random.default_rng(seed).integers(0, 256, (side_px, side_px, 3), dtype=np.uint8)


def there(folder: Path) -> dict[str, Worth]:
    """Names on the disk, and what they are worth."""
    return {
        str(file.relative_to(folder / worth)): worth
        for worth in Worth
        for file in (folder / worth).rglob("*.jpg")
        if file.is_file()
    }


def blocks(folder: Path, name: str) -> int:
    """Bytes that a picture takes in whole blocks."""
    size = next(folder.glob(f"*/{name}")).stat().st_size
    return -(-size // BLOCK) * BLOCK


def keep(folder: Path, max_bytes: int, name: str, rgb: RgbArray, worth: Worth = Worth.ORDINARY) -> list[str]:
    """One picture, with a folder of its own: the next one has to find out what is there. Returns the notes."""
    notes: list[str] = []
    with PictureFolder(folder, max_bytes, on_note=notes.append) as pictures:
        pictures.keep(name, rgb, worth=worth)
    return notes


def test_a_picture_is_found_again_under_its_name_and_shows_what_it_did(tmp_path: Path) -> None:
    rgb = np.zeros((40, 60, 3), np.uint8)
    rgb[:, :30] = (200, 30, 40)
    with PictureFolder(tmp_path / "pictures", PLENTY) as pictures:
        assert pictures.path("parts/7/12-0.jpg") is None
        pictures.keep("parts/7/12-0.jpg", rgb, worth=Worth.ORDINARY)
        pictures.keep("incidents/3.jpg", rgb[:, ::-1], worth=Worth.UNCERTAIN)
    file, mirrored = pictures.path("parts/7/12-0.jpg"), pictures.path("incidents/3.jpg")
    assert file is not None
    assert mirrored is not None
    assert np.abs(read_picture(file).astype(int) - rgb).mean() < 5
    assert np.abs(read_picture(mirrored).astype(int) - rgb[:, ::-1]).mean() < 5


KEPT = st.tuples(st.integers(0, 11), st.sampled_from(Worth), st.sampled_from([16, 40, 64, 90]))


@settings(max_examples=25, deadline=None)
@given(st.lists(KEPT, min_size=1, max_size=12), st.integers(2, 8), st.booleans())
def test_never_above_the_bound_ordinary_before_uncertain_and_the_oldest_first(
    kept: list[tuple[int, Worth, int]], most_blocks: int, is_restarted: bool
) -> None:
    with tempfile.TemporaryDirectory() as name, PictureFolder(Path(name), most_blocks * BLOCK) as whole:
        folder, max_bytes = Path(name), most_blocks * BLOCK
        ages: dict[str, int] = {}
        for age, (number, worth, side_px) in enumerate(kept):
            new = f"parts/1/{number}-0.jpg"
            before = there(folder)
            sizes = {each: blocks(folder, each) for each in before}
            if is_restarted:
                keep(folder, max_bytes, new, noise(age, side_px), worth)
            else:
                keep_and_wait(whole, new, noise(age, side_px), worth)
            before.pop(new, None)
            after = there(folder)
            total = sum(blocks(folder, each) for each in after)
            assert total <= max_bytes
            if new in after:
                ages[new] = age
                assert after.pop(new) is worth
            else:
                uncertain = sum(sizes[each] for each in before if before[each] is Worth.UNCERTAIN)
                assert after == before
                assert blocks_of(noise(age, side_px)) + uncertain * (worth is Worth.ORDINARY) > max_bytes
            gone = sorted((each for each in before if each not in after), key=ages.__getitem__)
            for each in gone:
                assert all(ages[each] < ages[other] for other in after if after[other] is before[each])
            last = [each for each in gone if before[each] is Worth.UNCERTAIN]
            if last:
                assert worth is Worth.UNCERTAIN
                assert Worth.ORDINARY not in after.values()
            if gone:  # and not one more than had to go
                assert total + sizes[(last or gone)[-1]] > max_bytes


def keep_and_wait(pictures: PictureFolder, name: str, rgb: RgbArray, worth: Worth) -> None:
    """Until the thread has dealt with it: the queue is empty, and what follows was written or dropped."""
    pictures.keep(name, rgb, worth=worth)
    while pictures.waiting:
        time.sleep(0.0005)


def blocks_of(rgb: RgbArray) -> int:
    with tempfile.TemporaryDirectory() as name:
        keep(Path(name), PLENTY, "a.jpg", rgb)
        return blocks(Path(name), "a.jpg")


def test_a_clock_that_is_set_back_does_not_make_the_newest_picture_the_oldest(tmp_path: Path) -> None:
    keep(tmp_path, 2 * BLOCK, "parts/1/1-0.jpg", noise(1))
    later_ns = time.time_ns() + 10**18
    os.utime(tmp_path / "ordinary/parts/1/1-0.jpg", ns=(later_ns, later_ns))
    keep(tmp_path, 2 * BLOCK, "parts/1/2-0.jpg", noise(2))
    keep(tmp_path, 2 * BLOCK, "parts/1/3-0.jpg", noise(3))
    assert set(there(tmp_path)) == {"parts/1/2-0.jpg", "parts/1/3-0.jpg"}


def test_a_bound_that_was_lowered_holds_from_the_next_picture_on(tmp_path: Path) -> None:
    for number in range(6):
        keep(
            tmp_path,
            PLENTY,
            f"parts/1/{number}-0.jpg",
            noise(number),
            Worth.UNCERTAIN if number == 0 else Worth.ORDINARY,
        )
    keep(tmp_path, 3 * BLOCK, "parts/2/6-0.jpg", noise(6))
    assert set(there(tmp_path)) == {"parts/1/0-0.jpg", "parts/1/5-0.jpg", "parts/2/6-0.jpg"}


def test_folders_of_runs_whose_pictures_are_gone_do_not_pile_up(tmp_path: Path) -> None:
    for number in range(4):
        keep(tmp_path, BLOCK, f"parts/{number}/1-0.jpg", noise(number))
    assert [each.name for each in (tmp_path / "ordinary/parts").iterdir()] == ["3"]


def test_files_of_others_are_neither_counted_nor_touched(tmp_path: Path) -> None:
    foreign = [tmp_path / "notes.txt", tmp_path / "ordinary/huge.png", tmp_path / "ordinary/parts/1/a b.jpg"]
    for each in foreign:
        each.parent.mkdir(parents=True, exist_ok=True)
        each.write_bytes(b"x" * 100_000)
    (tmp_path / "ordinary/parts/1/9-0.jpg").symlink_to(foreign[0])
    (tmp_path / "ordinary/elsewhere").symlink_to(tmp_path)
    assert keep(tmp_path, BLOCK, "parts/1/1-0.jpg", noise(1)) == []
    assert keep(tmp_path, BLOCK, "parts/1/2-0.jpg", noise(2)) == []
    assert not (tmp_path / "ordinary/parts/1/1-0.jpg").exists()
    assert (tmp_path / "ordinary/parts/1/2-0.jpg").is_file()
    assert all(each.stat().st_size == 100_000 for each in foreign)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "../a.jpg",
        "/etc/a.jpg",
        "parts/../../a.jpg",
        "a.png",
        ".unfinished",
        "a//b.jpg",
        "a.jpg/",
        "a\n.jpg",
        "ü.jpg",
    ],
)
def test_a_name_leads_nowhere_out_of_the_folder(tmp_path: Path, name: str) -> None:
    with PictureFolder(tmp_path / "pictures", PLENTY) as pictures:
        with pytest.raises(ValueError, match="no name for a picture"):
            pictures.keep(name, noise(1), worth=Worth.ORDINARY)
        assert pictures.path(name) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("shape", [(0, 4, 3), (4, 4), (4, 4, 4)])
def test_what_is_no_picture_is_refused_before_it_waits(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with PictureFolder(tmp_path, PLENTY) as pictures, pytest.raises(ValueError, match="H×W×3"):
        pictures.keep("a.jpg", np.zeros(shape, np.uint8), worth=Worth.ORDINARY)


def test_a_picture_that_is_too_wide_for_a_jpeg_is_noted_and_the_next_one_kept(tmp_path: Path) -> None:
    notes: list[str] = []
    with PictureFolder(tmp_path, PLENTY, on_note=notes.append) as pictures:
        pictures.keep("wide.jpg", np.zeros((1, 70_000, 3), np.uint8), worth=Worth.ORDINARY)
        pictures.keep("good.jpg", noise(1), worth=Worth.ORDINARY)
    assert set(there(tmp_path)) == {"good.jpg"}
    assert len(notes) == 1
    assert "no JPEG" in notes[0]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_is_noted_once_and_the_pictures_after_it_are_kept(tmp_path: Path) -> None:
    notes: list[str] = []
    with PictureFolder(tmp_path, PLENTY, on_note=notes.append) as pictures:
        keep_and_wait(pictures, "parts/1/1-0.jpg", noise(1), Worth.ORDINARY)
        for number in (2, 3):
            (tmp_path / ".unfinished").symlink_to("/dev/full")
            keep_and_wait(pictures, f"parts/1/{number}-0.jpg", noise(number), Worth.ORDINARY)
        keep_and_wait(pictures, "parts/1/4-0.jpg", noise(4), Worth.ORDINARY)
        assert pictures.dropped == 2
    assert set(there(tmp_path)) == {"parts/1/1-0.jpg", "parts/1/4-0.jpg"}
    assert len(notes) == 1
    assert "No space left on device" in notes[0]


def test_a_folder_that_cannot_be_made_is_noted_once_and_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "pictures").write_text("a file is in the way")
    notes: list[str] = []
    with PictureFolder(tmp_path / "pictures", PLENTY, on_note=notes.append) as pictures:
        for number in range(3):
            pictures.keep(f"parts/1/{number}-0.jpg", noise(number), worth=Worth.ORDINARY)
    assert pictures.dropped == 3
    assert len(notes) == 1
    assert str(tmp_path / "pictures") in notes[0]


def test_when_uncertain_pictures_fill_the_folder_it_is_said_once_that_ordinary_ones_are_not_kept(
    tmp_path: Path,
) -> None:
    notes: list[str] = []
    with PictureFolder(tmp_path, 2 * BLOCK, on_note=notes.append) as pictures:
        for number in range(2):
            pictures.keep(f"parts/1/{number}-0.jpg", noise(number), worth=Worth.UNCERTAIN)
        for number in range(2, 5):
            pictures.keep(f"parts/1/{number}-0.jpg", noise(number), worth=Worth.ORDINARY)
    assert set(there(tmp_path)) == {"parts/1/0-0.jpg", "parts/1/1-0.jpg"}
    assert len(notes) == 1
    assert "no room" in notes[0]


def test_a_disk_that_hangs_keeps_nobody_waiting_and_uncertain_pictures_get_the_places_in_the_queue(
    tmp_path: Path,
) -> None:
    notes: list[str] = []
    with PictureFolder(tmp_path, PLENTY, on_note=notes.append) as pictures:
        keep_and_wait(pictures, "first.jpg", noise(0), Worth.ORDINARY)
        os.mkfifo(tmp_path / ".unfinished")  # opened for writing, it hangs until somebody reads
        for number in range(400):
            pictures.keep(f"parts/1/{number}-0.jpg", noise(number), worth=Worth.ORDINARY)
        assert len(notes) == 1
        assert "faster than the disk" in notes[0]
        for number in range(20):
            pictures.keep(f"incidents/{number}.jpg", noise(number), worth=Worth.UNCERTAIN)
        (tmp_path / ".unfinished").read_bytes()
    kept = there(tmp_path)
    assert {f"incidents/{number}.jpg" for number in range(20)} <= kept.keys()
    assert len(kept) + pictures.dropped + 1 == 421  # one went into the pipe
    assert len(notes) == 1


def test_large_pictures_that_wait_do_not_eat_the_memory(tmp_path: Path) -> None:
    with PictureFolder(tmp_path, PLENTY) as pictures:
        keep_and_wait(pictures, "first.jpg", noise(0), Worth.ORDINARY)
        os.mkfifo(tmp_path / ".unfinished")
        frame = np.zeros((1000, 1000, 3), np.uint8)
        for number in range(60):
            pictures.keep(f"parts/1/{number}-frame.jpg", frame, worth=Worth.UNCERTAIN)
        assert pictures.waiting <= 17  # 48 MB, and the one that is being written
        (tmp_path / ".unfinished").read_bytes()


def test_close_waits_for_what_was_handed_in_and_nothing_can_be_handed_in_after_it(tmp_path: Path) -> None:
    pictures = PictureFolder(tmp_path, PLENTY)
    for number in range(50):
        pictures.keep(f"parts/1/{number}-0.jpg", noise(number), worth=Worth.ORDINARY)
    pictures.close()
    pictures.close()
    assert len(there(tmp_path)) == 50
    assert pictures.used_bytes == 50 * BLOCK
    with pytest.raises(ValueError, match="was closed"):
        pictures.keep("a.jpg", noise(1), worth=Worth.ORDINARY)


def test_looking_for_pictures_writes_nothing_and_tells_what_is_free(tmp_path: Path) -> None:
    with PictureFolder(tmp_path / "not" / "there", PLENTY) as pictures:
        assert pictures.path("parts/1/1-0.jpg") is None
        assert pictures.free_bytes() > 0
    assert list(tmp_path.iterdir()) == []


def test_a_kill_in_the_middle_of_a_picture_leaves_no_half_picture_under_its_name(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    for attempt in range(2):
        with subprocess.Popen([*command, str(1 + 10_000 * attempt)], cwd=Path(__file__).parents[4]) as child:
            try:
                while not (there(tmp_path) and is_begun(tmp_path / ".unfinished")):
                    assert child.poll() is None
            finally:
                child.send_signal(signal.SIGKILL)
        for file in tmp_path.rglob("*.jpg"):
            assert read_picture(file).shape == (900, 900, 3)
    keep(tmp_path, PLENTY, "parts/2/1-0.jpg", noise(1))
    assert not (tmp_path / ".unfinished").exists()


def is_begun(file: Path) -> bool:
    try:
        return file.stat().st_size > 0
    except FileNotFoundError:
        return False


def test_an_empty_file_that_a_loss_of_power_left_is_taken_away(tmp_path: Path) -> None:
    keep(tmp_path, PLENTY, "parts/1/1-0.jpg", noise(1))
    (tmp_path / "ordinary/parts/1/2-0.jpg").touch()
    keep(tmp_path, PLENTY, "parts/1/3-0.jpg", noise(3))
    assert set(there(tmp_path)) == {"parts/1/1-0.jpg", "parts/1/3-0.jpg"}
