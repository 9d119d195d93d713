"""The first tables."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None

_STATEMENTS = """\
CREATE TABLE bins (
    bin TEXT NOT NULL,
    first_used_at INTEGER NOT NULL,
    PRIMARY KEY (bin)
)
 WITHOUT ROWID;
CREATE TABLE checks (
    check_number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    after_part INTEGER NOT NULL,
    PRIMARY KEY (check_number)
);
CREATE TABLE colours (
    code INTEGER NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (code)
);
CREATE INDEX colours_by_name ON colours (name);
CREATE TABLE models (
    model INTEGER NOT NULL,
    name TEXT NOT NULL,
    first_used_at INTEGER NOT NULL,
    PRIMARY KEY (model),
    UNIQUE (name)
);
CREATE TABLE plans (
    "plan" INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    first_used_at INTEGER NOT NULL,
    PRIMARY KEY ("plan"),
    UNIQUE (sha256)
);
CREATE TABLE rollups (
    run INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    parts INTEGER NOT NULL,
    decided INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    sureness_ppm INTEGER NOT NULL,
    confirmed INTEGER NOT NULL,
    lost INTEGER NOT NULL,
    stuck INTEGER NOT NULL,
    unresolved INTEGER NOT NULL,
    suspect INTEGER NOT NULL,
    corrected INTEGER NOT NULL,
    views INTEGER NOT NULL,
    handled_ms INTEGER NOT NULL,
    first_part INTEGER NOT NULL,
    last_part INTEGER NOT NULL,
    PRIMARY KEY (run, hour)
)
 WITHOUT ROWID;
CREATE INDEX rollups_by_hour ON rollups (hour);
CREATE TABLE runs (
    run INTEGER NOT NULL,
    began_at INTEGER NOT NULL,
    first_part INTEGER NOT NULL,
    ended_at INTEGER,
    was_interrupted INTEGER DEFAULT 0 NOT NULL,
    PRIMARY KEY (run)
);
CREATE INDEX runs_under_way ON runs (run) WHERE ended_at IS NULL;
CREATE TABLE audits (
    audit INTEGER NOT NULL,
    bin TEXT NOT NULL,
    at INTEGER NOT NULL,
    "by" TEXT NOT NULL,
    counted INTEGER NOT NULL,
    wrong INTEGER NOT NULL,
    recorded INTEGER NOT NULL,
    decided INTEGER NOT NULL,
    sureness_ppm INTEGER NOT NULL,
    after_emptying INTEGER NOT NULL,
    PRIMARY KEY (audit),
    FOREIGN KEY(bin) REFERENCES bins (bin)
);
CREATE INDEX audits_of_bin ON audits (bin, audit);
CREATE TABLE contents (
    bin TEXT NOT NULL,
    emptying INTEGER NOT NULL,
    class_name TEXT NOT NULL,
    colour_code INTEGER NOT NULL,
    parts INTEGER NOT NULL,
    decided INTEGER NOT NULL,
    sureness_ppm INTEGER NOT NULL,
    PRIMARY KEY (bin, emptying, class_name, colour_code),
    FOREIGN KEY(bin) REFERENCES bins (bin)
)
 WITHOUT ROWID;
CREATE INDEX contents_by_emptying ON contents (emptying);
CREATE TABLE emptyings (
    emptying INTEGER NOT NULL,
    bin TEXT NOT NULL,
    at INTEGER NOT NULL,
    after_part INTEGER NOT NULL,
    undone_at INTEGER,
    PRIMARY KEY (emptying),
    FOREIGN KEY(bin) REFERENCES bins (bin)
);
CREATE INDEX emptyings_of_bin ON emptyings (bin, emptying);
CREATE TABLE parts (
    part INTEGER NOT NULL,
    run INTEGER,
    model INTEGER,
    "plan" INTEGER,
    opened_at INTEGER NOT NULL,
    opened_at_s FLOAT NOT NULL,
    intended_at INTEGER,
    intended_at_s FLOAT,
    finished_at INTEGER,
    finished_at_s FLOAT,
    intentions INTEGER DEFAULT 0 NOT NULL,
    intended_bin TEXT,
    chute_deg FLOAT,
    decided_class TEXT,
    reject_reason TEXT,
    likeliest TEXT,
    probability FLOAT,
    runner_up TEXT,
    runner_up_probability FLOAT,
    novelty FLOAT,
    view_count INTEGER DEFAULT 0 NOT NULL,
    colour_code INTEGER,
    is_colour_unsure INTEGER,
    outcome TEXT,
    bin TEXT,
    class_name TEXT,
    sureness_ppm INTEGER,
    after_emptying INTEGER DEFAULT 0 NOT NULL,
    after_check INTEGER DEFAULT 0 NOT NULL,
    suspect TEXT,
    corrections INTEGER DEFAULT 0 NOT NULL,
    posterior TEXT,
    stage_s TEXT,
    PRIMARY KEY (part),
    FOREIGN KEY(run) REFERENCES runs (run),
    FOREIGN KEY(model) REFERENCES models (model),
    FOREIGN KEY("plan") REFERENCES plans ("plan"),
    FOREIGN KEY(intended_bin) REFERENCES bins (bin),
    FOREIGN KEY(colour_code) REFERENCES colours (code),
    FOREIGN KEY(bin) REFERENCES bins (bin)
);
CREATE INDEX parts_by_bin ON parts (bin) WHERE bin IS NOT NULL;
CREATE INDEX parts_by_class ON parts (class_name) WHERE outcome IS NOT NULL AND class_name IS NOT NULL;
CREATE INDEX parts_by_colour ON parts (colour_code) WHERE outcome IS NOT NULL AND colour_code IS NOT NULL;
CREATE INDEX parts_by_probability ON parts (probability) WHERE outcome IS NOT NULL AND probability IS NOT NULL;
CREATE INDEX parts_by_reject_reason ON parts (reject_reason) WHERE outcome IS NOT NULL AND reject_reason IS NOT NULL;
CREATE INDEX parts_not_confirmed ON parts (outcome) WHERE outcome IS NOT NULL AND outcome <> 'confirmed';
CREATE INDEX parts_suspect ON parts (part) WHERE suspect IS NOT NULL;
CREATE INDEX parts_under_way ON parts (part) WHERE outcome IS NULL;
CREATE TABLE settings (
    setting INTEGER NOT NULL,
    run INTEGER NOT NULL,
    at INTEGER NOT NULL,
    "plan" INTEGER NOT NULL,
    model INTEGER NOT NULL,
    PRIMARY KEY (setting),
    FOREIGN KEY(run) REFERENCES runs (run),
    FOREIGN KEY("plan") REFERENCES plans ("plan"),
    FOREIGN KEY(model) REFERENCES models (model)
);
CREATE INDEX settings_of_run ON settings (run);
CREATE TABLE corrections (
    correction INTEGER NOT NULL,
    part INTEGER NOT NULL,
    at INTEGER NOT NULL,
    "by" TEXT NOT NULL,
    what TEXT NOT NULL,
    note TEXT NOT NULL,
    was_bin TEXT,
    bin TEXT,
    was_class TEXT,
    class_name TEXT,
    was_outcome TEXT NOT NULL,
    outcome TEXT NOT NULL,
    was_suspect TEXT,
    PRIMARY KEY (correction),
    FOREIGN KEY(part) REFERENCES parts (part)
);
CREATE INDEX corrections_of_part ON corrections (part);
CREATE TABLE incidents (
    incident INTEGER NOT NULL,
    kind TEXT NOT NULL,
    message TEXT NOT NULL,
    choices TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    times INTEGER NOT NULL,
    closed_at INTEGER,
    choice TEXT,
    part INTEGER,
    has_picture INTEGER NOT NULL,
    PRIMARY KEY (incident),
    FOREIGN KEY(part) REFERENCES parts (part)
);
CREATE INDEX incidents_by_kind ON incidents (kind);
CREATE INDEX incidents_of_part ON incidents (part) WHERE part IS NOT NULL;
CREATE INDEX incidents_open ON incidents (incident) WHERE closed_at IS NULL;
CREATE TABLE views (
    part INTEGER NOT NULL,
    "view" INTEGER NOT NULL,
    angle_deg FLOAT,
    location TEXT NOT NULL,
    likeliest TEXT,
    probability FLOAT,
    novelty FLOAT,
    sharpness FLOAT,
    overexposed FLOAT,
    underexposed FLOAT,
    has_picture INTEGER NOT NULL,
    PRIMARY KEY (part, "view"),
    FOREIGN KEY(part) REFERENCES parts (part)
)
 WITHOUT ROWID;
"""


def upgrade() -> None:
    """Make them."""
    for statement in _STATEMENTS.split(";"):
        if statement.strip():
            op.execute(statement)
