"""What hands say is believed only if it is what hands say, and nobody waits for them for ever."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from sorter.app.errors import HandsFailed
from sorter.app.hands import Hands
from sorter.types.hands import BREAK, HANDS, HandRequest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE_S = 10.0


@contextmanager
def answering(path: Path, *answers: bytes | None) -> Iterator[list[bytes]]:
    """Somebody at the socket who answers each client in turn; None: not at all."""
    heard: list[bytes] = []
    may_end = threading.Event()

    def serve() -> None:
        for answer in answers:
            client, _ = listener.accept()
            with client:
                client.settimeout(PATIENCE_S)
                heard.append(client.recv(65536))
                if answer is None:
                    may_end.wait(PATIENCE_S)
                else:
                    client.sendall(answer)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.settimeout(PATIENCE_S)
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield heard
        finally:
            may_end.set()
            thread.join(PATIENCE_S)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hands"


def test_each_thing_that_hands_can_do_has_a_method_that_asks_for_it(path: Path) -> None:
    answers = [b'{"do": "%s", "at_s": 1.0, "parts": [4], "bins": ["a"]}\n' % do.encode() for do in HANDS]
    with answering(path, *answers) as heard:
        hands = Hands(path)
        assert hands.take_parts() == hands.clear_chute() == (4,)
        assert hands.empty_bins(["a"]) == ("a",)
        hands.fill_hopper(3)
        hands.mend_light()
        hands.wipe_lens()
        hands.mend_camera()
        hands.press_estop()
        hands.restore_power()
        hands.unplug()
        hands.plug_in()
        assert hands.break_("stuck") == "stuck"
    asked = [HandRequest.from_json(each) for each in heard]
    assert [each.do for each in asked] == list(HANDS)
    assert (asked[2].bins, asked[3].parts, asked[-1].do, asked[-1].fault) == (("a",), 3, BREAK, "stuck")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b'{"error": "there is no bin", "remedy": "Name one."}\n', "there is no bin"),
        (b'{"error": "there is no bin"}\n', "there is no bin"),
        (b"", "hung up"),
        (b"nonsense\n", "what hands do not say"),
        (b"[]\n", "what hands do not say"),
        (b'{"do": "wipe lens"}\n', "what hands do not say"),
        (b"[" * 100_000 + b"\n", "what hands do not say"),
        (b'{"do": 1, "at_s": 1.0}\n', "what hands do not say"),
    ],
)
def test_an_answer_that_is_none_is_named(path: Path, answer: bytes, words: str) -> None:
    with answering(path, answer), pytest.raises(HandsFailed, match=words) as failed:
        Hands(path).wipe_lens()
    assert failed.value.remedy


def test_a_refusal_says_what_to_do_in_the_twins_own_words(path: Path) -> None:
    with answering(path, b'{"error": "no", "remedy": "Name one."}\n'), pytest.raises(HandsFailed) as failed:
        Hands(path).wipe_lens()
    assert failed.value.remedy == "Name one."


def test_hands_that_do_not_answer_are_not_waited_for_for_ever(path: Path) -> None:
    with answering(path, None), pytest.raises(HandsFailed, match=r"did not answer within 0\.05 s"):
        Hands(path, timeout_s=0.05).wipe_lens()


def test_a_request_that_no_twin_would_read_is_not_sent(path: Path) -> None:
    with pytest.raises(HandsFailed, match="bytes"):
        Hands(path).empty_bins(["x" * 5000])


def test_where_nobody_listens_it_is_said(path: Path) -> None:
    with pytest.raises(HandsFailed, match="nobody listens there"):
        Hands(path).take_parts()
