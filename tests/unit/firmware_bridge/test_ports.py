"""The board is found under a name that lasts, and never guessed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from firmware_bridge.errors import PortError
from firmware_bridge.ports import Candidate, candidates, find_board
from firmware_bridge.transport import UsbDevice

CH340 = (0x1A86, 0x7523)
ARDUINO = (0x2341, 0x0042)
UNKNOWN = (0x1234, 0x5678)


class System:
    """A folder like /dev: devices, and udev's links to them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.serial = root / "serial"
        self.devices: list[UsbDevice] = []

    def plug(self, name: str, ids: tuple[int, int] | None, *, by_id: str = "", by_path: str = "") -> Path:
        device = self.root / name
        device.touch()
        vendor, product = ids or (None, None)
        self.devices.append(UsbDevice(device, vendor, product, name))
        for folder, link in (("by-id", by_id), ("by-path", by_path)):
            if link:
                self.link(folder, link, f"../../{name}")
        return device

    def link(self, folder: str, name: str, target: str) -> None:
        (self.serial / folder).mkdir(parents=True, exist_ok=True)
        (self.serial / folder / name).symlink_to(target)

    def candidates(self) -> list[Candidate]:
        return candidates(self.serial, self.devices)


@pytest.fixture
def system(tmp_path: Path) -> System:
    return System(tmp_path)


def test_a_board_is_found_under_its_own_name_first(system: System) -> None:
    system.plug("ttyACM0", ARDUINO, by_id="usb-Arduino_7513-if00", by_path="pci-0:1")
    (only,) = system.candidates()
    assert only.path == system.serial / "by-id" / "usb-Arduino_7513-if00"
    assert only.device == system.root / "ttyACM0"
    assert "ATmega16U2" in str(only.chip)
    assert "2341:0042" in only.why
    assert "by id" in only.why
    assert find_board(found=[only]) == only.path


def test_a_board_without_a_serial_number_is_named_by_its_socket(system: System) -> None:
    system.plug("ttyUSB0", CH340, by_path="platform-usb-0:1.3")
    (only,) = system.candidates()
    assert only.path == system.serial / "by-path" / "platform-usb-0:1.3"
    assert "by socket" in only.why


def test_without_udev_a_board_is_found_all_the_same(system: System) -> None:
    device = system.plug("ttyUSB0", CH340)
    (only,) = system.candidates()
    assert only.path == device
    assert "order of plugging in" in only.why


def test_two_boards_with_one_name_are_not_taken_for_each_other(system: System) -> None:
    """A CH340 has no serial number: both boards claim one name by id, which leads to the one plugged in last."""
    system.plug("ttyUSB0", CH340, by_path="socket-1")
    system.plug("ttyUSB1", CH340, by_id="usb-1a86_USB_Serial-if00-port0", by_path="socket-2")
    assert [c.path.name for c in system.candidates()] == ["socket-1", "socket-2"]


def test_two_boards_with_serial_numbers_keep_their_names(system: System) -> None:
    system.plug("ttyACM0", ARDUINO, by_id="b", by_path="socket-1")
    system.plug("ttyACM1", ARDUINO, by_id="a", by_path="socket-2")
    assert [c.path.name for c in system.candidates()] == ["a", "b"]


def test_likely_boards_come_first_and_lasting_names_before_passing_ones(system: System) -> None:
    system.plug("ttyUSB0", UNKNOWN, by_id="modem")
    system.plug("ttyUSB1", CH340)
    system.plug("ttyUSB2", (0x10C4, 0xEA60), by_path="socket")
    system.plug("ttyACM0", ARDUINO, by_id="arduino")
    system.plug("ttyS0", None)
    found = system.candidates()
    assert [c.path.name for c in found] == ["arduino", "socket", "ttyUSB1", "modem"]
    assert [c.chip is None for c in found] == [False, False, False, True]
    assert "not a chip that boards use" in found[-1].why


def test_links_that_lead_nowhere_or_to_themselves_hide_no_board(system: System) -> None:
    system.link("by-id", "a-gone", "../../ttyUSB7")
    system.link("by-id", "b-loop", "b-loop")
    system.link("by-path", "c-gone", "../../ttyUSB8")
    system.plug("ttyUSB0", CH340, by_path="socket")
    (only,) = system.candidates()
    assert only.path.name == "socket"


def test_a_device_that_goes_away_meanwhile_does_no_harm(system: System) -> None:
    system.plug("ttyUSB0", CH340, by_path="socket").unlink()
    assert len(system.candidates()) == 1


def test_of_several_names_the_same_one_is_chosen_each_time(system: System) -> None:
    system.plug("ttyUSB0", CH340, by_path="pci-usbv2-0:1")
    system.link("by-path", "pci-usb-0:1", "../../ttyUSB0")
    assert {system.candidates()[0].path.name for _ in range(3)} == {"pci-usb-0:1"}


def test_a_device_named_through_a_link_is_the_device_itself(system: System) -> None:
    device = system.plug("ttyUSB0", CH340, by_path="socket")
    (system.root / "board").symlink_to(device)
    system.devices = [UsbDevice(system.root / "board", *CH340, "link")]
    assert system.candidates()[0].path.name == "socket"


def test_between_two_boards_nobody_guesses(system: System) -> None:
    system.plug("ttyUSB0", CH340, by_path="socket-1")
    system.plug("ttyACM0", ARDUINO, by_id="arduino")
    with pytest.raises(PortError, match="2 boards found") as refusal:
        find_board("auto", system.candidates())
    assert "socket-1" in str(refusal.value)
    assert "arduino" in str(refusal.value)
    assert "--port" in refusal.value.remedy


def test_a_modem_is_not_taken_for_the_board(system: System) -> None:
    system.plug("ttyUSB0", UNKNOWN, by_id="modem")
    with pytest.raises(PortError, match="no board found") as refusal:
        find_board(found=system.candidates())
    assert "modem" in str(refusal.value)
    board = system.plug("ttyUSB1", CH340)
    assert find_board(found=system.candidates()) == board


def test_with_nothing_plugged_in_the_error_says_what_to_do(system: System) -> None:
    assert system.candidates() == []
    with pytest.raises(PortError, match="no board found on USB\n") as refusal:
        find_board(found=[])
    assert "Plug the board in" in refusal.value.remedy


def test_a_device_that_is_named_is_taken_as_it_is() -> None:
    assert find_board("/dev/ttyAMA0", []) == Path("/dev/ttyAMA0")


def test_candidates_can_be_printed_for_programs(system: System) -> None:
    system.plug("ttyUSB0", CH340, by_path="socket")
    told = json.loads(json.dumps(system.candidates()[0].as_dict()))
    assert told["chip"] == "CH340"
    assert told["path"].endswith("by-path/socket")
    assert told["device"].endswith("ttyUSB0")


def test_this_very_system_can_be_asked() -> None:
    for candidate in candidates():
        assert os.fspath(candidate.device).startswith("/dev/")


def test_an_empty_port_is_not_taken_for_the_present_folder() -> None:
    with pytest.raises(PortError, match="no port is named"):
        find_board(" ")
