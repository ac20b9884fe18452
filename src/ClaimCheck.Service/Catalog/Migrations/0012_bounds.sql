-- A copy of an uploaded file that another one has overtaken: it is marked before it is removed, so that it can't become the one that counts.
ALTER TABLE uploads ADD COLUMN superseded_at timestamptz NULL;
