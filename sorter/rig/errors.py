"""The tree of errors that moving the rig can cause. Each says what happened and where, and what to do next.

    RigError
    ├── Interlocked (RuntimeError)      it would break something now; nothing was sent
    ├── NotHomed (RuntimeError)         an axis does not know where it is; nothing was sent
    ├── OutOfReach (ValueError)         no angle, or one that the axis cannot reach; nothing was sent
    ├── NotFitted (LookupError)         rig.toml or the board has no such thing; nothing was sent
    ├── MotorPowerCut (RuntimeError)    the motors have no power; every axis is unhomed
    └── TableNotEmpty (RuntimeError)    something lies where nothing may lie

What the board itself does wrong is a ``firmware_bridge.errors.BoardError``.
"""

from __future__ import annotations

from sorter.errors import SorterError


class RigError(SorterError):
    """Something about the rig's motion that an operator can act on."""

    default_remedy = "Look at the rig and try again."

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy or self.default_remedy)


class Interlocked(RigError, RuntimeError):  # noqa: N818  (the names below say what happened)
    """It would break something now."""

    default_remedy = "Nothing was sent; home the rig, which parks the ejector first."


class NotHomed(RigError, RuntimeError):  # noqa: N818
    """An axis does not know where it is."""

    default_remedy = "Nothing was sent; home the rig first."


class OutOfReach(RigError, ValueError):  # noqa: N818
    """An angle that is none, or that the axis cannot reach."""

    default_remedy = "Nothing was sent; ask for an angle within the limits."


class NotFitted(RigError, LookupError):  # noqa: N818
    """The rig has no such thing."""

    default_remedy = "Nothing was sent; add it to rig.toml if the rig has it."


class MotorPowerCut(RigError, RuntimeError):  # noqa: N818
    """The motors have no power: they may have been turned by hand, so every axis is unhomed."""

    default_remedy = "Make sure that the machine is safe, switch the motors' supply on, then home the rig."


class TableNotEmpty(RigError, RuntimeError):  # noqa: N818
    """Something lies on the table where it must be empty."""

    default_remedy = "Take everything off the table and try again."
