-- The slice in use, and the parts of the next one while they arrive.

-- Leaves in the order of the tree. `leaf` is the RFC 6962 hash of `record`.
CREATE TABLE slice_leaf (
    kind   INTEGER NOT NULL,
    id     BLOB NOT NULL,
    number TEXT,                      -- NIK or No. KK
    family TEXT,                      -- No. KK of a person
    leaf   BLOB NOT NULL,
    record BLOB NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX slice_leaf_number ON slice_leaf (number) WHERE number IS NOT NULL;
CREATE INDEX slice_leaf_family ON slice_leaf (family) WHERE family IS NOT NULL;

CREATE TABLE slice_part (
    digest BLOB PRIMARY KEY,
    body   BLOB NOT NULL
) STRICT;
