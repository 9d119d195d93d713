"""What is read from a log is what crossed the wire, byte for byte."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from firmware_bridge import wirelog
from firmware_bridge.errors import Refused
from firmware_bridge.wirelog import Entry, WireLog, read_log

ENTRIES = st.lists(st.tuples(st.floats(0, 1e6), st.binary(max_size=40), st.booleans()), max_size=20)


@given(ENTRIES)
@example(
    [(0.0, b"", True), (0.0, b"' \" \\ \n \r \0 \xff", False), (1.0, b"'", True), (1.0, b'"', True), (2, b"\\'", True)]
)
@example([(0.0, b" ", True), (0.0, b"\\", False), (0.0, b"\\x41", False), (0.0, b"' b'", False)])
def test_every_byte_is_read_back_as_it_crossed_the_wire(
    tmp_path_factory: pytest.TempPathFactory, entries: list[tuple[float, bytes, bool]]
) -> None:
    file = tmp_path_factory.mktemp("log") / "wire.log"
    log = WireLog(file)
    for time_s, data, is_sent in entries:
        log.add(time_s, data, is_sent=is_sent)
    log.close()
    assert [(e.time_s, e.data, e.is_sent) for e in log.entries()] == entries
    back = list(read_log(file))
    assert [(e.data, e.is_sent) for e in back] == [(data, is_sent) for _, data, is_sent in entries]
    assert [e.time_s for e in back] == pytest.approx([time_s for time_s, _, _ in entries], abs=1e-6)
    assert file.read_bytes().count(b"\n") == len(entries)


def test_a_log_can_be_read_by_a_person() -> None:
    assert str(Entry(12.345678, True, b"N1001 G1 X10*93\n")) == r"12.345678 > N1001 G1 X10*93\n"
    assert str(Entry(0.5, False, b"ok\xff")) == r"0.500000 < ok\xff"


def test_memory_keeps_the_last_entries_only() -> None:
    log = WireLog()
    for number in range(2500):
        log.add(number, b"%d" % number, is_sent=True)
    kept = log.entries()
    assert len(kept) == 2000
    assert kept[-1].data == b"2499"
    log.close()


def test_a_long_run_does_not_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wirelog, "_FILE_BYTES", 1000)
    file = tmp_path / "wire.log"
    log = WireLog(file)
    for number in range(400):
        log.add(number, b"number %d\n" % number, is_sent=number % 2 == 0)
    log.close()
    files = [file, *(tmp_path / f"wire.log.{age}" for age in (1, 2, 3))]
    assert sorted(tmp_path.iterdir()) == sorted(files)
    assert all(part.stat().st_size <= 1000 for part in files)
    kept = [entry.time_s for part in reversed(files) for entry in read_log(part)]
    assert kept == list(range(400 - len(kept), 400))  # nothing lost at the joints
    assert len(kept) > 50


def test_the_log_of_the_run_before_is_not_lost(tmp_path: Path) -> None:
    file = tmp_path / "wire.log"
    for data in (b"first", b"second"):
        log = WireLog(file)
        log.add(0.0, data, is_sent=True)
        log.close()
    assert [entry.data for entry in read_log(file)] == [b"first", b"second"]


def test_what_is_logged_after_the_end_does_not_open_the_file_again(tmp_path: Path) -> None:
    file = tmp_path / "wire.log"
    log = WireLog(file)
    log.close()
    log.close()
    file.unlink()
    log.add(1.0, b"late", is_sent=False)
    assert not file.exists()
    assert log.entries()[-1].data == b"late"


def test_two_threads_garble_no_entry(tmp_path: Path) -> None:
    file = tmp_path / "wire.log"
    log = WireLog(file)

    def write(mark: bytes) -> None:
        for number in range(300):
            log.add(number, mark * 20, is_sent=True)

    threads = [threading.Thread(target=write, args=(mark,)) for mark in (b"a", b"b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    assert [entry.data for entry in read_log(file)] == [entry.data for entry in log.entries()]
    assert len(log.entries()) == 600


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense",
        b"",
        b"1.000000 >",
        b"1.000000 ? ok",
        b"x > ok",
        b"nan > ok",
        b"1 > ok",
        b"1e3 > ok",
        b"1.000000 > \xff",
        b"1.000000 > \\q",
        b"1.000000 > \\",
        b"1.000000 > \\x4",
        b"1.000000 > \\x41",
        b"1.000000 > \"', b'",
        b"1.000000 > \"' b'",
        b"1.000000 > \"'+b'",
        b"inf > ok",
        b"1.000000 > \"'",
        b"1.000000 > a\0b",
        b"1.000000 > a\rb",
        b"1.000000 > a\x0cb",
        b" 1.000000 > ok",
    ],
)
def test_a_spoilt_log_is_named_with_its_line(tmp_path: Path, line: bytes) -> None:
    file = tmp_path / "wire.log"
    file.write_bytes(b"0.500000 > M115\\n\n" + line + b"\n2.000000 < ok\\n\n")
    entries = read_log(file)
    assert next(entries).data == b"M115\n"
    with pytest.raises(Refused, match=r"wire\.log: line 2 is no log entry"):
        next(entries)


@given(st.binary(max_size=80))
def test_no_file_whatever_makes_up_an_entry(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.mktemp("log") / "wire.log"
    file.write_bytes(content)
    try:
        entries = list(read_log(file))
    except Refused:
        return
    assert "".join(f"{entry}\n" for entry in entries).encode().rstrip(b"\n") == content.rstrip(b"\n")


def test_an_empty_log_has_no_entries(tmp_path: Path) -> None:
    (tmp_path / "wire.log").touch()
    assert list(read_log(tmp_path / "wire.log")) == []


@pytest.mark.parametrize("name", ["no folder/wire.log", "."])
def test_a_log_that_cannot_be_read_or_written_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(Refused, match="cannot be read"):
        list(read_log(tmp_path / name))
    with pytest.raises(Refused, match="cannot be written"):
        WireLog(tmp_path / name)
