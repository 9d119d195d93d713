"""``./run`` on machines that lack something: one clear sentence, and no half-made environment that counts as whole."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FAKE_PIP = """#!/bin/sh
# stands in for a virtual environment's python: makes and fills environments without a network
case "$*" in
*"pip --version"*) exit 0 ;;
*"pip "*install*) echo "$*" >>"$CALLS"; eval "$PIP"; exit ;;
*"-m sorter"*) echo "sorter ran with: $*"; exit 0 ;;
esac
"""

FAKE_PYTHON = """#!/bin/sh
# stands in for the system's python3
case "$*" in
*"-m venv"*) mkdir -p "{venv}/bin" && cp "{fake_pip}" "{venv}/bin/python" ;;
*version_info*) exit "${{OLD:-0}}" ;;
*ensurepip*) exit "${{BARE:-0}}" ;;
-V) echo Python 3.9.2 ;;
esac
"""


class Machine:
    """A copy of ``run`` in an otherwise empty folder, on a machine whose python3 is made of shell."""

    def __init__(self, root: Path, checkout: Path) -> None:
        self.root, self.calls = root / "check out", root / "calls"
        self.root.mkdir()
        self.calls.touch()
        shutil.copy(checkout / "run", self.root)
        (self.root / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
        fake_pip = self._program(root / "fake_pip", FAKE_PIP)
        self.path = root / "bin"
        self.path.mkdir()
        self._program(self.path / "python3", FAKE_PYTHON.format(venv=self.root / ".venv", fake_pip=fake_pip))

    @staticmethod
    def _program(path: Path, text: str) -> Path:
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)
        return path

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        inherited = {"PATH": f"{self.path}:/usr/bin:/bin", "CALLS": str(self.calls), "PIP": "exit 0"}
        return subprocess.run(
            [self.root / "run", *arguments],
            env=inherited | environment,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )

    def installs(self) -> int:
        return len(self.calls.read_text(encoding="utf-8").splitlines())


@pytest.fixture
def machine(tmp_path: Path, checkout: Path) -> Machine:
    return Machine(tmp_path, checkout)


def assert_one_sentence(result: subprocess.CompletedProcess[str], *words: str) -> None:
    assert result.returncode == 1
    lines = [line for line in result.stderr.splitlines() if "installing what" not in line]
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("run: ")
    for word in words:
        assert word in lines[0]


def test_an_old_python_is_named_with_its_version(machine: Machine) -> None:
    assert_one_sentence(machine.run("--help", OLD="1"), "Python 3.9.2", "3.11 or newer")


def test_a_missing_python_is_named(machine: Machine) -> None:
    assert_one_sentence(machine.run("--help", PYTHON="python-that-is-not-there"), "no python-that-is-not-there")


def test_a_missing_venv_module_is_named_with_its_package(machine: Machine) -> None:
    assert_one_sentence(machine.run("--help", BARE="1"), "apt install python3-venv")


@pytest.mark.parametrize(
    ("pip", "words"),
    [
        ("echo 'NewConnectionError: no route'; exit 1", ("package index", "network")),
        ("echo 'OSError: [Errno 28] No space left on device'; exit 1", ("disk is full",)),
        ("echo 'ERROR: nothing fits'; exit 1", ("nothing fits", ".venv-install.log")),
    ],
)
def test_a_failed_install_ends_in_one_sentence_and_is_tried_again(
    machine: Machine, pip: str, words: tuple[str, ...]
) -> None:
    assert_one_sentence(machine.run("--help", PIP=pip), *words)
    assert_one_sentence(machine.run("--help", PIP=pip), *words)
    assert machine.installs() == 2
    assert machine.run("--help").returncode == 0


def test_a_second_call_installs_nothing(machine: Machine) -> None:
    first, second = machine.run("demo", "--parts", "3"), machine.run("demo", "--parts", "3")
    assert first.returncode == second.returncode == 0
    assert second.stdout == "sorter ran with: -P -m sorter demo --parts 3\n"
    assert second.stderr == ""
    assert machine.installs() == 1


def test_a_changed_setting_of_a_tool_installs_nothing(machine: Machine) -> None:
    project = machine.root / "pyproject.toml"
    project.write_text("[project]\n[tool.ruff]\nline-length = 80\n", encoding="utf-8")
    machine.run("--help")
    project.write_text("[project]\n[tool.ruff]\nline-length = 90\n", encoding="utf-8")
    machine.run("--help", PIP="exit 1")
    assert machine.installs() == 1


def test_a_link_to_run_uses_the_checkout_it_points_to(machine: Machine, tmp_path: Path) -> None:
    link = tmp_path / "sortrun"
    link.symlink_to(machine.root / "run")
    environment = {"PATH": f"{machine.path}:/usr/bin:/bin", "CALLS": str(machine.calls), "PIP": "exit 0"}
    subprocess.run([link, "--help"], env=environment, capture_output=True, check=True)
    assert (machine.root / ".venv/bin/python").exists()
    assert not (tmp_path / ".venv").exists()


def test_another_python_on_the_path_leaves_a_working_environment_alone(machine: Machine, tmp_path: Path) -> None:
    machine.run("--help")
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(machine.path / "python3", other / "python3")
    assert machine.run("--help", PATH=f"{other}:/usr/bin:/bin").returncode == 0
    assert machine.installs() == 1
    assert machine.run("--help", PYTHON=str(other / "python3")).returncode == 0
    assert machine.installs() == 2, "a python that is asked for by name gets an environment of its own"


def test_changed_dependencies_install_anew(machine: Machine) -> None:
    machine.run("--help")
    (machine.root / "pyproject.toml").write_text("[project]\ndependencies = []\n", encoding="utf-8")
    machine.run("--help")
    assert machine.installs() == 2


def test_a_moved_checkout_gets_an_environment_of_its_own(machine: Machine, tmp_path: Path) -> None:
    machine.run("--help")
    leftover = machine.root / ".venv/leftover"
    leftover.touch()
    (machine.root / ".venv/.owner").write_text("/somewhere/else python3\n", encoding="utf-8")
    assert machine.run("--help").returncode == 0
    assert machine.installs() == 2


def test_two_calls_at_once_install_once(machine: Machine) -> None:
    environment = {"PATH": f"{machine.path}:/usr/bin:/bin", "CALLS": str(machine.calls), "PIP": "sleep 0.3"}
    machine._program(machine.path / "python3", f"#!/bin/sh\n{lock_or_fake(machine)}\n")
    calls = [
        subprocess.Popen(
            [machine.root / "run", "--help"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(3)
    ]
    for call in calls:
        out, _ = call.communicate(timeout=30)
        assert call.returncode == 0
        assert out == b"sorter ran with: -P -m sorter --help\n"
    assert machine.installs() == 1


def lock_or_fake(machine: Machine) -> str:
    """The shell python3, except that locking is done by the real one."""
    fake = machine.path / "fake-python3"
    shutil.copy(machine.path / "python3", fake)
    return f'case "$*" in *flock*) exec "{sys.executable}" "$@" ;; *) exec "{fake}" "$@" ;; esac'


def test_training_installs_its_own_set_once_and_the_rig_does_not(machine: Machine) -> None:
    machine.run("board")
    assert "[train]" not in machine.calls.read_text(encoding="utf-8")
    for command in ("train", "export", "find-rate", "train"):
        assert f"sorter ran with: -P -m sorter {command}" in machine.run(command).stdout
    calls = machine.calls.read_text(encoding="utf-8").splitlines()
    assert [call.rpartition(" ")[2] for call in calls] == [".", ".[train]"]
