-- Whether a record waits to be sent is asked for every record that `undo` removes, and for every one that was sent.
CREATE INDEX pending_record ON pending (record);
