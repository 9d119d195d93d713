"""Line noise: what the faults of a bad cable do to the bytes, before they take their time on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from firmware_bridge.emulator.dice import FaultDice

_BITS = 8


class Noise:
    """One direction's noise. The four names say which faults of the menu it draws from."""

    def __init__(self, dice: FaultDice, *, byte_loss: str, byte_flip: str, line_loss: str, line_flip: str) -> None:
        self._dice = dice
        self._byte_loss = byte_loss
        self._byte_flip = byte_flip
        self._line_loss = line_loss
        self._line_flip = line_flip
        self._is_at_line_start = True
        self._is_losing_line = False

    def disturb(self, data: bytes) -> bytes:
        """Return what is left of `data`. A line's fate is decided when its first byte comes."""
        possible = self._dice.is_possible
        if possible(self._line_loss) or possible(self._line_flip) or self._is_losing_line:
            data = b"".join(self._disturb_line(part) for part in data.splitlines(keepends=True))
        elif data:
            self._is_at_line_start = data.endswith(b"\n")
        if possible(self._byte_loss) or possible(self._byte_flip):
            data = self._disturb_bytes(data)
        return data

    def _disturb_line(self, part: bytes) -> bytes:
        if self._is_at_line_start:
            self._is_losing_line = self._dice.fires(self._line_loss)
            if not self._is_losing_line and self._dice.fires(self._line_flip):
                part = self._flip_one(part)
        self._is_at_line_start = part.endswith((b"\n", b"\r"))
        if not self._is_losing_line:
            return part
        self._is_losing_line = not self._is_at_line_start
        return b""

    def _flip_one(self, part: bytes) -> bytes:
        body = part.rstrip(b"\r\n")
        if not body:
            return part
        draw = self._dice.of(self._line_flip)
        place = draw.randrange(len(body))
        return part[:place] + bytes([part[place] ^ 1 << draw.randrange(_BITS)]) + part[place + 1 :]

    def _disturb_bytes(self, data: bytes) -> bytes:
        left = bytearray()
        for byte in data:
            if self._dice.fires(self._byte_loss):
                continue
            flip = self._dice.fires(self._byte_flip)
            left.append(byte ^ 1 << self._dice.of(self._byte_flip).randrange(_BITS) if flip else byte)
        return bytes(left)


def noise_to_board(dice: FaultDice) -> Noise:
    """Return the noise on the way from the host to the board."""
    return Noise(dice, byte_loss="byte-loss", byte_flip="byte-flip", line_loss="line-loss", line_flip="line-flip")


def noise_to_host(dice: FaultDice) -> Noise:
    """Return the noise on the way from the board to the host."""
    return Noise(
        dice,
        byte_loss="reply-byte-loss",
        byte_flip="reply-byte-flip",
        line_loss="reply-loss",
        line_flip="reply-flip",
    )
