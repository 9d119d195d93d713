"""The numbers that a session keeps to, and those that it counts. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SessionLimits:
    """Numbers that fit Marlin's BUFSIZE 4, RX buffer of 128 bytes and busy messages every 2 s.

    Args:
        window_lines: most lines in flight, of repeatable ones.
        window_bytes: most bytes in flight.
        moves_ahead: most moves that planner and command queue hold.
        margin_s: how much longer than computed an answer may take; longer than the interval of ``busy``.
        busy_s: how long a ``busy`` is good for.
        query_s: how long the answer to a query may take beyond the motion.
        drain_s: pause after an error, in which what was on its way arrives and is dropped.
        max_resends: how often the same line is repeated without progress.
        max_silences: how many queries in a row may pass without a sound from the board.
        max_attempts: how many queries in a row may fail to settle where the board stands.
        start_s: how long a board may take to say ``start`` after the port was opened.
        banner_s: silence that ends the banner.
        handshake_s: how long a board may take, after ``start`` was waited for, until line numbers are agreed on.
        clean_lines: lines without a resend after which a narrowed window widens again.
    """

    window_lines: int = 4
    window_bytes: int = 120
    moves_ahead: int = 20
    margin_s: float = 3.0
    busy_s: float = 5.0
    query_s: float = 1.0
    drain_s: float = 0.03
    max_resends: int = 8
    max_silences: int = 4
    max_attempts: int = 16
    start_s: float = 5.0
    banner_s: float = 0.25
    handshake_s: float = 10.0
    clean_lines: int = 500


@dataclass(slots=True)
class Counters:
    """What happened so far on this link."""

    lines: int = 0
    accepted: int = 0
    resend_requests: int = 0
    repeated_lines: int = 0
    queries: int = 0
    ignored_oks: int = 0
    longest_wait_s: float = 0.0
