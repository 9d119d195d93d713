"""From a rig's config to a rig that runs: model, ledger, camera, board and loop, put together and taken apart in order.

Nothing here knows whether the hardware is real.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sorter.app.errors import ModelUnfit
from sorter.camera import make_camera
from sorter.classify import load_model
from sorter.classify.card import OTHER
from sorter.config import check_against_model
from sorter.cycle import Controller
from sorter.errors import ConfigError
from sorter.ledger import LEDGER_FILE, Ledger
from sorter.ledger.pictures import PictureFolder
from sorter.quiet import kept_back
from sorter.recognise import Recogniser
from sorter.resources import model_names, models_dir
from sorter.rig import Machine
from sorter.vision.palette import PALETTE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sorter.classify import Model, ModelCard
    from sorter.config import RigConfig
    from sorter.errors import Problem
    from sorter.types import Clock, PartId, SortPlan

MODELS = "models"  # in the state folder: the rig's own
PICTURES = "pictures"  # there, too: crops and frames of parts, and what incidents looked like
MOST_PICTURE_BYTES = 2_000_000_000


@dataclass(frozen=True)
class App:
    """A rig that runs.

    Args:
        config: what it was built from.
        card: of the model in use.
        plan: that it starts with.
        controller: takes the commands and gives the snapshots.
        ledger_file: where every part is written down.
        first_part: the number that the first part gets.
        clock: whose seconds the rig lives by.
    """

    config: RigConfig
    card: ModelCard
    plan: SortPlan
    controller: Controller
    ledger_file: Path
    first_part: PartId
    clock: Clock


@contextmanager
def running(
    config: RigConfig,
    file: Path,
    clock: Clock,
    *,
    on_change: Callable[[], None] | None = None,
    on_note: Callable[[str], None] | None = None,
    log_file: Path | None = None,
) -> Iterator[App]:
    """A rig whose loop runs, for as long as the block lasts; whatever happens in it, all of it is closed again.

    Everything that can be refused is looked at first; then the loop connects board and camera by itself, and nothing
    moves before it is told to.

    Args:
        config: as ``read_sorting_config`` gives it.
        file: where it was read from, for messages.
        clock: the time.
        on_change: called after each new snapshot, in any thread; must return at once.
        on_note: called with sentences that whoever watches should read, in any thread.
        log_file: everything that crosses the wire to the board is written there too.

    Raises:
        ModelUnfit, ModelRefused, RuntimeMissing, ConfigError: see ``fitting_model``.
        LedgerError: the ledger cannot be kept.
    """
    assert config.sort is not None  # read_sorting_config sees to it
    model = fitting_model(config, file)
    recogniser = Recogniser.from_model(model, config.look.misroute_rate, config.look.most_views)

    def load_recogniser(name: str) -> Recogniser:
        other = load_model(model_folder(Path(name), config.paths.state))
        problems = _misfits(config, other.card, None)
        if problems:
            raise ModelUnfit(
                f"model {other.card.name} does not go with rig.toml: {'; '.join(map(str, problems))}",
                remedy="Take a model that knows the classes of the rules.",
            )
        return Recogniser.from_model(other, config.look.misroute_rate, config.look.most_views)

    note, plan = on_note or (lambda _text: None), config.sort.plan()
    with ExitStack() as closing:
        pictures = PictureFolder(config.paths.state / PICTURES, MOST_PICTURE_BYTES, on_note=note)
        ledger = closing.enter_context(Ledger(config.paths.state / LEDGER_FILE, pictures=pictures, on_note=note))
        closing.callback(pictures.close)
        camera = make_camera(config.camera, clock, state=config.paths.state)
        closing.callback(camera.close)
        machine = Machine(config, clock, on_note=note, log_file=log_file)
        closing.callback(machine.close)
        controller = Controller(
            config,
            machine,
            camera,
            recogniser,
            ledger,
            clock,
            on_change=None if on_change is None else lambda _snapshot: on_change(),
            load_recogniser=load_recogniser,
        )
        closing.callback(controller.close)
        controller.begin()
        yield App(
            config,
            model.card,
            plan,
            controller,
            config.paths.state / LEDGER_FILE,
            ledger.first_part,
            clock,
        )


def fitting_model(config: RigConfig, file: Path) -> Model:
    """The model of ``[look]``, if rules and thresholds of ``file`` go with it: else no part would come where they say.

    Raises:
        ModelUnfit: there is none of that name.
        ModelRefused, RuntimeMissing: it cannot be loaded.
        ConfigError: rig.toml names classes or colours that no part will be called, or asks for too low a rate.
    """
    folder = model_folder(config.look.model, config.paths.state)
    with kept_back(is_shown_on_failure=True):  # the runtime greets whoever loads it
        model = load_model(folder)
    problems = _misfits(config, model.card, file)
    if problems:
        raise ConfigError(file, problems)
    return model


def _misfits(config: RigConfig, card: ModelCard, file: Path | None) -> list[Problem]:
    return check_against_model(
        config,
        [label for label in card.labels if label != OTHER],
        [colour.name for colour in PALETTE],
        file=file,
        other_colour_names={colour.lego_name: colour.name for colour in PALETTE},
        strictest_rate=card.thresholds[0].misroute_rate,
    )


def model_folder(name: Path, state: Path) -> Path:
    """The folder of a model: ``name`` itself if it is a path, else a shipped model's, or one in the state folder.

    Raises:
        ModelUnfit: there is none.
    """
    if len(name.parts) > 1:
        return name
    for folder in (models_dir() / name, state / MODELS / name):
        if folder.is_dir():
            return folder
    raise ModelUnfit(
        f'there is no model "{name}": shipped are {", ".join(model_names())}, and {state / MODELS} has none either',
        remedy="Name one of those in [look] model of rig.toml, or write the whole path of a model's folder.",
    )
