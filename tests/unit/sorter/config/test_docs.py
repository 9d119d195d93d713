"""docs/config.md says what the models say, and its examples are fit to sort."""

from __future__ import annotations

import re
from pathlib import Path

from sorter.config import described, read_sorting_config
from sorter.config.reference import reference


def test_the_tables_in_the_docs_are_those_of_the_models(checkout: Path) -> None:
    text = (checkout / "docs/config.md").read_text(encoding="utf-8")
    assert text.endswith(reference().rstrip() + "\n"), "put in what `sorter config reference` prints"


def test_every_example_is_fit_to_sort(checkout: Path, tmp_path: Path) -> None:
    text = (checkout / "docs/config.md").read_text(encoding="utf-8")
    examples = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    chutes = []
    for place, example in enumerate(examples):
        file = tmp_path / f"rig{place}.toml"
        file.write_text(example, encoding="utf-8")
        chutes.append(described(read_sorting_config(file))["chute"].split()[0])
    assert chutes == ["motor", "motor", "servo", "none:"]
