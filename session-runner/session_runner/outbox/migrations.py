"""What each version of the outbox's file added, oldest first: a file of an older version is brought up step by step.

A part of the schema is a constant of its own. One that has been released is never changed; the next one alters it. Each is
run in one transaction together with the number of its version, which is its place in the list.
"""

from typing import Final

REQUESTS: Final = """
CREATE TABLE requests (
  place INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  given TEXT NOT NULL,
  digits TEXT NOT NULL,
  text TEXT,
  account TEXT,
  progress TEXT NOT NULL,
  page_key TEXT,
  tries INTEGER NOT NULL DEFAULT 0,
  accepted REAL NOT NULL,
  error INTEGER,
  idempotency_key TEXT UNIQUE,
  digest TEXT
) STRICT;
CREATE INDEX by_progress ON requests (progress, place);
CREATE TABLE statuses (
  request TEXT NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
  status TEXT NOT NULL,
  time REAL NOT NULL,
  PRIMARY KEY (request, status)
) STRICT, WITHOUT ROWID;
"""

KINDS: Final = """
ALTER TABLE requests ADD COLUMN kind TEXT NOT NULL DEFAULT 'text';
ALTER TABLE requests ADD COLUMN reply_to TEXT;
ALTER TABLE requests RENAME COLUMN text TO content;
UPDATE requests SET content = json_object('body', content) WHERE content IS NOT NULL;
"""
""" More than texts can be sent: the content is a document of its kind. """

MEDIA: Final = """
CREATE TABLE media (
  id TEXT PRIMARY KEY,
  page_key TEXT,
  mime_type TEXT NOT NULL,
  variant TEXT NOT NULL DEFAULT '',
  sha256 TEXT,
  size INTEGER,
  filename TEXT,
  stored INTEGER NOT NULL,
  created REAL NOT NULL,
  used REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX media_by_use ON media (stored, used);
"""

MIGRATIONS: Final[tuple[str, ...]] = (
    REQUESTS,  # 1
    KINDS,  # 2
    MEDIA,  # 5
)
