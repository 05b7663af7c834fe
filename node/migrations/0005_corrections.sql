-- What became of corrections: where their rows stood, and the reading that last used them.

ALTER TABLE correction ADD COLUMN file TEXT;                      -- as it is shown
ALTER TABLE correction ADD COLUMN sheet TEXT;
ALTER TABLE correction ADD COLUMN line INTEGER;
ALTER TABLE correction ADD COLUMN since INTEGER NOT NULL DEFAULT 0; -- the last id in `pending` before it came
ALTER TABLE correction ADD COLUMN used INTEGER;                   -- the import that last used it
ALTER TABLE correction ADD COLUMN new_key BLOB;                   -- of the corrected row
