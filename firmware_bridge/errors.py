"""The tree of errors that a board can cause. Each says what happened and where, and what to do next.

    BoardError
    ├── Refused (ValueError)             the caller asked for what must not be sent; no byte was written
    │   └── Unhomed                      an axis that does not know where it is
    ├── QuickStopped (RuntimeError)      a quick stop dropped what was asked for; the link goes on
    ├── PortError (OSError)              the device cannot be opened: missing, taken, not permitted
    └── LinkError (ConnectionError)      the link is over; every axis is unhomed, nothing that was queued is sent
        ├── BoardReset                   the board started anew by itself
        ├── BoardHalted                  Marlin killed itself and is deaf until it is reset
        ├── BoardSilent (TimeoutError)   the device is there but nothing answers
        ├── LinkLost                     line numbers cannot be agreed on
        ├── PortLost                     the device disappeared, or writing to it stalls
        ├── EmergencyStopped             somebody pressed stop; leaving that takes an explicit reset
        └── LinkClosed                   the program closed it

A LinkError is final for its link: ``Board.reset`` or ``Board.reconnect`` make a new one.
"""

from __future__ import annotations


class BoardError(Exception):
    """Something about the board that an operator can act on; ``message`` and ``remedy`` apart, ``str()`` both."""

    default_remedy = "Look at the board and try again."

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(message)  # alone: two arguments are errno and strerror to an OSError
        self.message = message
        self.remedy = remedy or self.default_remedy

    def __str__(self) -> str:
        return f"{self.message}\n{self.remedy}"

    def as_dict(self) -> dict[str, object]:
        """The same for programs: plain values that JSON can hold."""
        return {"kind": type(self).__name__, "message": self.message, "remedy": self.remedy}


class Refused(BoardError, ValueError):  # noqa: N818  (the names below say what happened)
    """What was asked for must not be sent; no byte was written and nothing moved."""

    default_remedy = "Nothing was sent; ask for something within the limits."


class Unhomed(Refused):
    """An axis does not know where it is."""

    default_remedy = "Nothing was sent; home the axis first."


class QuickStopped(BoardError, RuntimeError):  # noqa: N818
    """A quick stop came between; whether the command ran is not known."""

    default_remedy = "Home every axis."


class PortError(BoardError, OSError):
    """A serial device cannot be opened or found."""

    default_remedy = "Check cable and port; `sorter board ports` lists what is there."


class LinkError(BoardError, ConnectionError):
    """The link is over. Every axis is unhomed; nothing that was queued will be sent."""

    default_remedy = "Reconnect, then home every axis."


class BoardReset(LinkError):  # noqa: N818
    """The board started anew in the middle of things."""

    default_remedy = "Check the board's supply and the cable, reconnect, then home every axis."


class BoardHalted(LinkError):  # noqa: N818
    """Marlin halted itself and hears nothing until it is reset."""

    default_remedy = "Mend the cause that the board named, reset the board, then home every axis."


class BoardSilent(LinkError, TimeoutError):  # noqa: N818
    """The device is there, but what is behind it does not answer."""

    default_remedy = "Check that the board has power and runs Marlin at this baud rate, then reset it."


class LinkLost(LinkError):  # noqa: N818
    """Host and board cannot agree on line numbers."""

    default_remedy = "Check cable and baud rate (interference, a bad USB cable), reconnect, then home every axis."


class PortLost(LinkError):  # noqa: N818
    """The device disappeared or takes no bytes."""

    default_remedy = "Plug the board in again and reconnect, then home every axis."


class EmergencyStopped(LinkError):  # noqa: N818
    """An emergency stop was asked for."""

    default_remedy = "Make sure that the machine is safe, reset the board, then home every axis."


class LinkClosed(LinkError):  # noqa: N818
    """The program closed the link."""

    default_remedy = "Connect again."
