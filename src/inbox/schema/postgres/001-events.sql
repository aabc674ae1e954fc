-- What the inboxes of one or several Node-REDs keep together, for all merchants. What SQLite's has too means
-- the same there. Times of events are ISO-8601 in UTC, as text that sorts by time.

-- The number of the last of these files that was run: one row.
CREATE TABLE radaro_inbox.schema (step integer NOT NULL);
INSERT INTO radaro_inbox.schema (step) VALUES (0);

-- A merchant's inbox.
CREATE TABLE radaro_inbox.inboxes (
  merchant text PRIMARY KEY,             -- the id of its node
  is_paused boolean NOT NULL DEFAULT false, -- whether nothing is given to the flow
  ends integer NOT NULL DEFAULT 0,       -- how many times in a row Node-RED has ended while events were with the flow
  asking text                            -- since when Radaro is asked, and what came of it the last time: JSON; NULL: never
);

-- How many requests were refused, why, and when the first and the last.
CREATE TABLE radaro_inbox.refused (
  merchant text NOT NULL,
  why text NOT NULL,
  count bigint NOT NULL,
  first text NOT NULL,
  last text NOT NULL,
  PRIMARY KEY (merchant, why)
);

-- Who has such an inbox open: one row for each inbox in each Node-RED.
CREATE TABLE radaro_inbox.instances (
  id text PRIMARY KEY,
  merchant text NOT NULL,
  seen_at timestamptz NOT NULL, -- its last sign of life, by the clock of this database
  given integer -- with how many events its flow was when it had ended; NULL: it has not, as far as is known
);
CREATE INDEX instances_by_merchant ON radaro_inbox.instances (merchant);

-- What is known of an event, besides the event: what lists show and look for.
CREATE TABLE radaro_inbox.events (
  merchant text NOT NULL,
  seq bigint GENERATED ALWAYS AS IDENTITY, -- its place in the order of arrival
  accepted_by text NOT NULL,    -- the instance that stored it; '': it became another's since
  owner text NOT NULL,          -- the instance that gives it to its flow, as long as that lives; '': none
  is_given boolean NOT NULL,    -- whether the flow of that instance has some of it
  lost smallint NOT NULL DEFAULT 0, -- 1: the flow of an instance that has ended had it; 2: it and no other
  words text,                   -- what was said of it besides by the owner, one after the other: each the deliveries that
                                -- are others by that, and none where all of them are; JSON; NULL: nothing
  has_news boolean NOT NULL DEFAULT false, -- whether the owner may not know of some of that
  path text NOT NULL,           -- where it was sent to
  digest text NOT NULL,         -- of its body and path
  received_at text COLLATE "C" NOT NULL,
  changed_at text COLLATE "C" NOT NULL, -- when what it tells of happened, or where it does not say that, when it came
  is_dated boolean NOT NULL,    -- whether it says that
  topic text NOT NULL,
  event_type text,
  changed text[] NOT NULL,      -- the names of the changed fields
  status text,                  -- what the field of this name was changed to
  meaning text,                 -- what it means to people
  title text,                   -- of its job, shortened
  customer text,                -- the name of its customer, shortened
  order_id text,                -- JSON, shortened
  external_id text,             -- JSON, shortened
  order_key text,               -- what the whole order_id is found by
  external_key text,
  size integer NOT NULL,        -- of the event, in bytes
  deliveries text,              -- one for each radaro in that it is for: JSON; NULL: not known yet
  state text NOT NULL CHECK (state IN ('waiting', 'processed', 'failed')), -- the worst of theirs
  is_open boolean NOT NULL,     -- whether one of them waits
  again_at text COLLATE "C",    -- when the first of them is given again by itself
  superseded boolean NOT NULL,
  caught_up smallint NOT NULL,  -- 1: made of what Radaro's jobs API says; 2: come when such had told it; 0: neither
  ended integer NOT NULL,       -- how many times Node-RED ended while the flow had this event and no other
  PRIMARY KEY (merchant, seq)
) WITH (autovacuum_vacuum_scale_factor = 0.05);
CREATE UNIQUE INDEX events_once ON radaro_inbox.events (merchant, digest);
CREATE INDEX events_by_state ON radaro_inbox.events (merchant, state, seq);
CREATE INDEX events_by_arrival ON radaro_inbox.events (merchant, received_at, seq);
CREATE INDEX events_by_order ON radaro_inbox.events (merchant, order_key, changed_at, seq) WHERE order_key IS NOT NULL;
CREATE INDEX events_by_external ON radaro_inbox.events (merchant, external_key, seq) WHERE external_key IS NOT NULL;
CREATE INDEX events_owned ON radaro_inbox.events (merchant, owner, changed_at, seq) WHERE is_open OR again_at IS NOT NULL;
CREATE INDEX events_again ON radaro_inbox.events (merchant, owner, again_at, seq) WHERE again_at IS NOT NULL;
CREATE INDEX events_given ON radaro_inbox.events (merchant, owner) WHERE is_given;
CREATE INDEX events_lost ON radaro_inbox.events (merchant, owner) WHERE lost > 0;
CREATE INDEX events_news ON radaro_inbox.events (merchant, owner) WHERE has_news;

-- The events as they were sent, without their tokens: apart, as no list reads them.
CREATE TABLE radaro_inbox.bodies (
  seq bigint PRIMARY KEY,
  body text NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.05);
