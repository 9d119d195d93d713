"""Find the board among the serial devices, and say why that one.

A board keeps its name only under ``/dev/serial/by-id`` (needs a USB serial number, which a CH340 lacks) or
``/dev/serial/by-path`` (the socket it is plugged into); ``/dev/ttyUSB0`` changes (Klipper3d/klipper#22, #270). Two
CH340 have one and the same name by id, which leads to whichever was plugged in last: then their sockets name them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from firmware_bridge.errors import PortError
from firmware_bridge.transport import UsbDevice, usb_devices

# USB ids of what sits between USB and the ATmega2560 of a RAMPS board's Arduino Mega and its clones.
_KNOWN: dict[tuple[int, int | None], str] = {
    (0x2341, None): "Arduino (ATmega16U2)",
    (0x2A03, None): "Arduino.org (ATmega16U2)",
    (0x1A86, 0x7523): "CH340",
    (0x1A86, 0x5523): "CH341",
    (0x1A86, 0x7522): "CH340K",
    (0x1A86, 0x55D4): "CH9102",
    (0x0403, 0x6001): "FTDI FT232R",
    (0x0403, 0x6015): "FTDI FT231X",
    (0x10C4, 0xEA60): "CP2102",
    (0x03EB, 0x2FEF): "ATmega16U2 without its own id",
    (0x1D50, 0x6029): "Marlin's own USB id",
}


@dataclass(frozen=True)
class Candidate:
    """A serial device, best first in ``candidates``.

    Args:
        path: the most lasting name that it has.
        device: the device itself.
        chip: what the USB ids stand for; None if they are not those of a known board.
        why: where it stands in the order, for a person.
    """

    path: Path
    device: Path
    chip: str | None
    why: str

    def as_dict(self) -> dict[str, str | None]:
        """Plain values that JSON can hold."""
        return {"path": str(self.path), "device": str(self.device), "chip": self.chip, "why": self.why}


def candidates(serial_folder: Path = Path("/dev/serial"), devices: list[UsbDevice] | None = None) -> list[Candidate]:
    """All serial devices on USB: known chips first, lasting names before passing ones.

    Args:
        serial_folder: where udev keeps ``by-id`` and ``by-path``.
        devices: what the system has; asked for if None.
    """
    by_id, by_path = _links(serial_folder / "by-id"), _links(serial_folder / "by-path")
    everything: list[tuple[UsbDevice, tuple[int, int]]] = []
    shared: set[tuple[int, int]] = set()  # ids of which some device has no name by id: another one's may be its, too
    for device in usb_devices() if devices is None else devices:
        if device.vendor_id is None or device.product_id is None:
            continue
        ids = (device.vendor_id, device.product_id)
        everything.append((device, ids))
        if _target(device.device) not in by_id:
            shared.add(ids)
    found = []
    for device, ids in everything:
        chip = _KNOWN.get(ids) or _KNOWN.get((ids[0], None))
        target = _target(device.device)
        names = (None if ids in shared else by_id.get(target), by_path.get(target), device.device)
        naming, path = next((rank, name) for rank, name in enumerate(names) if name is not None)
        what = chip or "not a chip that boards use"
        rank = (chip is None, naming, str(path))
        why = f"{what} ({ids[0]:04x}:{ids[1]:04x}), named {('by id', 'by socket', 'by order of plugging in')[naming]}"
        found.append((rank, Candidate(path, device.device, chip, why)))
    return [candidate for _, candidate in sorted(found, key=lambda pair: pair[0])]


def find_board(port: str = "auto", found: list[Candidate] | None = None) -> Path:
    """The device to open: ``port`` itself, or for ``auto`` the only likely one.

    Raises:
        PortError: there is none, or there are several and nobody can know which; it lists them.
    """
    if not port.strip():
        raise PortError("no port is named", remedy="Name a device, such as --port /dev/ttyUSB0, or auto.")
    if port != "auto":
        return Path(port)
    everything = candidates() if found is None else found
    boards = [candidate for candidate in everything if candidate.chip is not None]
    if len(boards) == 1:
        return boards[0].path
    listed = "".join(f"\n  {candidate.path}: {candidate.why}" for candidate in everything)
    if not boards:
        raise PortError(
            f"no board found on USB{':' + listed if listed else ''}",
            remedy="Plug the board in, or name its device, such as --port /dev/ttyUSB0.",
        )
    raise PortError(
        f"{len(boards)} boards found, and nobody can know which one is meant:{listed}",
        remedy="Name the one: --port followed by its path.",
    )


def _links(folder: Path) -> dict[Path, Path]:
    """The links of a folder by what they lead to; the first by name where several lead to one device."""
    return {_target(link): link for link in sorted(folder.glob("*"), reverse=True)}


def _target(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # a link that leads to itself
        return path
