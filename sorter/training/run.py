"""A run: the networks of a recipe, trained in a folder of their own that can be gone on with."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sorter.classify.card import OTHER
from sorter.training import checkpoint
from sorter.training.batches import Batches
from sorter.training.errors import RunRefused
from sorter.training.fit import Job, fit
from sorter.training.int8_grid import finish
from sorter.training.labels import targets_of
from sorter.training.quantise import Int8Network, to_int8
from sorter.training.record import FINAL
from sorter.training.scores import scores_of
from sorter.training.steps import logits_of
from sorter.training.tables import Tables
from sorter.training.trained import new_network, trained_network
from sorter.training.turns import with_inferred_angles

if TYPE_CHECKING:
    import threading
    from pathlib import Path

    from numpy.typing import NDArray

    from sorter.dataset import Dataset
    from sorter.training.examples import Examples
    from sorter.training.fit import Observer
    from sorter.training.record import RunRecord
    from sorter.training.scores import Scores
    from sorter.training.sources import Source

SCORES = "scores.npz"


@dataclass(frozen=True, eq=False)
class Run:
    """A run that is ready to be trained, or to be gone on with.

    Args:
        folder: with ``run.json`` and a folder for each network.
        record: what it is made from.
        dataset: with groups, known or inferred.
        examples: crops of what it trains on, or whole tables.
        rendered: crops of rendered pictures, or None.
    """

    folder: Path
    record: RunRecord
    dataset: Dataset
    examples: Examples | Tables
    rendered: Examples | None

    def train(self, observer: Observer, stop: threading.Event) -> None:
        """Train all networks that are not finished yet, and note what the inner ones say of what they never saw.

        Raises:
            TrainingStopped: ``stop`` was set; all is saved.
            TrainingRefused, WeightsRefused, RunRefused: see ``sorter.training.fit`` and ``networks``.
        """
        epochs = self.record.recipe.epochs
        best_epochs: list[int] = []
        for number, name in enumerate(self.record.networks):
            if name == FINAL and best_epochs and self.record.recipe.patience is not None:
                epochs = max(1, round(float(np.mean(best_epochs))))
            best_epochs.append(self._train_one(number, name, epochs, observer, stop))

    def held_out(self, network: str) -> Examples | Tables:
        """What an inner network did without; nothing for the final one."""
        if network == FINAL or self.record.inner is None:
            return self.examples.taken([])
        return self.examples.of(self.record.inner.held_out[int(network.removeprefix("inner-")) - 1])

    def trained_on(self, network: str) -> Examples | Tables:
        """What a network saw."""
        without = {each.path for each in self.held_out(network).pictures}
        return self.examples.of([each.path for each in self.examples.pictures if each.path not in without])

    def network(self, name: str) -> Any:
        """A finished network, as a Keras model; raises RunRefused if it is not finished."""
        return trained_network(self.folder, self.record, name)

    def scores(self, network: str, kind: str = "int8") -> Scores:
        """What a finished inner network says of the pictures it never saw.

        Args:
            network: such as ``inner-1``.
            kind: ``int8`` or ``float``.

        Raises:
            RunRefused: nothing is noted of it.
        """
        found = checkpoint.read(self.folder / network / SCORES)
        if found is None:
            raise RunRefused(
                f"{self.folder / network} has no {SCORES}: the network is not finished",
                remedy="Go on with: sorter train --resume RUN",
            )
        about, arrays = found
        examples = self.examples.of(about["paths"])
        assert not isinstance(examples, Tables)
        scores = scores_of(self.record.labels, np.asarray(arrays[kind], np.float64), examples.pictures)
        is_turn = [each.revolution is not None for each in examples.pictures]
        if self.dataset.groups_from == "inferred":  # such a group may be several turns
            return scores
        return with_inferred_angles(scores, examples.rgb, np.array(is_turn, dtype=np.bool_))

    def table_scores(self, network: str) -> tuple[Tables, NDArray[np.float64], NDArray[np.float64]]:
        """What a finished inner network says of tables it never saw: those, and its logits n×c as int8 and as float.

        Raises:
            RunRefused: nothing is noted of it, or the run is of single parts.
        """
        found = checkpoint.read(self.folder / network / SCORES)
        if found is None or not isinstance(self.examples, Tables):
            raise RunRefused(
                f"{self.folder / network} has no {SCORES} of tables",
                remedy=f"Go on with: sorter train --resume {self.folder}",
            )
        about, arrays = found
        tables = self.examples.of(about["paths"])
        return tables, np.asarray(arrays["int8"], np.float64), np.asarray(arrays["float"], np.float64)

    def _train_one(self, number: int, name: str, epochs: int, observer: Observer, stop: threading.Event) -> int:
        recipe, loss, labels = self.record.recipe, self.record.loss, self.record.labels
        folder = self.folder / name
        try:
            folder.mkdir(exist_ok=True)
            for left in folder.glob(".*.part"):  # of a write that was killed
                left.unlink()
        except OSError as error:
            raise RunRefused(f"{folder} cannot be made: {error.strerror}", remedy="Make room, and resume.") from error
        is_new = not (folder / checkpoint.LAST).exists()
        model = new_network(self.record, number, is_pretrained=is_new)
        seen, held = self.trained_on(name), self.held_out(name)
        targets = self._targets(seen)
        rendered, is_other = None, None
        if self.rendered is not None:
            rendered = (self.rendered, targets_of(self.rendered.pictures, labels, loss))
            is_other = np.array([each.class_name == OTHER for each in self.rendered.pictures])
        batches = Batches(seen, targets, recipe, (recipe.seed, number), rendered=rendered, is_other=is_other)
        validation = (held.rgb, self._targets(held)) if len(held) else None
        job = Job(name, folder, model, recipe, loss, batches, validation, epochs)
        progress = fit(job, observer, stop)
        if not (folder / checkpoint.FINISHED).exists():
            finish(model, seen, recipe, (recipe.seed, number))
            weights = {f"model/{place}": each.numpy() for place, each in enumerate(model.variables)}
            checkpoint.write(folder / checkpoint.FINISHED, weights, "{}")
        is_noted = loss == "categorical" or isinstance(seen, Tables)
        if name != FINAL and is_noted and not (folder / SCORES).exists():
            observer.on_notice(f"network {name}: as int8, on what it never saw")
            self._note_scores(folder, self.network(name), seen, held)
        return progress.best_epoch

    def _targets(self, shown: Examples | Tables) -> NDArray[np.generic]:
        if isinstance(shown, Tables):
            return shown.targets
        return targets_of(shown.pictures, self.record.labels, self.record.loss)

    def _note_scores(self, folder: Path, model: Any, seen: Source, held: Source) -> None:
        content = to_int8(model, seen.representative())
        arrays: dict[str, NDArray[np.generic]] = {
            "float": logits_of(model, held.rgb),
            "int8": Int8Network(content).logits(held.rgb),
        }
        checkpoint.write(folder / SCORES, arrays, json.dumps({"paths": [each.path for each in held.pictures]}))
