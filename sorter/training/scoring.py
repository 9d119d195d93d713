"""Show pictures to an exported model, the way the rig does: read, locate, crop, network."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict, deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from typing import TYPE_CHECKING

import numpy as np

from sorter.errors import PictureRefused
from sorter.pictures import read_picture
from sorter.training.evaluation import Latency, NotScored
from sorter.training.scores import Scores, scores_of
from sorter.training.turns import inferred_angles, thumbnail
from sorter.types import Frame, LocationKind
from sorter.vision import crop, locate

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from sorter.classify import Model
    from sorter.dataset import Dataset, Picture
    from sorter.training.evaluation import Angles
    from sorter.types import Crop, CropSpec
    from sorter.types.pictures import RgbArray

    FloatArray = NDArray[np.float64]

_ONE_PART = (LocationKind.ONE, LocationKind.EDGE)  # as in sorter.recognise
_AHEAD = 8  # pictures a thread that may be cut out before the network has seen them
_NO_MS = (0.0, 0.0, 0.0)


@dataclass(frozen=True, eq=False)
class Scored:
    """What the network said of pictures.

    Args:
        scores: of those that show one part; angles are inferred where nobody wrote them down.
        is_turn: n, True where the picture belongs to a known revolution and has an angle in it.
        angles: where the angles come from.
        no_part: read, but without a single part.
        unreadable: with the reason.
        without_brick: how many of those that show one part are of a brick that nobody wrote down.
    """

    scores: Scores
    is_turn: NDArray[np.bool_]
    angles: Angles
    no_part: tuple[NotScored, ...]
    unreadable: tuple[NotScored, ...]
    without_brick: int

    def part(self, *, is_known: bool, is_turn: bool = False) -> Scores:
        """Scores of known or of unknown parts, all of them or only those with a place in a revolution."""
        chosen = self.scores.is_known == is_known
        return self.scores.taken(chosen & self.is_turn if is_turn else chosen)


@dataclass(frozen=True, eq=False)
class _Cut:
    """A picture on its way to the network."""

    crop: Crop | None
    kind: LocationKind
    thumbnail: NDArray[np.uint8] | None


def without_copies(pictures: Iterable[Picture], seen: Collection[str] = ()) -> tuple[Picture, ...]:
    """Of pictures with the same bytes the first one, and none whose hash is in ``seen``."""
    found = set(seen)
    once = []
    for each in pictures:
        if each.sha256 and each.sha256 in found:
            continue
        found.add(each.sha256)
        once.append(each)
    return tuple(once)


def score(
    model: Model,
    dataset: Dataset,
    pictures: Sequence[Picture],
    *,
    workers: int = 2,
    on_progress: Callable[[int], None] | None = None,
) -> Scored:
    """Ask the network of each picture; ``workers`` threads cut out parts, the calling one runs the network.

    Args:
        model: loaded; not to be used by anybody else meanwhile.
        dataset: that the pictures are of.
        pictures: each scored once, copies too.
        workers: 1 or more.
        on_progress: called with how many more pictures are done.
    """
    is_turning = dataset.groups_from != "inferred"  # such groups may hold several revolutions
    unordered = {each.revolution for each in pictures if each.angle_deg is None} - {None} if is_turning else set()
    shown: list[Picture] = []
    logits: list[FloatArray] = []
    no_part, unreadable = [], []
    thumbnails: dict[str, list[tuple[str, NDArray[np.uint8]]]] = defaultdict(list)
    for picture, cut in _cut_ahead(dataset.root, pictures, model.card.crop.spec(), unordered, workers):
        if isinstance(cut, PictureRefused):
            unreadable.append(NotScored(picture.path, cut.reason))
        elif cut.crop is None:
            no_part.append(NotScored(picture.path, f"{cut.kind}"))
        else:
            shown.append(picture)
            logits.append(model.logits(cut.crop))
        # Pictures without a part have their place in the turn too.
        if isinstance(cut, _Cut) and cut.thumbnail is not None and picture.revolution is not None:
            thumbnails[picture.revolution].append((picture.path, cut.thumbnail))
        if on_progress is not None:
            on_progress(1)
    inferred = _inferred(thumbnails)
    scores = _scores(model, shown, logits, inferred)
    has_revolution = np.array([is_turning and each.revolution is not None for each in shown], dtype=np.bool_)
    is_turn = has_revolution & np.isfinite(scores.angles_deg)
    known: Angles = "index" if is_turn.any() else "none"
    return Scored(
        scores=scores,
        is_turn=is_turn,
        angles="inferred" if inferred else known,
        no_part=tuple(no_part),
        unreadable=tuple(unreadable),
        without_brick=sum(each.brick is None for each in shown),
    )


def timed(model: Model, root: Path, paths: Sequence[str]) -> tuple[Latency, dict[str, RgbArray]]:
    """Look at a few pictures once more, one after the other: medians of how long it takes, and the crops."""
    spec = model.card.crop.spec()
    crops: dict[str, RgbArray] = {}
    rows = []
    for path in paths:
        try:
            frame = Frame(read_picture(root / path), 0.0, 0)
        except PictureRefused:
            continue  # it was there a moment ago; its numbers stand, its tile is missing
        times = [time.perf_counter()]
        location = locate(frame)
        times.append(time.perf_counter())
        if location.kind not in _ONE_PART or location.table is None:
            continue
        cut = crop(frame, location, spec)
        times.append(time.perf_counter())
        model.logits(cut)
        times.append(time.perf_counter())
        rows.append([1000.0 * (after - before) for before, after in pairwise(times)])
        crops[path] = cut.rgb
    medians = [statistics.median(column) for column in zip(*rows, strict=True)] if rows else _NO_MS
    locate_ms, crop_ms, network_ms = medians
    return Latency(locate_ms, crop_ms, network_ms, len(rows)), crops


def _cut_ahead(
    root: Path, pictures: Sequence[Picture], spec: CropSpec, unordered: Collection[str | None], workers: int
) -> Iterator[tuple[Picture, _Cut | PictureRefused]]:
    """Each picture with its crop, in order, a bounded number of them ahead: many would take all memory."""
    waiting = iter(pictures)
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="evaluate") as pool:
        jobs = deque(
            (each, pool.submit(_cut, root, each, spec, each.revolution in unordered))
            for each in islice(waiting, _AHEAD * workers)
        )
        try:
            while jobs:
                picture, job = jobs.popleft()
                yield picture, job.result()
                following = next(waiting, None)
                if following is not None:
                    is_unordered = following.revolution in unordered
                    jobs.append((following, pool.submit(_cut, root, following, spec, is_unordered)))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _cut(root: Path, picture: Picture, spec: CropSpec, is_unordered: bool) -> _Cut | PictureRefused:
    try:
        frame = Frame(read_picture(root / picture.path), 0.0, 0)
    except PictureRefused as error:
        return error
    small = thumbnail(frame.rgb) if is_unordered else None
    location = locate(frame)
    if location.kind not in _ONE_PART or location.table is None:
        return _Cut(None, location.kind, small)
    return _Cut(crop(frame, location, spec), location.kind, small)


def _inferred(thumbnails: dict[str, list[tuple[str, NDArray[np.uint8]]]]) -> dict[str, float]:
    """The angle of each path, of revolutions with two pictures or more."""
    found: dict[str, float] = {}
    for pairs in thumbnails.values():
        if len(pairs) > 1:
            angles_deg = inferred_angles(np.stack([each for _, each in pairs]))
            found.update(zip((path for path, _ in pairs), angles_deg.tolist(), strict=True))
    return found


def _scores(model: Model, shown: Sequence[Picture], logits: Sequence[FloatArray], inferred: dict[str, float]) -> Scores:
    """What was said of these pictures; inferred angles come before those that are written down."""
    labels = model.card.labels
    scores = scores_of(labels, np.array(logits, dtype=np.float64).reshape(-1, len(labels)), shown)
    angles = [inferred.get(each.path, each.angle_deg) for each in shown]
    return replace(scores, angles_deg=np.array([np.nan if each is None else each for each in angles], dtype=np.float64))
