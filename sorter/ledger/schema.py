"""The ledger's tables, as they are in the newest revision; ``migrations`` makes them.

Wall-clock times are whole microseconds since 1970 in UTC, ``..._s`` the host's monotonic seconds. Probabilities that
are added up are whole millionths (``..._ppm``), so that sums stay exact however often something is taken out again.
docs/ledger.md explains each table for whoever reads the file with other tools.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, MetaData, Table, Text, TypeDecorator, text

if TYPE_CHECKING:
    from sqlalchemy import Dialect

APPLICATION_ID = 0x4C45_4744  # "LEGD" in the file's header
REVISION = "0001"  # of the tables below; the newest in migrations/versions
NO_CLASS = ""  # of parts without one, where a class is part of a key
NO_COLOUR = -1  # where none was seen, and a colour is part of a key
NO_RUN = 0  # of parts outside any run
PRESENT = 0  # what lies in a bin now, and was not taken out by any emptying

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Utc(TypeDecorator[datetime]):
    """A time with zone, as whole microseconds since 1970."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """To the file."""
        return None if value is None else (value - _EPOCH) // timedelta(microseconds=1)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """From the file."""
        return None if value is None else _EPOCH + timedelta(microseconds=value)


class Json(TypeDecorator[Any]):
    """A value as compact JSON text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002
        """To the file."""
        return None if value is None else to_json(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002
        """From the file."""
        return None if value is None else json.loads(value)


def to_json(value: object) -> str:
    """Compact, and the same for the same value; raises ValueError for numbers that JSON does not have."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


metadata = MetaData()

models = Table(
    "models",
    metadata,
    Column("model", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("first_used_at", Utc, nullable=False),
)

plans = Table(
    "plans",
    metadata,
    Column("plan", Integer, primary_key=True),
    Column("sha256", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("body", Json, nullable=False),
    Column("first_used_at", Utc, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("run", Integer, primary_key=True),
    Column("began_at", Utc, nullable=False),
    Column(
        "first_part", Integer, nullable=False
    ),  # no part of it has a smaller number, none of an earlier run a larger
    Column("ended_at", Utc),
    Column("was_interrupted", Integer, nullable=False, server_default=text("0")),
    Index("runs_under_way", "run", sqlite_where=text("ended_at IS NULL")),
)

settings = Table(
    "settings",
    metadata,
    Column("setting", Integer, primary_key=True),
    Column("run", Integer, ForeignKey("runs.run"), nullable=False),
    Column("at", Utc, nullable=False),
    Column("plan", Integer, ForeignKey("plans.plan"), nullable=False),
    Column("model", Integer, ForeignKey("models.model"), nullable=False),
    Index("settings_of_run", "run"),
)

colours = Table(
    "colours",
    metadata,
    Column("code", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Index("colours_by_name", "name"),
)

bins = Table(
    "bins",
    metadata,
    Column("bin", Text, primary_key=True),
    Column("first_used_at", Utc, nullable=False),
    sqlite_with_rowid=False,
)

emptyings = Table(
    "emptyings",
    metadata,
    Column("emptying", Integer, primary_key=True),
    Column("bin", Text, ForeignKey("bins.bin"), nullable=False),
    Column("at", Utc, nullable=False),
    Column("after_part", Integer, nullable=False),  # no part up to this one fell into the bin later
    Column("undone_at", Utc),
    Index("emptyings_of_bin", "bin", "emptying"),
)

checks = Table(
    "checks",
    metadata,
    Column("check_number", Integer, primary_key=True),
    Column("at", Utc, nullable=False),
    Column("after_part", Integer, nullable=False),  # no part up to this one was finished later
)

parts = Table(
    "parts",
    metadata,
    Column("part", Integer, primary_key=True),
    Column("run", Integer, ForeignKey("runs.run")),
    Column("model", Integer, ForeignKey("models.model")),
    Column("plan", Integer, ForeignKey("plans.plan")),
    Column("opened_at", Utc, nullable=False),
    Column("opened_at_s", Float, nullable=False),
    Column("intended_at", Utc),
    Column("intended_at_s", Float),
    Column("finished_at", Utc),
    Column("finished_at_s", Float),
    Column("intentions", Integer, nullable=False, server_default=text("0")),
    Column("intended_bin", Text, ForeignKey("bins.bin")),
    Column("chute_deg", Float),
    Column("decided_class", Text),
    Column("reject_reason", Text),
    Column("likeliest", Text),
    Column("probability", Float),
    Column("runner_up", Text),
    Column("runner_up_probability", Float),
    Column("novelty", Float),
    Column("view_count", Integer, nullable=False, server_default=text("0")),
    Column("colour_code", Integer, ForeignKey("colours.code")),
    Column("is_colour_unsure", Integer),
    Column("outcome", Text),
    Column("bin", Text, ForeignKey("bins.bin")),
    Column("class_name", Text),
    Column("sureness_ppm", Integer),  # of that class; 1,000,000 where a person has said it
    Column("after_emptying", Integer, nullable=False, server_default=text("0")),  # the newest one when it was finished
    Column("after_check", Integer, nullable=False, server_default=text("0")),  # likewise
    Column("suspect", Text),
    Column("corrections", Integer, nullable=False, server_default=text("0")),
    Column("posterior", Json),
    Column("stage_s", Json),
)

# Partial, so that a row costs index pages once, when it is finished, and only where it has something to be found by.
Index("parts_under_way", parts.c.part, sqlite_where=text("outcome IS NULL"))
Index("parts_by_class", parts.c.class_name, sqlite_where=text("outcome IS NOT NULL AND class_name IS NOT NULL"))
Index("parts_by_bin", parts.c.bin, sqlite_where=text("bin IS NOT NULL"))
Index("parts_by_colour", parts.c.colour_code, sqlite_where=text("outcome IS NOT NULL AND colour_code IS NOT NULL"))
Index(
    "parts_by_reject_reason",
    parts.c.reject_reason,
    sqlite_where=text("outcome IS NOT NULL AND reject_reason IS NOT NULL"),
)
Index("parts_by_probability", parts.c.probability, sqlite_where=text("outcome IS NOT NULL AND probability IS NOT NULL"))
Index("parts_not_confirmed", parts.c.outcome, sqlite_where=text("outcome IS NOT NULL AND outcome <> 'confirmed'"))
Index("parts_suspect", parts.c.part, sqlite_where=text("suspect IS NOT NULL"))

views = Table(
    "views",
    metadata,
    Column("part", Integer, ForeignKey("parts.part"), primary_key=True),
    Column("view", Integer, primary_key=True),
    Column("angle_deg", Float),
    Column("location", Text, nullable=False),
    Column("likeliest", Text),
    Column("probability", Float),
    Column("novelty", Float),
    Column("sharpness", Float),
    Column("overexposed", Float),
    Column("underexposed", Float),
    Column("has_picture", Integer, nullable=False),
    sqlite_with_rowid=False,
)

contents = Table(
    "contents",
    metadata,
    Column("bin", Text, ForeignKey("bins.bin"), primary_key=True),
    Column("emptying", Integer, primary_key=True),  # that took it out; PRESENT if it is there still
    Column("class_name", Text, primary_key=True),
    Column("colour_code", Integer, primary_key=True),
    Column("parts", Integer, nullable=False),
    Column("decided", Integer, nullable=False),
    Column("sureness_ppm", Integer, nullable=False),
    Index("contents_by_emptying", "emptying"),
    sqlite_with_rowid=False,
)

rollups = Table(
    "rollups",
    metadata,
    Column("run", Integer, primary_key=True),
    Column("hour", Integer, primary_key=True),  # since 1970, of finished_at
    Column("parts", Integer, nullable=False),
    Column("decided", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("sureness_ppm", Integer, nullable=False),
    Column("confirmed", Integer, nullable=False),
    Column("lost", Integer, nullable=False),
    Column("stuck", Integer, nullable=False),
    Column("unresolved", Integer, nullable=False),
    Column("suspect", Integer, nullable=False),
    Column("corrected", Integer, nullable=False),
    Column("views", Integer, nullable=False),
    Column("handled_ms", Integer, nullable=False),
    Column("first_part", Integer, nullable=False),
    Column("last_part", Integer, nullable=False),
    Index("rollups_by_hour", "hour"),
    sqlite_with_rowid=False,
)

incidents = Table(
    "incidents",
    metadata,
    Column("incident", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("choices", Json, nullable=False),
    Column("opened_at", Utc, nullable=False),
    Column("last_at", Utc, nullable=False),
    Column("times", Integer, nullable=False),
    Column("closed_at", Utc),
    Column("choice", Text),
    Column("part", Integer, ForeignKey("parts.part")),
    Column("has_picture", Integer, nullable=False),
    Index("incidents_by_kind", "kind"),
    Index("incidents_open", "incident", sqlite_where=text("closed_at IS NULL")),
    Index("incidents_of_part", "part", sqlite_where=text("part IS NOT NULL")),
)

corrections = Table(
    "corrections",
    metadata,
    Column("correction", Integer, primary_key=True),
    Column("part", Integer, ForeignKey("parts.part"), nullable=False),
    Column("at", Utc, nullable=False),
    Column("by", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("was_bin", Text),
    Column("bin", Text),
    Column("was_class", Text),
    Column("class_name", Text),
    Column("was_outcome", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("was_suspect", Text),
    Index("corrections_of_part", "part"),
)

audits = Table(
    "audits",
    metadata,
    Column("audit", Integer, primary_key=True),
    Column("bin", Text, ForeignKey("bins.bin"), nullable=False),
    Column("at", Utc, nullable=False),
    Column("by", Text, nullable=False),
    Column("counted", Integer, nullable=False),
    Column("wrong", Integer, nullable=False),
    Column("recorded", Integer, nullable=False),  # parts in the bin at that time, as far as the ledger knew
    Column("decided", Integer, nullable=False),
    Column("sureness_ppm", Integer, nullable=False),
    Column("after_emptying", Integer, nullable=False),
    Index("audits_of_bin", "bin", "audit"),
)
