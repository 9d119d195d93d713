"""The oks and the resend requests, and what their faults make of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from firmware_bridge.emulator.board import Board, QueuedLine

_GARBLED_OK = ("k", "o", "o3", "\x8fk", "oo")
_LATE_RESEND_S = 0.25
_REPEATS = 3


class Acknowledger:
    """Says `ok` and `Resend:` for the processor."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def say_ok(self, queued: QueuedLine | None = None, text: str = "", *, is_instant: bool = False) -> None:
        """Acknowledge `queued`: `ok`, or `ok N1 P14 B0` with ADVANCED_OK. `text`: the rest of a command's own ok."""
        board, dice = self._board, self._board.dice
        if not text and board.settings.advanced_ok and queued is not None:
            number = "" if queued.number is None else f" N{queued.number}"
            free_lines = board.settings.command_queue_lines - len(board.queue)
            text = f"{number} P{board.planner.free} B{free_lines}"
        ok = f"ok{text}\n"
        if dice.fires("ok-lost"):
            return
        if dice.fires("ok-garbled"):
            ok = dice.of("ok-garbled").choice(_GARBLED_OK) + ok[2:]
        if dice.fires("ok-glued"):
            is_another_coming = len(board.queue) > 1
            ok = ok[:-1] if is_another_coming else f"N25 T:25.00 /0.00 @:0{ok}"
        board.say_raw(ok, is_instant=is_instant)

    def ask_resend(self, number: int) -> None:
        """Say `Resend:` and the ok that belongs to it, which acknowledges nothing."""
        board, dice = self._board, self._board.dice
        times = 1
        late_s = 0.0
        if dice.fires("resend-late-and-repeated"):
            times, late_s = _REPEATS, _LATE_RESEND_S
        if dice.fires("resend-number-garbled"):
            number += dice.of("resend-number-garbled").choice((1, 10, 100)) * 1000
        oks = 1 - dice.fires("resend-without-ok") + dice.fires("resend-extra-ok")
        for _ in range(times):
            board.say_late(f"Resend: {number}\n", late_s)
            late_s = 0.0
            board.say(*(["ok"] * oks))
