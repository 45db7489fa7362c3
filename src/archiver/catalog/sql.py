"""All SQL of the catalog. Needs SQLite 3.38 with FTS5, nothing newer."""

from __future__ import annotations

from typing import Final

#: Raised with every change of the tables below or of how text is cut: older catalogs are built anew.
SCHEMA_VERSION: Final = 1

# One writer, a file nobody reads yet: no journal. What is torn is thrown away and built again.
SETTINGS: Final = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536"

# The index keeps no copy of the texts (content=''): they stand in `material` and `body`. Its words are
# cut by us, so every character that is no space belongs to one.
SCHEMA: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE event (
    id TEXT PRIMARY KEY, position INTEGER NOT NULL, title TEXT NOT NULL, date TEXT NOT NULL,
    end_date TEXT NOT NULL, city TEXT NOT NULL, venue TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE talk (
    event TEXT NOT NULL, id TEXT NOT NULL, position INTEGER NOT NULL, title TEXT NOT NULL,
    speakers TEXT NOT NULL, PRIMARY KEY (event, id)
) WITHOUT ROWID;
CREATE TABLE material (
    id INTEGER PRIMARY KEY, event TEXT NOT NULL, source TEXT NOT NULL, type TEXT NOT NULL,
    native_id TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL, title TEXT NOT NULL,
    url TEXT NOT NULL, talk TEXT NOT NULL, method TEXT NOT NULL, score REAL, why TEXT NOT NULL,
    authors TEXT NOT NULL, date TEXT NOT NULL, language TEXT NOT NULL, licence TEXT NOT NULL,
    description TEXT NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL, path TEXT NOT NULL
);
CREATE TABLE file (
    material INTEGER NOT NULL REFERENCES material (id), position INTEGER NOT NULL, path TEXT NOT NULL,
    name TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL, role TEXT NOT NULL,
    grade TEXT NOT NULL, label TEXT NOT NULL, media_type TEXT NOT NULL, PRIMARY KEY (material, position)
) WITHOUT ROWID;
CREATE TABLE body (material INTEGER PRIMARY KEY REFERENCES material (id), text TEXT NOT NULL);
CREATE VIRTUAL TABLE search USING fts5 (
    title, people, event, description, body, content = '',
    tokenize = "unicode61 remove_diacritics 0 categories 'L* M* N* P* S* C*'"
);
"""

INSERT_META: Final = "INSERT INTO meta VALUES (?, ?)"
INSERT_EVENT: Final = "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?)"
INSERT_TALK: Final = "INSERT INTO talk VALUES (?, ?, ?, ?, ?)"
INSERT_MATERIAL: Final = "INSERT INTO material VALUES (" + "?, " * 20 + "?)"
INSERT_FILE: Final = "INSERT INTO file VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
INSERT_BODY: Final = "INSERT INTO body VALUES (?, ?)"
INSERT_SEARCH: Final = (
    "INSERT INTO search (rowid, title, people, event, description, body) VALUES (?, ?, ?, ?, ?, ?)"
)
OPTIMIZE: Final = "INSERT INTO search (search) VALUES ('optimize')"

OBJECTS: Final = "SELECT type, name, coalesce(sql, '') FROM sqlite_master"
META: Final = "SELECT key, value FROM meta LIMIT 100"

# bm25 is better the lower; a word in the title counts ten times one in the text.
SEARCH: Final = """
SELECT material.id, material.event, material.talk, material.kind, material.title, material.path,
       -bm25(search, 10.0, 5.0, 3.0, 2.0, 1.0) AS score
FROM search JOIN material ON material.id = search.rowid
LEFT JOIN event ON event.id = material.event
WHERE search MATCH :match
  AND (:kinds IS NULL OR material.kind IN (SELECT value FROM json_each(:kinds)))
  AND (:events IS NULL OR material.event IN (SELECT value FROM json_each(:events)))
ORDER BY score DESC, event.position, material.id
LIMIT :limit
"""

TEXTS: Final = """
SELECT coalesce(body.text, ''), material.description, material.title,
       coalesce(talk.title, ''), coalesce(talk.speakers, ''), material.authors,
       coalesce(event.title || ' ' || event.city || ' ' || event.venue, '')
FROM material
LEFT JOIN body ON body.material = material.id
LEFT JOIN talk ON talk.event = material.event AND talk.id = material.talk
LEFT JOIN event ON event.id = material.event
WHERE material.id = ?
"""
