"""Hands can be asked by any program, do what they say, and nothing that is asked of them ends the twin."""

from __future__ import annotations

import json
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sorter.twin.errors import HandsRefused, SocketRefused
from sorter.twin.hand_work import HandWork
from sorter.twin.hands_server import HandsServer
from sorter.types import hands
from sorter.types.hands import HANDS, MOST_LINE_BYTES, HandAnswer, HandRequest
from sorter.types.twin import HAND
from tests.twins import BINS, Rig
from tests.unit.sorter.twin.handy import Handy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE_S = 10.0


class Bench:
    """Hands at a world that is moved by hand."""

    def __init__(self, **changes) -> None:
        self.rig = Rig(**changes)
        self.board = Handy(self.rig)
        self.work = HandWork(self.rig.world, self.board, [each.id for each in BINS])

    def do(self, do: str, **what) -> HandAnswer:
        return self.work.do(HandRequest(do, **what))


def test_hands_take_what_lies_on_the_table():
    bench = Bench()
    bench.rig.feed(2)
    lying = bench.rig.world.census().on_table
    assert bench.do("take parts") == HandAnswer("take parts", 1000.0 + bench.rig.state.time_s, parts=lying)
    assert bench.rig.world.census().fallen == {HAND: len(lying)}
    hand, *fell = bench.rig.notes.lines[-1 - len(lying) :]
    assert (hand["event"], hand["do"], hand["parts"]) == ("hand", "take parts", lying)
    assert [(line["event"], line["place"]) for line in fell] == [("fell", HAND)] * len(lying)
    assert bench.do("take parts").parts == ()


def test_hands_clear_the_chute():
    bench = Bench(faults={"jam": 1.0})
    bench.rig.feed()
    bench.rig.push()
    bench.rig.go(1.0)
    assert bench.do("clear chute").parts == (1,)
    assert bench.rig.places() == {1: HAND}


def test_hands_empty_the_bins_that_are_named_or_all():
    bench = Bench()
    assert bench.do("empty bins", bins=("a",)).bins == ("a",)
    assert bench.do("empty bins").bins == tuple(each.id for each in BINS)
    with pytest.raises(HandsRefused, match="no bin 'c'") as refused:
        bench.do("empty bins", bins=("a", "c"))
    assert "reject" in refused.value.remedy
    assert [line["bins"] for line in bench.rig.notes.of("hand")] == [("a",), tuple(each.id for each in BINS)]


def test_hands_mend_lamp_lens_camera_and_supply():
    bench = Bench()
    world = bench.rig.world
    for fault in ("light-fails", "dust", "tint-drifts", "camera-hangs", "power-cut"):
        assert bench.do("break", fault=fault).fault == fault
    bench.rig.go(700.0)
    assert bench.rig.inside.is_cut
    for mend in ("mend light", "wipe lens", "mend camera", "restore power"):
        bench.do(mend)
    assert world.optics.look(bench.rig.state.time_s).is_plain
    assert not world.hang.is_on
    assert not bench.rig.inside.is_cut
    bench.do("press estop")
    assert bench.rig.inside.is_cut
    bench.do("restore power")
    assert [line["do"] for line in bench.rig.notes.of("hand")][-3:] == ["restore power", "press estop", "restore power"]


def test_hands_pull_the_plug_and_plug_in_what_is_out():
    bench = Bench()
    bench.do("plug in")
    bench.do("unplug")
    assert not bench.board.is_plugged_in
    bench.do("plug in")
    assert bench.board.is_plugged_in


def test_hands_fill_the_hopper():
    bench = Bench()
    before = bench.rig.world.census().hopper
    bench.do("fill hopper", parts=7)
    assert bench.rig.world.census().hopper == before + 7
    assert bench.rig.notes.of("hand")[0]["count"] == 7


def test_hands_break_a_fault_by_any_of_its_names_and_no_other():
    bench = Bench()
    assert bench.do("break", fault="board-reset").fault == "reset-in-midstream"
    assert bench.rig.inside.armed == ["reset-in-midstream"]
    with pytest.raises(HandsRefused, match="did you mean"):
        bench.do("break", fault="board-rest")
    assert len(bench.rig.notes.of("hand")) == 1


@pytest.mark.parametrize("do", [do for do in HANDS if do not in (hands.BREAK, hands.FILL_HOPPER)])
def test_whatever_needs_no_hands_is_done_all_the_same(do):
    bench = Bench()
    for _ in range(2):
        assert bench.do(do).do == do
    assert len(bench.rig.notes.of("hand")) == 2


@contextmanager
def served(folder: Path, do=None) -> Iterator[tuple[HandsServer, Path]]:
    path = folder / "hands"
    server = HandsServer(path, do or (lambda request: HandAnswer(request.do, 1.5)))
    server.start()
    try:
        yield server, path
    finally:
        server.stop()
    assert not path.exists()


def said(path: Path, data: bytes) -> list[dict[str, object]]:
    """All that is answered to some bytes, until either side is done."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE_S)
        client.connect(str(path))
        try:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it has hung up already
        received = b""
        try:
            while more := client.recv(65536):
                received += more
        except ConnectionResetError:
            pass
    return [json.loads(line) for line in received.splitlines()]


def test_requests_in_one_and_in_pieces_are_answered_in_turn(tmp_path):
    with served(tmp_path) as (_, path):
        assert [each["do"] for each in said(path, b'{"do": "wipe lens"}\n{"do":"mend light"}\n')] == [
            "wipe lens",
            "mend light",
        ]
        with socket.socket(socket.AF_UNIX) as client, client.makefile("rb") as answers:
            client.settimeout(PATIENCE_S)
            client.connect(str(path))
            client.sendall(b'{"do": "wi')
            client.sendall(b'pe lens"}\n')
            assert json.loads(answers.readline()) == {"do": "wipe lens", "at_s": 1.5}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"take parts\n", "JSON"),
        (b"[]\n", "object"),
        (b'{"do": "wipe lenses"}\n', "did you mean wipe lens"),
        (b'{"do": "take a nap, please, it is late"}\n', "hands cannot"),
        (b'{"do": "fill hopper"}\n', "needs parts"),
        (b'{"do": "fill hopper", "parts": 0}\n', "parts"),
        (b'{"do": "wipe lens", "parts": 3}\n', "goes with"),
        (b"[" * 3000 + b"\n", "recursion"),
        (b"\xff\xfe\n", "JSON"),
        (b" " * MOST_LINE_BYTES + b"\n", "bytes at most"),
        (b" " * 3 * MOST_LINE_BYTES, "bytes at most"),
    ],
)
def test_what_is_no_request_is_refused_with_what_to_do(tmp_path, line, words):
    with served(tmp_path) as (server, path):
        answers = said(path, line)
        assert words in answers[0]["error"]
        assert answers[0]["remedy"]
        assert said(path, b'{"do": "wipe lens"}\n')[0]["do"] == "wipe lens"
        assert server.failure is None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.binary(max_size=200)
        | st.builds(
            lambda value: json.dumps(value).encode() + b"\n",
            st.recursive(
                st.none() | st.booleans() | st.integers() | st.text(max_size=10) | st.sampled_from(list(HANDS)),
                lambda inner: (
                    st.lists(inner, max_size=3)
                    | st.dictionaries(st.sampled_from(["do", "bins", "parts", "fault", "x"]), inner, max_size=4)
                ),
                max_leaves=8,
            ),
        ),
        max_size=4,
    )
)
def test_nothing_that_is_sent_ends_the_hands(hands_of_all, chunks):
    server, path = hands_of_all
    for answer in said(path, b"".join(chunks)):
        assert ("error" in answer) is not ("do" in answer)
    assert said(path, b'{"do": "wipe lens"}\n')[0]["do"] == "wipe lens"
    assert server.failure is None


@pytest.fixture
def hands_of_all(tmp_path):
    bench = Bench()
    with served(tmp_path, bench.work.do) as server:
        yield server


def test_a_refusal_goes_to_the_client_and_a_mistake_in_the_twin_is_kept_as_well(tmp_path):
    errors = [HandsRefused("no such bin", remedy="Name another."), ZeroDivisionError("oh")]

    def broken(_request):
        raise errors.pop(0)

    with served(tmp_path, broken) as (server, path):
        assert said(path, b'{"do": "wipe lens"}\n') == [{"error": "no such bin", "remedy": "Name another."}]
        assert server.failure is None
        assert "oh" in said(path, b'{"do": "wipe lens"}\n')[0]["error"]
        assert isinstance(server.failure, ZeroDivisionError)


def test_a_client_that_only_waits_holds_up_nobody_and_one_too_many_is_told(tmp_path):
    with served(tmp_path) as (_, path):
        waiting = []
        try:
            for _ in range(8):
                client = socket.socket(socket.AF_UNIX)
                client.settimeout(PATIENCE_S)
                client.connect(str(path))
                waiting.append(client)
            assert "8 clients" in said(path, b"")[0]["error"]
            waiting[0].sendall(b'{"do": "wipe lens"}\n')
            assert b"wipe lens" in waiting[0].recv(1000)
        finally:
            for client in waiting:
                client.close()


def test_a_socket_where_somebody_listens_is_left_alone(tmp_path):
    with served(tmp_path) as (_, path):
        with pytest.raises(SocketRefused, match="listens there already"):
            HandsServer(path, lambda request: HandAnswer(request.do, 0.0)).start()
        assert said(path, b'{"do": "wipe lens"}\n')


@pytest.mark.parametrize(
    "request_",
    [HandRequest("take parts"), HandRequest("empty bins", bins=("ä", "b")), HandRequest("break", fault="stuck")],
)
def test_a_request_is_read_as_it_was_written(request_):
    assert HandRequest.from_json(request_.to_json()) == request_
    answer = HandAnswer(request_.do, 3.25, parts=(1, 2), bins=request_.bins, fault=request_.fault)
    assert HandAnswer.from_json(answer.to_json()) == answer
