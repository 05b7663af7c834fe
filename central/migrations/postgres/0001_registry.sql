-- The hub's tables. Same number and name in migrations/sqlite; docs/STORAGE.md says what each holds and what if it is lost.
-- Unique constraints contain the key by which a table would be distributed; no foreign keys across such keys.

CREATE TABLE setting (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value BYTEA NOT NULL
);

CREATE TABLE rulebook (
    version BIGINT NOT NULL PRIMARY KEY,
    bundle BYTEA NOT NULL
);

CREATE TABLE lease (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    holder TEXT COLLATE "C" NOT NULL,
    fence BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL
);

CREATE TABLE region (
    region BIGINT NOT NULL PRIMARY KEY,
    status TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    token_hash BYTEA,
    token_expires_ms BIGINT,
    csr BYTEA,
    pending_key BYTEA,
    signing_key BYTEA,
    certificate BYTEA,
    certificate_hash BYTEA,
    previous_hash BYTEA,
    reason TEXT COLLATE "C" NOT NULL
);

CREATE TABLE session (
    region BIGINT NOT NULL PRIMARY KEY,
    current BYTEA NOT NULL,
    before BYTEA NOT NULL,
    other BYTEA NOT NULL,
    suspect BYTEA NOT NULL
);

CREATE TABLE region_key (
    region BIGINT NOT NULL,
    key_id BYTEA NOT NULL,
    public_key BYTEA NOT NULL,
    place BIGINT NOT NULL,
    last_epoch BIGINT,
    last_sequence BIGINT,
    PRIMARY KEY (region, key_id)
);

CREATE TABLE chain (
    region BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    head BYTEA NOT NULL,
    closed BIGINT NOT NULL,
    statement BYTEA,
    PRIMARY KEY (region, epoch)
);

CREATE TABLE batch (
    region BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    batch_id BYTEA NOT NULL,
    header BYTEA NOT NULL,
    receipt BYTEA NOT NULL,
    encoding BIGINT NOT NULL,
    custody_ms BIGINT NOT NULL,
    deltas BIGINT NOT NULL,
    apply_no BIGINT,
    accepted BIGINT NOT NULL,
    warned BIGINT NOT NULL,
    held BIGINT NOT NULL,
    rejected BIGINT NOT NULL,
    rulebook BIGINT NOT NULL,
    PRIMARY KEY (region, epoch, sequence)
);
CREATE INDEX batch_waiting ON batch (region, epoch, sequence) WHERE apply_no IS NULL;
CREATE INDEX batch_recent ON batch (custody_ms);

-- Beside its batch, so that writing a batch's totals does not write its body again.
CREATE TABLE batch_body (
    region BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (region, epoch, sequence)
);

CREATE TABLE evidence (
    region BIGINT NOT NULL,
    batch_id BYTEA NOT NULL,
    header BYTEA NOT NULL,
    seen_ms BIGINT NOT NULL,
    why TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (region, batch_id)
);

CREATE TABLE piece (
    region BIGINT NOT NULL,
    batch_id BYTEA NOT NULL,
    start BIGINT NOT NULL,
    data BYTEA NOT NULL,
    PRIMARY KEY (region, batch_id, start)
);

CREATE TABLE lane (
    region BIGINT NOT NULL PRIMARY KEY,
    feed BIGINT NOT NULL,
    apply_no BIGINT NOT NULL
);

CREATE TABLE feed (
    region BIGINT NOT NULL,
    position BIGINT NOT NULL,
    entry BYTEA NOT NULL,
    PRIMARY KEY (region, position)
);

CREATE TABLE verdict (
    region BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    place BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    judgement BIGINT NOT NULL,
    subject TEXT COLLATE "C",
    action BIGINT NOT NULL,
    detail BYTEA NOT NULL,
    PRIMARY KEY (region, epoch, sequence, place)
);
CREATE INDEX verdict_held ON verdict (region, subject) WHERE judgement = 3;

CREATE TABLE decision (
    number BIGINT NOT NULL PRIMARY KEY,
    apply_no BIGINT,
    entry BYTEA NOT NULL
);

CREATE TABLE application (
    apply_no BIGINT NOT NULL PRIMARY KEY,
    region BIGINT,
    epoch BIGINT,
    sequence BIGINT,
    decision BIGINT
);

-- Room in every page, so that a changed record stays in its page and no index is written.
CREATE TABLE record (
    id BYTEA NOT NULL PRIMARY KEY,
    region BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    body BYTEA NOT NULL
) WITH (fillfactor = 85);
CREATE INDEX record_region ON record (region, kind, id);

CREATE TABLE holder (
    number TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    id BYTEA NOT NULL
);

CREATE TABLE log_queue (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    kind BIGINT NOT NULL,
    leaf BYTEA NOT NULL
);

CREATE TABLE log_leaf (
    generation BIGINT NOT NULL,
    place BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    leaf BYTEA NOT NULL,
    PRIMARY KEY (generation, place)
);
CREATE INDEX log_leaf_name ON log_leaf (name);

CREATE TABLE log_node (
    generation BIGINT NOT NULL,
    level BIGINT NOT NULL,
    place BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    PRIMARY KEY (generation, level, place)
);

CREATE TABLE checkpoint (
    generation BIGINT NOT NULL PRIMARY KEY,
    size BIGINT NOT NULL,
    note TEXT COLLATE "C" NOT NULL
);

CREATE TABLE release (
    version BIGINT NOT NULL PRIMARY KEY,
    apply_no BIGINT NOT NULL,
    published BIGINT NOT NULL,
    entry BYTEA NOT NULL,
    freshness BYTEA NOT NULL,
    prepared_by TEXT COLLATE "C" NOT NULL
);

CREATE TABLE manifest (
    version BIGINT NOT NULL,
    place BIGINT NOT NULL,
    region BIGINT NOT NULL,
    base BIGINT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (version, place)
);

CREATE TABLE part (
    region BIGINT NOT NULL,
    digest BYTEA NOT NULL,
    version BIGINT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (region, digest, version)
);

CREATE TABLE slice_leaf (
    version BIGINT NOT NULL,
    region BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    id BYTEA NOT NULL,
    leaf BYTEA NOT NULL,
    PRIMARY KEY (version, region, kind, id)
);
