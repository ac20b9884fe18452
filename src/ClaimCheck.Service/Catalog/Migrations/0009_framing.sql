-- How the blocks of compressed files are framed: 'deflate', one gzip member a file; or 'gzip', each block a member of its own, as version 0.1
-- wrote them. A catalog that was there before this script goes on with what its consumers can read until ClaimCheck:Exporting:Framing
-- says otherwise.
CREATE TABLE framing (
    only_row           boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    unless_configured  text        NOT NULL CHECK (unless_configured IN ('deflate', 'gzip'))
);
-- A new catalog takes all scripts in one transaction, which has one now().
INSERT INTO framing (unless_configured)
SELECT CASE WHEN EXISTS (SELECT FROM schema_versions WHERE applied_at <> now()) THEN 'gzip' ELSE 'deflate' END;

-- Null in files of version 0.1, also of one that still runs beside this one. With them the end of any run of files as one gzip member is
-- known without reading them.
ALTER TABLE files
    ADD COLUMN framing                   text   NULL CHECK (framing IN ('deflate', 'gzip', 'none')),
    ADD COLUMN header_uncompressed_bytes bigint NULL,        -- of the column names, which header_bytes stores
    ADD COLUMN header_crc32              bigint NULL,        -- of the same; where framing is 'deflate', like the next
    ADD COLUMN records_crc32             bigint NULL;        -- of all records together, before compression
