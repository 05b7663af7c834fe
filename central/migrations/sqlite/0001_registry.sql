-- The hub's tables. Same number and name in migrations/postgres; docs/STORAGE.md says what each holds and what if it is lost.
-- Unique constraints contain the key by which a table would be distributed; no foreign keys across such keys.

CREATE TABLE setting (
    name TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;

CREATE TABLE rulebook (
    version INTEGER NOT NULL PRIMARY KEY,
    bundle BLOB NOT NULL
) STRICT;

CREATE TABLE lease (
    name TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    fence INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE region (
    region INTEGER NOT NULL PRIMARY KEY,
    status TEXT NOT NULL,
    version INTEGER NOT NULL,
    token_hash BLOB,
    token_expires_ms INTEGER,
    csr BLOB,
    pending_key BLOB,
    signing_key BLOB,
    certificate BLOB,
    certificate_hash BLOB,
    previous_hash BLOB,
    reason TEXT NOT NULL
) STRICT;

CREATE TABLE session (
    region INTEGER NOT NULL PRIMARY KEY,
    current BLOB NOT NULL,
    before BLOB NOT NULL,
    other BLOB NOT NULL,
    suspect BLOB NOT NULL
) STRICT;

CREATE TABLE region_key (
    region INTEGER NOT NULL,
    key_id BLOB NOT NULL,
    public_key BLOB NOT NULL,
    place INTEGER NOT NULL,
    last_epoch INTEGER,
    last_sequence INTEGER,
    PRIMARY KEY (region, key_id)
) STRICT;

CREATE TABLE chain (
    region INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    head BLOB NOT NULL,
    closed INTEGER NOT NULL,
    statement BLOB,
    PRIMARY KEY (region, epoch)
) STRICT;

CREATE TABLE batch (
    region INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    batch_id BLOB NOT NULL,
    header BLOB NOT NULL,
    receipt BLOB NOT NULL,
    encoding INTEGER NOT NULL,
    custody_ms INTEGER NOT NULL,
    deltas INTEGER NOT NULL,
    apply_no INTEGER,
    accepted INTEGER NOT NULL,
    warned INTEGER NOT NULL,
    held INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    rulebook INTEGER NOT NULL,
    PRIMARY KEY (region, epoch, sequence)
) STRICT;
CREATE INDEX batch_waiting ON batch (region, epoch, sequence) WHERE apply_no IS NULL;
CREATE INDEX batch_recent ON batch (custody_ms);

-- Beside its batch, so that writing a batch's totals does not write its body again.
CREATE TABLE batch_body (
    region INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (region, epoch, sequence)
) STRICT;

CREATE TABLE evidence (
    region INTEGER NOT NULL,
    batch_id BLOB NOT NULL,
    header BLOB NOT NULL,
    seen_ms INTEGER NOT NULL,
    why TEXT NOT NULL,
    PRIMARY KEY (region, batch_id)
) STRICT;

CREATE TABLE piece (
    region INTEGER NOT NULL,
    batch_id BLOB NOT NULL,
    start INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (region, batch_id, start)
) STRICT;

CREATE TABLE lane (
    region INTEGER NOT NULL PRIMARY KEY,
    feed INTEGER NOT NULL,
    apply_no INTEGER NOT NULL
) STRICT;

CREATE TABLE feed (
    region INTEGER NOT NULL,
    position INTEGER NOT NULL,
    entry BLOB NOT NULL,
    PRIMARY KEY (region, position)
) STRICT;

CREATE TABLE verdict (
    region INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    place INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    judgement INTEGER NOT NULL,
    subject TEXT,
    action INTEGER NOT NULL,
    detail BLOB NOT NULL,
    PRIMARY KEY (region, epoch, sequence, place)
) STRICT;
CREATE INDEX verdict_held ON verdict (region, subject) WHERE judgement = 3;

CREATE TABLE decision (
    number INTEGER NOT NULL PRIMARY KEY,
    apply_no INTEGER,
    entry BLOB NOT NULL
) STRICT;

CREATE TABLE application (
    apply_no INTEGER NOT NULL PRIMARY KEY,
    region INTEGER,
    epoch INTEGER,
    sequence INTEGER,
    decision INTEGER
) STRICT;

CREATE TABLE record (
    id BLOB NOT NULL PRIMARY KEY,
    region INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    hash BLOB NOT NULL,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX record_region ON record (region, kind, id);

CREATE TABLE holder (
    number TEXT NOT NULL PRIMARY KEY,
    id BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE log_queue (
    name TEXT NOT NULL PRIMARY KEY,
    kind INTEGER NOT NULL,
    leaf BLOB NOT NULL
) STRICT;

CREATE TABLE log_leaf (
    generation INTEGER NOT NULL,
    place INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    name TEXT NOT NULL,
    leaf BLOB NOT NULL,
    PRIMARY KEY (generation, place)
) STRICT;
CREATE INDEX log_leaf_name ON log_leaf (name);

CREATE TABLE log_node (
    generation INTEGER NOT NULL,
    level INTEGER NOT NULL,
    place INTEGER NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (generation, level, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoint (
    generation INTEGER NOT NULL PRIMARY KEY,
    size INTEGER NOT NULL,
    note TEXT NOT NULL
) STRICT;

CREATE TABLE release (
    version INTEGER NOT NULL PRIMARY KEY,
    apply_no INTEGER NOT NULL,
    published INTEGER NOT NULL,
    entry BLOB NOT NULL,
    freshness BLOB NOT NULL,
    prepared_by TEXT NOT NULL
) STRICT;

CREATE TABLE manifest (
    version INTEGER NOT NULL,
    place INTEGER NOT NULL,
    region INTEGER NOT NULL,
    base INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (version, place)
) STRICT;

CREATE TABLE part (
    region INTEGER NOT NULL,
    digest BLOB NOT NULL,
    version INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (region, digest, version)
) STRICT;

CREATE TABLE slice_leaf (
    version INTEGER NOT NULL,
    region INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    id BLOB NOT NULL,
    leaf BLOB NOT NULL,
    PRIMARY KEY (version, region, kind, id)
) STRICT, WITHOUT ROWID;
