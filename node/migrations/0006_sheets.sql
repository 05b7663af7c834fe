-- Where a row stands: a line means nothing in a workbook of several sheets. Of a database it is the table.

ALTER TABLE finding ADD COLUMN sheet TEXT;
ALTER TABLE record ADD COLUMN sheet TEXT;
ALTER TABLE undo_row ADD COLUMN sheet TEXT;
