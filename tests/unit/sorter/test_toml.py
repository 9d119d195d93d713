"""A mistake in a TOML file is named with its line and key, and nothing of the file is used."""

from __future__ import annotations

import contextlib
import enum
import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from sorter.errors import ConfigError
from sorter.toml import Mistake, TomlModel, check_toml, key_lines, problems_in, read_toml


class Colour(enum.StrEnum):
    RED = "red"
    BLUE = "blue"


class Shelf(TomlModel):
    kind: Literal["shelf"]
    width_mm: Annotated[float, Field(gt=0)]


class Drawer(TomlModel):
    kind: Literal["drawer"]
    depth_mm: Annotated[float, Field(gt=0)]


class Bin(TomlModel):
    id: str
    angle_deg: Annotated[float, Field(ge=0, lt=360)]
    colours: tuple[Colour, ...] = ()


class Store(TomlModel):
    path: Path = Path("here")
    bins: tuple[Bin, ...] = ()
    place: Annotated[Shelf | Drawer, Field(discriminator="kind")] | None = None


def problems(tmp_path: Path, text: str | bytes) -> list[str]:
    file = tmp_path / "store.toml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ConfigError) as caught:
        read_toml(file, Store)
    assert str(file) in str(caught.value)
    assert caught.value.as_dict()["file"] == str(file)
    return [str(problem) for problem in caught.value.problems]


def test_a_good_file_is_read_into_a_frozen_model(tmp_path: Path) -> None:
    file = tmp_path / "store.toml"
    file.write_text(
        'path = "/var/lib"\nplace = { kind = "drawer", depth_mm = 3 }\n'
        '[[bins]]\nid = "a"\nangle_deg = 12\ncolours = ["red"]\n',
        encoding="utf-8",
    )
    store = read_toml(file, Store)
    assert store == Store(
        path=Path("/var/lib"),
        place=Drawer(kind="drawer", depth_mm=3.0),
        bins=(Bin(id="a", angle_deg=12.0, colours=(Colour.RED,)),),
    )
    with pytest.raises(ValidationError, match="frozen"):
        store.bins[0].angle_deg = 13.0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# one\n\npth = 'x'\n", ['line 3: pth: is not a key that is known here; did you mean "path"?']),
        ("zzz = 1\n", ["line 1: zzz: is not a key that is known here; known are path, bins, place"]),
        ("[[bins]]\nid = 'a'\n", ["line 1: bins.0.angle_deg: is missing; add it"]),
        (
            "[[bins]]\nid = 'a'\nangle_deg = 1\n\n[[bins]]\nid = 'b'\nangle_deg = 400\n",
            ["line 7: bins.1.angle_deg: input should be less than 360, got 400"],
        ),
        (
            "[[bins]]\nid = 7\nangle_deg = '12'\n",
            [
                "line 2: bins.0.id: input should be a valid string, got 7",
                'line 3: bins.0.angle_deg: input should be a valid number, got "12"',
            ],
        ),
        (
            "[[bins]]\nid = 'a'\nangle_deg = nan\n",
            ["line 3: bins.0.angle_deg: input should be a finite number, got NaN"],
        ),
        (
            "[[bins]]\nid = 'a'\nangle_deg = 1\ncolours = [\n  'red',\n  'pink',\n]\n",
            ["line 4: bins.0.colours.1: input should be 'red' or 'blue', got \"pink\""],
        ),
        (
            "[[bins]]\nid = 'a'\nangle_dge = 1\n",
            [
                "line 1: bins.0.angle_deg: is missing; add it",
                'line 3: bins.0.angle_dge: is not a key that is known here; did you mean "angle_deg"?',
            ],
        ),
        ("[place]\nkind = 'shelf'\nwidth_mm = 0\n", ["line 3: place.width_mm: input should be greater than 0, got 0"]),
        ("[place]\nkind = 'shelf'\n", ["line 1: place.width_mm: is missing; add it"]),
        (
            "# one\npath = 2026-01-02\n",
            ["line 2: path: is a date or time, and none is known here; put text into quotes"],
        ),
        (
            "path = 2026-01-02\npth = 1\n",
            [
                "line 1: path: is a date or time, and none is known here; put text into quotes",
                'line 2: pth: is not a key that is known here; did you mean "path"?',
            ],
        ),
        ("[[place]]\n", ["line 1: place: must be a table, such as [place] or { key = value }"]),
        ('"\\u001b[31mred\\nline 9: x" = 1\n', None),
        ("path = 'a'\npath = 'b'\n", ["line 2: is no valid TOML: Cannot overwrite a value"]),
        ("path = \n", ["line 1: is no valid TOML: Invalid value"]),
        ("path = '''a\nb\n", ["line 2: is no valid TOML: Expected \"'''\""]),
        (b"path = '\xff'\n", ["line 1: is not UTF-8 text; save the file as UTF-8"]),
    ],
)
def test_a_mistake_is_named_with_line_and_key(tmp_path: Path, text: str | bytes, expected: list[str] | None) -> None:
    found = problems(tmp_path, text)
    if expected is None:
        assert not any(set(line) & set("\x1b\n") for line in found)
    else:
        assert found == expected


def test_what_notepad_puts_before_the_text_is_no_mistake(tmp_path: Path) -> None:
    assert problems(tmp_path, b"\xef\xbb\xbfpth = 'x'\n")[0].startswith("line 1: pth")


def test_windows_line_ends_do_not_shift_the_lines(tmp_path: Path) -> None:
    assert problems(tmp_path, "path = 'a'\r\npth = 'b'\r\n")[0].startswith("line 2: pth")


@pytest.mark.parametrize("name", ["missing.toml", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_toml(tmp_path / name, Store)


def test_what_to_name_in_place_of_a_folder_is_told(tmp_path: Path) -> None:
    for held, meant in (("", tmp_path / "rig.toml"), ("other.toml", tmp_path / "other.toml")):
        if held:
            (tmp_path / held).touch()
        with pytest.raises(ConfigError, match="Is a directory") as caught:
            read_toml(tmp_path, Store)
        assert caught.value.remedy == f"Name a file in that folder, such as {meant}; nothing was started."


def test_a_file_that_is_not_there_is_not_to_be_mended(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read_toml(tmp_path / "missing.toml", Store)
    assert caught.value.remedy == "Name a file that is there; nothing was started."


def test_a_pipe_is_refused_and_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match="no regular file"):
        read_toml(tmp_path / "pipe", Store)


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    assert problems(tmp_path, "#" * 1_000_001) == ["is longer than 1000000 bytes; is it the right file?"]


@pytest.mark.parametrize(
    "text",
    [
        "path = " + "[" * 100_000,
        "path = " + "[" * 300 + "]" * 300,
        ".".join(["a"] * 5000) + " = 1",
        "path = " + "9" * 5000,
        "[" + ".".join(["a"] * 5000) + "]",
    ],
)
def test_what_would_exhaust_the_reader_is_refused(tmp_path: Path, text: str) -> None:
    assert len(problems(tmp_path, text + "\n")) == 1


def test_tables_in_lists_in_lists_are_told_apart() -> None:
    text = "[[a]]\n[[a.b]]\nx = 1\n[[a.b]]\n[a.b.c]\ny = 2\n[[a]]\n[[a.b]]\nx = [\n  1,\n]\n"
    lines = key_lines(text)
    assert lines["a", 0, "b", 0, "x"] == 3
    assert lines["a", 0, "b", 1, "c", "y"] == 6
    assert (lines["a", 1], lines["a", 1, "b", 0]) == (7, 8)
    assert lines["a", 1, "b", 0, "x", 0] == 9


def test_a_long_file_is_no_slow_file() -> None:
    text = "".join(f"k{number} = {number}\n" for number in range(3000))
    assert key_lines(text + "x = [\n" + "1,\n" * 3000 + "]\n")["k2999",] == 3000


_KEY = st.text("abc", min_size=1, max_size=3)
_VALUE = st.one_of(
    st.integers(-9, 9).map(str),
    st.just('"""\nx = 1\n[y]\n"""'),
    st.just("[\n  1,\n  # z = 2\n  2,\n]"),
    st.just('"# no comment"'),
)


@given(st.lists(st.tuples(_KEY, st.lists(st.tuples(_KEY, _VALUE), max_size=4)), max_size=4), st.booleans())
def test_every_key_is_found_on_the_line_where_it_was_written(
    tables: list[tuple[str, list[tuple[str, str]]]], crowded: bool
) -> None:
    text, expected, tables_seen = "", {}, set()
    for table, pairs in tables:
        if table in tables_seen:
            continue
        tables_seen.add(table)
        text += "" if crowded else "\n# a comment = 1\n"
        expected[(table,)] = text.count("\n") + 1
        text += f"[{table}]\n"
        for key, value in dict(pairs).items():
            expected[table, key] = text.count("\n") + 1
            text += f"{key} = {value}\n"
    tomllib.loads(text)
    found = {path: line for path, line in key_lines(text).items() if len(path) <= 2}
    assert found == expected


@given(st.binary(max_size=200))
def test_no_bytes_can_crash_the_reader(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "any.toml"
    file.write_bytes(content)
    with contextlib.suppress(ConfigError):  # any other error is a crash
        read_toml(file, Store)


class Wall(TomlModel):
    low_mm: int = 0
    high_mm: int = 10
    kind: str = "wood"

    def mistakes(self) -> Iterator[Mistake]:
        if self.low_mm > self.high_mm:
            yield Mistake(("high_mm",), f"must be {self.low_mm} or more", against=(("low_mm",),))


class House(TomlModel):
    walls: tuple[Wall, ...] = ()
    roof: Wall = Wall()
    door: str = "oak"


def walls_differ(house: House) -> Iterator[Mistake]:
    for place, wall in enumerate(house.walls[1:], start=1):
        if wall.high_mm == house.walls[0].high_mm:
            yield Mistake(("walls", place, "high_mm"), "is the first wall's", (("walls", 0, "high_mm"),), (("door",),))


def house_problems(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "house.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_toml(file, House, checks=walls_differ)
    return [str(problem) for problem in caught.value.problems]


TWO_WALLS = "[[walls]]\nhigh_mm = 5\n[[walls]]\nhigh_mm = 5\n"


def test_what_does_not_go_together_is_told_with_both_lines(tmp_path: Path) -> None:
    assert house_problems(tmp_path, TWO_WALLS) == ["line 4: walls.1.high_mm: is the first wall's (see line 2)"]
    assert house_problems(tmp_path, "[roof]\nhigh_mm = 5\nlow_mm = 7\n") == [
        "line 2: roof.high_mm: must be 7 or more (see line 3)"
    ]


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = f"dor = 'x'\n[roof]\nhigh_mm = 1\nlow_mm = 2\n[[walls]]\nhigh_mm = 'a'\n{TWO_WALLS}[other]\n"
    assert house_problems(tmp_path, text) == [
        'line 1: dor: is not a key that is known here; did you mean "door"?',
        "line 3: roof.high_mm: must be 2 or more (see line 4)",
        'line 6: walls.0.high_mm: input should be a valid integer, got "a"',
        "line 11: other: is not a key that is known here; known are walls, roof, door",
    ]


def test_nothing_is_told_that_rests_on_another_mistake(tmp_path: Path) -> None:
    assert len(house_problems(tmp_path, f"door = 7\n{TWO_WALLS}")) == 1
    assert len(house_problems(tmp_path, f"doo = 'x'\n{TWO_WALLS}")) == 1  # perhaps it was meant to be the door
    assert len(house_problems(tmp_path, f"xyz = 'x'\n{TWO_WALLS}")) == 2
    assert len(house_problems(tmp_path, "[roof]\nhigh_mm = 'a'\nlow_mm = 20\n")) == 1


def test_after_an_item_that_is_left_out_the_others_keep_their_lines(tmp_path: Path) -> None:
    text = "[[walls]]\nhigh_mm = 5\n[[walls]]\nlow_mm = 20\n[[walls]]\nhigh_mm = 5\n"
    assert house_problems(tmp_path, text) == [
        "line 3: walls.1.high_mm: must be 20 or more (see line 4)",
        "line 6: walls.2.high_mm: is the first wall's (see line 2)",
    ]


def test_a_file_of_nothing_but_mistakes_is_refused_in_one_go(tmp_path: Path) -> None:
    assert len(house_problems(tmp_path, "walls = 3\nroof = 3\ndoor = 3\nx = 3\ny = 3\n")) == 5
    many = "".join(f"[[walls]]\nkind = {number}\nlow_mm = 20\n" for number in range(300))
    assert len(house_problems(tmp_path, many)) == 600


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[place]\nkind = 'shlf'\n", 'line 2: place.kind: must be "shelf" or "drawer", got "shlf"'),
        ("[place]\nwidth_mm = 3\n", 'line 1: place.kind: is missing; add "shelf" or "drawer"'),
        (
            "[place]\nkind = 'shelf'\nwidth_mm = 3\nwidht_mm = 3\n",
            'line 4: place.widht_mm: is not a key that is known here; did you mean "width_mm"?',
        ),
        (
            "[place]\nkind = 'shelf'\nwidth_mm = 3\ndepth_mm = 3\n",
            'line 4: place.depth_mm: is not a key that is known here; it goes with kind = "drawer"',
        ),
    ],
)
def test_a_table_of_several_kinds_is_understood(tmp_path: Path, text: str, expected: str) -> None:
    assert problems(tmp_path, text) == [expected]


def test_a_text_is_checked_with_the_lines_of_the_file_that_it_comes_from(tmp_path: Path) -> None:
    lines = key_lines("# a\n# b\n[roof]\nhigh_mm = 1\n")
    with pytest.raises(ConfigError, match=r"line 4: roof\.high_mm"):
        check_toml(tmp_path / "house.toml", "[roof]\nhigh_mm = 1\nlow_mm = 2\n", House, lines=lines)


def test_what_is_found_later_still_has_its_line(tmp_path: Path) -> None:
    file = tmp_path / "house.toml"
    file.write_text("# a\ndoor = 'oak'\n", encoding="utf-8")
    (problem,) = problems_in(file, [Mistake(("door",), "is no door that anybody sells")])
    assert str(problem) == "line 2: door: is no door that anybody sells"
