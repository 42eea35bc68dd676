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
CREATE TABLE read_marks (
  message TEXT PRIMARY KEY,
  account TEXT,
  accepted REAL NOT NULL
) STRICT, WITHOUT ROWID;
"""
""" More than texts can be sent: the content is a document of its kind. """

EVENTS: Final = """
CREATE TABLE people (
  place INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id TEXT NOT NULL UNIQUE,
  number TEXT UNIQUE,
  lid TEXT UNIQUE,
  name TEXT
) STRICT;
CREATE TABLE former_people (
  user_id TEXT PRIMARY KEY,
  person INTEGER NOT NULL REFERENCES people (place) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE TABLE reading (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  opened REAL NOT NULL,
  linked REAL,
  synchronised INTEGER NOT NULL DEFAULT 0,
  caught_up REAL,
  state TEXT,
  link_needed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE seen (
  chat TEXT NOT NULL,
  id TEXT NOT NULL,
  own INTEGER NOT NULL,
  type TEXT NOT NULL,
  edit TEXT NOT NULL,
  reactions TEXT NOT NULL,
  noticed REAL NOT NULL,
  kept_from REAL NOT NULL,
  PRIMARY KEY (chat, id, own)
) STRICT, WITHOUT ROWID;
CREATE INDEX seen_by_age ON seen (kept_from);
CREATE TABLE events (
  place INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  chat TEXT NOT NULL,
  time REAL NOT NULL,
  body BLOB NOT NULL
) STRICT;
ALTER TABLE statuses ADD COLUMN published INTEGER NOT NULL DEFAULT 0;
UPDATE statuses SET published = 1;
CREATE INDEX unpublished ON statuses (published) WHERE published = 0;
"""

DELIVERIES: Final = """
CREATE TABLE deliveries (
  place INTEGER PRIMARY KEY AUTOINCREMENT,
  event INTEGER NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  webhook TEXT NOT NULL,
  chat TEXT NOT NULL,
  body BLOB NOT NULL,
  created REAL NOT NULL,
  due REAL NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0,
  problem TEXT NOT NULL DEFAULT '',
  dead REAL,
  UNIQUE (webhook, id)
) STRICT;
CREATE INDEX waiting_by_chat ON deliveries (webhook, chat, place) WHERE dead IS NULL;
CREATE INDEX waiting_by_event ON deliveries (event) WHERE dead IS NULL;
"""

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

PACING: Final = """
ALTER TABLE requests ADD COLUMN stranger INTEGER;
ALTER TABLE requests ADD COLUMN handed REAL;
UPDATE requests SET handed = (SELECT time FROM statuses WHERE request = id AND status = 'handed_over');
CREATE INDEX by_handing ON requests (handed) WHERE handed IS NOT NULL;
CREATE INDEX first_contacts ON requests (handed) WHERE stranger = 1;
"""
""" Whether it goes to somebody who has never written (null: not known), and when the page got it. """

PREPARING: Final = """
ALTER TABLE requests ADD COLUMN to_prepare INTEGER NOT NULL DEFAULT 0;
ALTER TABLE requests ADD COLUMN problem TEXT;
ALTER TABLE media ADD COLUMN passing INTEGER NOT NULL DEFAULT 0;
CREATE INDEX to_prepare ON requests (place) WHERE to_prepare = 1;
"""
""" A file is fetched from a link, or converted, before its message goes on, and is for that message alone. """
CALLS: Final = """
CREATE TABLE calls (
  place INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  chat TEXT NOT NULL,
  "group" INTEGER NOT NULL,
  video INTEGER NOT NULL,
  offered REAL NOT NULL,
  noted REAL NOT NULL,
  ended REAL,
  rejected INTEGER NOT NULL DEFAULT 0,
  told INTEGER NOT NULL DEFAULT 0
) STRICT;
"""

BACKFILLS: Final = """
CREATE TABLE backfills (
  webhook TEXT PRIMARY KEY,
  linked REAL NOT NULL,
  chats INTEGER,
  chunks INTEGER NOT NULL DEFAULT 0,
  over INTEGER NOT NULL DEFAULT 0,
  unwanted REAL
) STRICT, WITHOUT ROWID;
CREATE TABLE backfill_chats (
  place INTEGER PRIMARY KEY AUTOINCREMENT,
  webhook TEXT NOT NULL REFERENCES backfills (webhook) ON DELETE CASCADE,
  who BLOB NOT NULL,
  next TEXT
) STRICT;
CREATE INDEX backfill_chats_by_webhook ON backfill_chats (webhook, place);
"""

NOTICED: Final = """
ALTER TABLE people ADD COLUMN noticed REAL;
"""
""" Since when nobody heard of somebody. """

CALLBACK_DATA: Final = """
ALTER TABLE requests ADD COLUMN callback_data TEXT;
"""
""" What its sender wants to have back in each status. """

MIGRATIONS: Final[tuple[str, ...]] = (
    REQUESTS,  # 1
    KINDS,  # 2
    EVENTS,  # 3
    DELIVERIES,  # 4
    MEDIA,  # 5
    PACING,  # 6
    PREPARING,  # 7
    CALLS,  # 8
    BACKFILLS,  # 9
    NOTICED,  # 10
    CALLBACK_DATA,  # 11
)
