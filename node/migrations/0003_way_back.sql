-- The way back: corrections of rows, and what the last import replaced.

ALTER TABLE import ADD COLUMN path TEXT;                    -- of a file that was named by hand, so that it can be read again
ALTER TABLE import ADD COLUMN run INTEGER NOT NULL DEFAULT 0; -- the first import of the same command

-- Rows that an operator corrected. `mark` is the digest of the row as the source has it: once it says something else, the
-- correction has served. `cells` are the new ones by column, as JSON.
CREATE TABLE correction (
    source  TEXT NOT NULL,
    mark    BLOB NOT NULL,
    key     BLOB NOT NULL,            -- of the row before
    cells   TEXT NOT NULL,
    answers TEXT NOT NULL,            -- the reasons that were told of it, with commas
    made_ms INTEGER NOT NULL,
    record  INTEGER,                  -- what the corrected row is about, once it was taken over
    PRIMARY KEY (source, mark)
) STRICT, WITHOUT ROWID;

-- What the last run of imports changed, as it was before. What it added is newer than the setting `undo` says.
CREATE TABLE undo_row (
    source  INTEGER NOT NULL,
    key     BLOB NOT NULL,
    digest  BLOB NOT NULL,
    record  INTEGER NOT NULL,
    place   INTEGER,
    gone    INTEGER NOT NULL,
    number  TEXT,
    family  TEXT,
    resend  INTEGER NOT NULL,
    import  INTEGER,
    line    INTEGER,
    delta   BLOB NOT NULL,
    PRIMARY KEY (source, key)
) STRICT, WITHOUT ROWID;
