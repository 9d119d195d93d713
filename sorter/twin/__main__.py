"""``python -m sorter.twin SETTINGS.json``: the simulated rig."""

from __future__ import annotations

import sys

from sorter.twin.process import main

_SWITCH_S = 0.0005  # a picture that is being made keeps the board waiting no longer

if __name__ == "__main__":
    sys.setswitchinterval(_SWITCH_S)
    sys.exit(main())
