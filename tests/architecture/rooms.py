"""Two import-linter contracts that read like the tables in docs/architecture.md.

The built-in contracts refuse modules that do not exist yet; these accept them, so that a rule stands before the
first line of the code that it binds. They look at direct imports, those inside functions and under TYPE_CHECKING
included. Custom contract types: https://import-linter.readthedocs.io/
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from importlinter import Contract, ContractCheck, fields, output

if TYPE_CHECKING:
    import grimp


@dataclass(frozen=True)
class Rule:
    """One line of a table: ``name -> target, target``; ``nothing`` stands for no target."""

    name: str
    targets: tuple[str, ...]


class RuleField(fields.Field):
    """Parses one line of a table into a Rule."""

    def parse(self, raw_data: str | list[str]) -> Rule:
        name, arrow, right = str(raw_data).partition("->")
        targets = tuple(target.strip() for target in right.split(","))
        if not arrow or not name.strip() or not all(targets):
            message = f"expected 'name -> target, target', got {raw_data!r}"
            raise fields.ValidationError(message)
        return Rule(name.strip(), () if targets == ("nothing",) else targets)


def is_within(module: str, package: str) -> bool:
    """Whether module is package or lies in it."""
    return module == package or module.startswith(package + ".")


class TableContract(Contract):
    """A contract whose breaches are sentences, each with the file's module and line."""

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print one line a breach."""
        for breach in check.metadata["breaches"]:
            output.print_error(f"- {breach}")
        output.new_line()

    @staticmethod
    def described(graph: grimp.ImportGraph, importer: str, imported: str) -> str:
        """``importer (l. 3, l. 9) imports imported``."""
        details = graph.get_import_details(importer=importer, imported=imported)
        lines = sorted({detail["line_number"] for detail in details})
        return f"{importer} ({', '.join(f'l. {line}' for line in lines)}) imports {imported}"

    @staticmethod
    def verdict(breaches: list[str]) -> ContractCheck:
        """Kept if there is no breach."""
        return ContractCheck(kept=not breaches, metadata={"breaches": breaches})


class RoomsContract(TableContract):
    """Each room may import itself, what its line names, and, where the line says GROUND, the ground rooms.

    A name in ``exact`` is a room of one module; its children are rooms of their own or an error.
    """

    type_name = "rooms"

    rooms = fields.ListField(subfield=RuleField())
    ground = fields.ListField(subfield=fields.StringField())
    exact = fields.ListField(subfield=fields.StringField())

    def room_of(self, module: str) -> str | None:
        """The room with the longest name that holds module."""
        names = [
            rule.name
            for rule in self.rooms
            if module == rule.name or (rule.name not in self.exact and is_within(module, rule.name))
        ]
        return max(names, key=len, default=None)

    def check(self, graph: grimp.ImportGraph, verbose: bool) -> ContractCheck:
        """Hold every import between two of our modules against the table."""
        allowed = {
            rule.name: {target for name in rule.targets for target in (self.ground if name == "GROUND" else (name,))}
            for rule in self.rooms
        }
        breaches = [
            f"{room} may import {target}, but no room has that name"
            for room, targets in sorted(allowed.items())
            for target in sorted(targets - allowed.keys())
        ]
        for importer in sorted(graph.modules):
            if graph.is_module_squashed(importer):
                continue
            room = self.room_of(importer)
            if room is None and self.room_of(importer.rpartition(".")[0]) is None and importer.count(".") > 1:
                continue  # its package has been named already
            if room is None:
                breaches.append(f"{importer} belongs to no room: give it a line in pyproject.toml")
                continue
            for imported in sorted(graph.find_modules_directly_imported_by(importer)):
                target = None if graph.is_module_squashed(imported) else self.room_of(imported)
                if target is not None and target != room and target not in allowed[room]:
                    breaches.append(f"{self.described(graph, importer, imported)}: {room} may not import {target}")
        return self.verdict(breaches)


class DoorContract(TableContract):
    """A package from outside may be imported in one place only."""

    type_name = "door"

    doors = fields.ListField(subfield=RuleField())

    def check(self, graph: grimp.ImportGraph, verbose: bool) -> ContractCheck:
        """Hold every import of a listed package against the table."""
        breaches = []
        for door in self.doors:
            if door.name not in graph.modules:
                continue
            allowed = ", ".join(door.targets) or "nobody"
            breaches += [
                f"{self.described(graph, importer, door.name)}: only {allowed} may import it"
                for importer in sorted(graph.find_modules_that_directly_import(door.name))
                if not any(is_within(importer, target) for target in door.targets)
            ]
        return self.verdict(breaches)
