-- What an inbox keeps. Times are ISO-8601 in UTC, as text that sorts by time.

-- One row.
CREATE TABLE inbox (
  step INTEGER NOT NULL,    -- the number of the last of these files that was run
  last INTEGER NOT NULL,    -- the seq of the event that came last, also where that one is deleted
  checksum INTEGER NOT NULL, -- of all events that are there: their crc, by exclusive or
  is_paused INTEGER NOT NULL CHECK (is_paused IN (0, 1)), -- whether nothing is given to the flow
  ends INTEGER NOT NULL,    -- how many times in a row Node-RED has ended while events were with the flow
  refused TEXT NOT NULL     -- how many requests were refused, why, and when the first and the last: JSON
);
INSERT INTO inbox (step, last, checksum, is_paused, ends, refused) VALUES (0, 0, 0, 0, 0, '[]');

-- What is known of an event, besides the event: what lists show and look for.
CREATE TABLE events (
  seq INTEGER PRIMARY KEY,      -- its place in the order of arrival
  path TEXT NOT NULL,           -- where it was sent to
  digest TEXT NOT NULL, -- of its body and path
  received_at TEXT NOT NULL,
  changed_at TEXT NOT NULL,     -- when what it tells of happened, or where it does not say that, when it came
  is_dated INTEGER NOT NULL CHECK (is_dated IN (0, 1)), -- whether it says that
  topic TEXT NOT NULL,
  event_type TEXT,
  changed TEXT NOT NULL,        -- the names of the changed fields: JSON
  status TEXT,                  -- what the field of this name was changed to
  meaning TEXT,                 -- what it means to people
  title TEXT,                   -- of its job, shortened
  customer TEXT,                -- the name of its customer, shortened
  order_id TEXT,                -- JSON, shortened
  external_id TEXT,             -- JSON, shortened
  order_key TEXT,               -- what the whole order_id is found by
  external_key TEXT,
  size INTEGER NOT NULL,        -- of the event, in bytes
  deliveries TEXT,              -- one for each radaro in that it is for: JSON; NULL: not known yet
  state TEXT NOT NULL CHECK (state IN ('waiting', 'processed', 'failed')), -- the worst of theirs
  is_open INTEGER NOT NULL CHECK (is_open IN (0, 1)), -- whether one of them waits
  again_at TEXT,                -- when the first of them is given again by itself
  superseded INTEGER NOT NULL CHECK (superseded IN (0, 1)),
  caught_up INTEGER NOT NULL CHECK (caught_up IN (0, 1, 2)), -- 1: made of what Radaro's jobs API says; 2: come when such had told it
  ended INTEGER NOT NULL,       -- how many times Node-RED ended while the flow had this event and no other
  crc INTEGER NOT NULL,         -- CRC-32 of the columns that stay: a database finds damage only in what it needs
  state_crc INTEGER NOT NULL    -- CRC-32 of those that change
);
-- What was sent twice says the same time: those that come together are found together.
CREATE UNIQUE INDEX events_dated ON events (changed_at, digest) WHERE is_dated = 1;
CREATE UNIQUE INDEX events_undated ON events (digest) WHERE is_dated = 0;
CREATE INDEX events_open ON events (changed_at, seq) WHERE is_open = 1;
CREATE INDEX events_settled ON events (state, seq) WHERE is_open = 0;
CREATE INDEX events_again ON events (again_at, seq) WHERE again_at IS NOT NULL;
CREATE INDEX events_by_arrival ON events (received_at, seq);
CREATE INDEX events_by_order ON events (order_key, changed_at, seq) WHERE order_key IS NOT NULL;
CREATE INDEX events_by_external ON events (external_key, seq) WHERE external_key IS NOT NULL;

-- The events as they were sent, without their tokens: apart, as no list reads them.
CREATE TABLE bodies (
  seq INTEGER PRIMARY KEY,
  body TEXT NOT NULL,
  crc INTEGER NOT NULL -- CRC-32 of the body
);

-- What is known of jobs, where it is asked for what never arrived: also of those whose events are deleted.
CREATE TABLE jobs (
  job TEXT PRIMARY KEY,    -- what the whole order_id is found by
  known TEXT NOT NULL,     -- what was told of it, and when: JSON
  state TEXT NOT NULL CHECK (state IN ('open', 'closed', 'deleted')),
  deadline TEXT,
  seen TEXT,               -- when Radaro's jobs API showed it last
  at TEXT NOT NULL         -- when it was told of or seen last
) WITHOUT ROWID;

-- One row: since when it is asked, and what came of it the last time: JSON. Absent: it was never asked.
CREATE TABLE asking (state TEXT NOT NULL);
