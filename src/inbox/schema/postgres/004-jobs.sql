-- What is known of jobs, where it is asked for what never arrived: also of those whose events are deleted.
CREATE TABLE radaro_inbox.jobs (
  merchant text NOT NULL,
  job text COLLATE "C" NOT NULL, -- what the whole order_id is found by
  known text NOT NULL,           -- what was told of it, and when: JSON
  state text NOT NULL CHECK (state IN ('open', 'closed', 'deleted')),
  deadline text COLLATE "C",
  seen text COLLATE "C",         -- when Radaro's jobs API showed it last
  at text COLLATE "C" NOT NULL,  -- when it was told of or seen last
  PRIMARY KEY (merchant, job)
) WITH (fillfactor = 80);
CREATE INDEX jobs_by_age ON radaro_inbox.jobs (merchant, at);

-- What is to be known of a job from now on, if what is known is still what that was made of (`was`; NULL: nothing).
CREATE TYPE radaro_inbox.learned AS (job text, was text, known text, state text, deadline text, seen text, at text);

-- Returns false, and lets nothing be known, where somebody was faster.
CREATE FUNCTION radaro_inbox.learn(of_merchant text, learned json) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(key) FROM (
    SELECT DISTINCT hashtextextended('learn' || E'\n' || of_merchant || E'\n' || job, 0) AS key
    FROM json_populate_recordset(NULL::radaro_inbox.learned, learned) ORDER BY key
  ) AS keys;
  IF EXISTS (
    SELECT FROM json_populate_recordset(NULL::radaro_inbox.learned, learned) AS l
    LEFT JOIN radaro_inbox.jobs AS j ON j.merchant = of_merchant AND j.job = l.job
    WHERE j.known IS DISTINCT FROM l.was
  ) THEN
    RETURN false;
  END IF;
  INSERT INTO radaro_inbox.jobs (merchant, job, known, state, deadline, seen, at)
    SELECT of_merchant, job, known, state, deadline, seen, at FROM json_populate_recordset(NULL::radaro_inbox.learned, learned)
    ON CONFLICT (merchant, job) DO UPDATE SET known = excluded.known, state = excluded.state, deadline = excluded.deadline,
      seen = excluded.seen, at = excluded.at;
  RETURN true;
END $$;

-- What is to be known before events are stored: of their jobs, and which of them are there.
CREATE FUNCTION radaro_inbox.known_of(of_merchant text, keys json, digests json) RETURNS json LANGUAGE sql STABLE AS $$
  SELECT json_build_object(
    'known', (SELECT coalesce(json_object_agg(job, known), '{}') FROM radaro_inbox.jobs
      WHERE merchant = of_merchant AND job IN (SELECT json_array_elements_text(keys))),
    'digests', (SELECT coalesce(json_agg(digest), '[]') FROM radaro_inbox.events
      WHERE merchant = of_merchant AND digest IN (SELECT json_array_elements_text(digests)))
  )
$$;
