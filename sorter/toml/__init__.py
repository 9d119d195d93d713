"""Read a TOML file into a frozen model, once, at the door; say of every mistake on which line it stands.

Used for the rig's config and for every other TOML file that a person writes.
"""

from sorter.toml.faults import in_words
from sorter.toml.lines import KeyPath, dotted, key_lines, statements
from sorter.toml.model import Mistake, TomlModel
from sorter.toml.reading import check_toml, problems_in, read_toml, toml_text

__all__ = [
    "KeyPath",
    "Mistake",
    "TomlModel",
    "check_toml",
    "dotted",
    "in_words",
    "key_lines",
    "problems_in",
    "read_toml",
    "statements",
    "toml_text",
]
