-- The node's store. docs/STORAGE.md says for every table what if it is lost.

-- Single values: region, head of the chain, generation, session token, checkpoint, why the node is halted.
CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- One kind of records of one source. `kind` is the wire's number: 1 family, 2 person.
CREATE TABLE source (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    kind INTEGER NOT NULL,
    UNIQUE (name, kind)
) STRICT;

CREATE TABLE import (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    source        INTEGER NOT NULL REFERENCES source,
    file          TEXT NOT NULL,
    reference_day INTEGER NOT NULL,
    scope         TEXT,               -- set if the file was declared complete
    started_ms    INTEGER NOT NULL,
    finished_ms   INTEGER,            -- null: it was interrupted; run it again
    rows          INTEGER NOT NULL DEFAULT 0,
    new           INTEGER NOT NULL DEFAULT 0,
    changed       INTEGER NOT NULL DEFAULT 0,
    unchanged     INTEGER NOT NULL DEFAULT 0,
    errors        INTEGER NOT NULL DEFAULT 0,
    warnings      INTEGER NOT NULL DEFAULT 0,
    gone          INTEGER NOT NULL DEFAULT 0,
    queued        INTEGER NOT NULL DEFAULT 0
) STRICT;

-- A record as one source last stated it. `delta` is an encoded Delta with every block stated.
CREATE TABLE record (
    id     INTEGER PRIMARY KEY,
    source INTEGER NOT NULL REFERENCES source,
    kind   INTEGER NOT NULL,
    number TEXT,                      -- NIK or No. KK
    family TEXT,                      -- No. KK of a person
    hub_id BLOB,
    resend INTEGER NOT NULL DEFAULT 0, -- 1: the hub has not taken what was sent; the next change sends every block
    import INTEGER,                   -- where it was last read
    line   INTEGER,
    delta  BLOB NOT NULL
) STRICT;
CREATE INDEX record_number ON record (number) WHERE number IS NOT NULL;
CREATE INDEX record_family ON record (family) WHERE family IS NOT NULL;
CREATE INDEX record_hub_id ON record (hub_id) WHERE hub_id IS NOT NULL;

-- Rows of the last imports of a source, to tell what is new. `place` is the village's code without dots.
CREATE TABLE known_row (
    source INTEGER NOT NULL,
    key    BLOB NOT NULL,
    digest BLOB NOT NULL,
    record INTEGER NOT NULL,
    place  INTEGER,
    gone   INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (source, key)
) STRICT, WITHOUT ROWID;

-- Rows that a later row of the same file replaced, so that the same file again changes nothing.
CREATE TABLE superseded_row (
    source INTEGER NOT NULL,
    key    BLOB NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (source, key, digest)
) STRICT, WITHOUT ROWID;

-- Deltas not yet sealed, oldest first, with a salt of zeros.
CREATE TABLE pending (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    record INTEGER NOT NULL REFERENCES record,
    delta  BLOB NOT NULL
) STRICT;

-- Sealed batches: bytes as signed and as sent. The long columns come last, so that sums do not read them.
CREATE TABLE batch (
    epoch        INTEGER NOT NULL,
    sequence     INTEGER NOT NULL,
    batch_id     BLOB NOT NULL,
    deltas       INTEGER NOT NULL,
    sealed_ms    INTEGER NOT NULL,
    body_length  INTEGER NOT NULL,    -- before compression
    encoding     INTEGER NOT NULL,
    judged       INTEGER NOT NULL DEFAULT 0,
    accepted     INTEGER NOT NULL DEFAULT 0,
    warned       INTEGER NOT NULL DEFAULT 0,
    held         INTEGER NOT NULL DEFAULT 0,
    rejected     INTEGER NOT NULL DEFAULT 0,
    returned     TEXT,                -- why its deltas went back to `pending`
    logged       INTEGER NOT NULL DEFAULT 0, -- 1: the hub proved that it is in its log
    header       BLOB NOT NULL,
    receipt      BLOB,
    body         BLOB NOT NULL,
    PRIMARY KEY (epoch, sequence)
) STRICT;

-- Batches sealed here in whose place the hub holds another one of this region: evidence of a copy.
CREATE TABLE branch (
    batch_id BLOB PRIMARY KEY,
    header   BLOB NOT NULL
) STRICT;

-- The hub's signed word for every epoch after the first.
CREATE TABLE epoch (
    epoch     INTEGER PRIMARY KEY,
    statement BLOB NOT NULL
) STRICT;

-- Which record each delta of a batch was about.
CREATE TABLE sent (
    epoch    INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    place    INTEGER NOT NULL,
    record   INTEGER NOT NULL,
    pending  INTEGER NOT NULL,
    creates  INTEGER NOT NULL,        -- 1: addressed no id, so that acceptance gives the record its id
    PRIMARY KEY (epoch, sequence, place)
) STRICT, WITHOUT ROWID;

-- Current verdicts that say more than "accepted". `detail` is an encoded Verdict.
CREATE TABLE verdict (
    epoch     INTEGER NOT NULL,
    sequence  INTEGER NOT NULL,
    place     INTEGER NOT NULL,
    revision  INTEGER NOT NULL,
    judgement INTEGER NOT NULL,
    detail    BLOB NOT NULL,
    PRIMARY KEY (epoch, sequence, place)
) STRICT, WITHOUT ROWID;

-- The verdict feed as the hub signed it.
CREATE TABLE feed (
    position INTEGER PRIMARY KEY,
    entry    BLOB NOT NULL
) STRICT;

-- What the hub told about a record because of somebody else.
CREATE TABLE notice (
    position INTEGER NOT NULL,
    place    INTEGER NOT NULL,
    hub_id   BLOB NOT NULL,
    reason   TEXT NOT NULL,
    PRIMARY KEY (position, place)
) STRICT, WITHOUT ROWID;

-- Local findings of the newest reading of every row.
CREATE TABLE finding (
    id          INTEGER PRIMARY KEY,
    import      INTEGER NOT NULL,
    source      INTEGER NOT NULL,
    key         BLOB,                 -- null: about the file
    line        INTEGER NOT NULL,
    column_no   INTEGER NOT NULL,     -- 0: the row as a whole
    column_name TEXT,                 -- as the file has it
    reason      TEXT NOT NULL,
    severity    INTEGER NOT NULL,
    detail      TEXT,
    number      TEXT,                 -- NIK or No. KK of the row, to be shown masked
    stays       INTEGER NOT NULL      -- 1: of a row that was stored, until that row is read again
) STRICT;
CREATE INDEX finding_key ON finding (source, key);
CREATE INDEX sent_record ON sent (record);
