"""The camera above the table, and what the empty table looks like from each angle."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from sorter.vision import Backgrounds, locate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sorter.camera import Camera
    from sorter.config import CameraConfig
    from sorter.cycle.timing import Stopwatch
    from sorter.types import Clock, Frame, Location, LocationKind
    from sorter.vision import Background

_OLD_S = 60.0
_RENEW_EVERY_S = 30.0  # light changes more slowly than that


class Eyes:
    """See the module; for one thread, but for ``renew``."""

    def __init__(self, camera: Camera, config: CameraConfig, clock: Clock, watch: Stopwatch) -> None:
        self._camera = camera
        self._deadline_s = config.deadline_s
        self._clock = clock
        self._watch = watch
        self._backgrounds = Backgrounds()
        self._renewed_at_s: dict[float, float] = {}
        self._last: Frame | None = None

    def open(self, *, is_anew: bool) -> None:
        """Make the camera ready; ``is_anew`` closes it first. Raises CameraError."""
        if is_anew:
            self._camera.close()
        self._camera.open(self._clock.monotonic_s() + self._deadline_s)

    def close(self) -> None:
        """Let go of the camera. Raises CameraError."""
        self._camera.close()

    def frame(self) -> Frame:
        """A picture whose exposure began after this call. Raises CameraError."""
        with self._watch.outside():
            self._last = self._camera.capture(self._clock.monotonic_s() + self._deadline_s)
        return self._last

    def last(self) -> Frame | None:
        """The last picture, for whoever asks what was seen; None if that is a minute ago or more."""
        is_new = self._last is not None and self._clock.monotonic_s() - self._last.captured_at_s < _OLD_S
        return self._last if is_new else None

    def locate(self, frame: Frame, table_deg: float, previous: Frame | None = None) -> Location:
        """What lies on the table; see ``sorter.vision.locate``."""
        return locate(frame, self.background(table_deg), previous=previous)

    @staticmethod
    def seen_alone(frame: Frame) -> LocationKind:
        """What lies on the table, as far as one picture tells by itself."""
        return locate(frame).kind

    def background(self, table_deg: float) -> Background | None:
        """The empty table from this angle, if it was learnt."""
        return self._backgrounds.at(table_deg)

    def learn(self, pictures: Sequence[tuple[float, Sequence[Frame]]]) -> None:
        """Forget what the empty table looked like and learn it anew, from frames at each angle.

        Raises:
            ValueError: at one of the angles no table can be made out; nothing is known then.
        """
        self._backgrounds.forget()
        try:
            for angle_deg, frames in pictures:
                self._backgrounds.learn(angle_deg, frames)
        except ValueError:
            self._backgrounds.forget()
            raise

    def wants_renewal(self, table_deg: float) -> bool:
        """Whether the background at this angle has not been renewed for a while; says so once."""
        now_s = self._clock.monotonic_s()
        if self.background(table_deg) is None or now_s < self._renewed_at_s.get(table_deg, -1e9) + _RENEW_EVERY_S:
            return False
        self._renewed_at_s[table_deg] = now_s
        return True

    def renew(self, table_deg: float, frame: Frame) -> None:
        """Take a picture of the empty table into its background; any one thread at a time may.

        A picture in which no table can be made out leaves the background as it is.
        """
        with contextlib.suppress(ValueError):
            self._backgrounds.renew(table_deg, frame)


def exposure_s(frame: Frame) -> float:
    """How long it was exposed, as far as the camera tells."""
    return frame.exposure_s or 0.0
