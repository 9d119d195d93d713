"""Every table and key of rig.toml as Markdown: what `sorter config reference` prints and docs/config.md holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.config.keys import Table, tables

if TYPE_CHECKING:
    from collections.abc import Iterator


def reference() -> str:
    """All tables, each with its keys."""
    return "\n".join(line for table in tables() for line in _table(table))


def _table(table: Table) -> Iterator[str]:
    kind = f', `kind = "{table.kind}"`' if table.kind is not None else ""
    yield f"### `{table.header}`{kind}"
    yield ""
    yield f"{table.meaning[:1].upper()}{table.meaning[1:]}."
    yield ""
    if table.keys:
        yield "| key | value | without it | meaning |"
        yield "|---|---|---|---|"
    for key in table.keys:
        without = "must be there" if key.is_required else f"`{key.default}`" if key.default is not None else "–"
        yield f"| `{key.name}` | {key.values} | {without} | {key.meaning.replace('|', chr(92) + '|')} |"
    if table.keys:
        yield ""
