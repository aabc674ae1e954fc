-- How several instances share a merchant's events: what is decided together is decided in one transaction.

-- Where those who share a merchant's events hear of each other.
CREATE FUNCTION radaro_inbox.channel(of_merchant text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT 'radaro_inbox_' || md5(of_merchant)
$$;

-- Tells an instance something of events; as many as a message can hold.
CREATE FUNCTION radaro_inbox.tell(of_merchant text, instance text, what text, seqs bigint[]) RETURNS void LANGUAGE sql AS $$
  SELECT pg_notify(radaro_inbox.channel(of_merchant),
    json_build_object('to', instance, 'what', what, 'seqs', seqs[400 * part + 1 : 400 * (part + 1)])::text)
  FROM generate_series(0, (cardinality(seqs) - 1) / 400) AS part
$$;

CREATE FUNCTION radaro_inbox.lives(instance text, live_for interval) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM radaro_inbox.instances WHERE id = instance AND seen_at >= clock_timestamp() - live_for)
$$;

-- The instance that lives and has something open of a job; its own before others'; NULL: none.
CREATE FUNCTION radaro_inbox.owner_of(of_merchant text, of_path text, job text, asking text, live_for interval) RETURNS text
LANGUAGE sql STABLE AS $$
  SELECT owner FROM radaro_inbox.events
  WHERE merchant = of_merchant AND order_key = job AND path = of_path AND (is_open OR again_at IS NOT NULL)
    AND radaro_inbox.lives(owner, live_for)
  ORDER BY owner <> asking, seq LIMIT 1
$$;

-- Lets one transaction after the other decide who gives the events of some jobs. Some jobs share a lock: of all that the
-- database has, thousands would be too many.
CREATE FUNCTION radaro_inbox.lock_jobs(of_merchant text, jobs json) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('jobs' || of_merchant), job) FROM (
    SELECT DISTINCT mod(hashtext(path || E'\n' || order_key), 1024) AS job
    FROM json_to_recordset(jobs) AS j (path text, order_key text) ORDER BY job
  ) AS keys;
END $$;

-- An event that becomes another instance's.
CREATE TYPE radaro_inbox.moved AS (seq bigint, had text, owner text);

-- Whose these become: the live instance's that has something open of their job, or else mine.
CREATE FUNCTION radaro_inbox.to_owners(of_merchant text, me text, live_for interval, moves radaro_inbox.moved[])
RETURNS radaro_inbox.moved[] LANGUAGE sql STABLE AS $$
  SELECT ARRAY(
    SELECT (m.seq, m.had, coalesce(radaro_inbox.owner_of(of_merchant, e.path, e.order_key, me, live_for), me))::radaro_inbox.moved
    FROM unnest(moves) AS m JOIN radaro_inbox.events AS e
      ON e.merchant = of_merchant AND e.seq = ANY (ARRAY(SELECT seq FROM unnest(moves))) AND e.seq = m.seq
  )
$$;

-- Lets events be others', where they are still the ones' who had them: those hear of it. Returns those that were.
CREATE FUNCTION radaro_inbox.move(of_merchant text, moves radaro_inbox.moved[]) RETURNS SETOF radaro_inbox.moved LANGUAGE plpgsql AS $$
DECLARE
  moved radaro_inbox.moved[];
BEGIN
  WITH changed AS (
    UPDATE radaro_inbox.events AS e
      SET owner = m.owner, accepted_by = '', is_given = false,
        lost = greatest(e.lost, CASE
          WHEN NOT e.is_given THEN 0
          WHEN EXISTS (SELECT FROM radaro_inbox.instances WHERE id = m.had AND given = 1) THEN 2
          ELSE 1
        END)
      FROM unnest(moves) AS m
      WHERE e.merchant = of_merchant AND e.seq = ANY (ARRAY(SELECT seq FROM unnest(moves))) AND e.seq = m.seq AND e.owner = m.had
      RETURNING m.seq, m.had, m.owner
  )
  SELECT array_agg((seq, had, owner)::radaro_inbox.moved) INTO moved FROM changed;
  PERFORM radaro_inbox.tell(of_merchant, had, 'gone', array_agg(seq)) FROM unnest(moved) WHERE had <> '' GROUP BY had;
  RETURN QUERY SELECT * FROM unnest(moved);
END $$;

-- Notes of those that have ended with how many events their flows were: what was alone may be why. Each counts once as an end.
CREATE FUNCTION radaro_inbox.bury(of_merchant text, me text, live_for interval) RETURNS void LANGUAGE sql AS $$
  WITH ended AS (
    UPDATE radaro_inbox.instances AS i SET given = (
        SELECT count(*) FROM radaro_inbox.events WHERE merchant = of_merchant AND owner = i.id AND is_given
      )
      WHERE merchant = of_merchant AND id <> me AND seen_at < clock_timestamp() - live_for AND given IS NULL
      RETURNING given
  )
  UPDATE radaro_inbox.inboxes SET ends = ends + (SELECT count(*) FROM ended WHERE given > 0)
    WHERE merchant = of_merchant AND EXISTS (SELECT FROM ended WHERE given > 0)
$$;

-- How many words were said of an event.
CREATE FUNCTION radaro_inbox.count_of(words text) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(json_array_length(words::json), 0)
$$;

-- An event that arrives.
CREATE TYPE radaro_inbox.accepted AS (
  place integer, -- in what arrives together
  path text, digest text, received_at text, changed_at text, is_dated boolean, topic text, event_type text,
  changed text[], status text, meaning text, title text, customer text, order_id text, external_id text,
  order_key text, external_key text, size integer, deliveries text, state text, is_open boolean, is_given boolean,
  again_at text, caught_up smallint, in_order boolean, -- whether a node wants the events of its job one after the other
  elsewhere text, -- its deliveries where another instance gives it
  fields text[],  -- what can be superseded; NULL: nothing
  body text
);

-- What has become of an event.
CREATE TYPE radaro_inbox.became AS (
  seq bigint, deliveries text, state text, is_open boolean, is_given boolean, again_at text, superseded boolean, ended integer,
  words integer -- how many words of others its owner knew of
);

-- What somebody says of an event, whoever gives it.
CREATE TYPE radaro_inbox.said AS (
  seq bigint, was text, -- its deliveries as they were read
  deliveries text, state text, is_open boolean, is_given boolean, again_at text,
  word text -- those of them that are others by that: JSON
);

-- `jobs`: the paths and keys of those whose events come one after the other; NULL: none.
CREATE FUNCTION radaro_inbox.accept(of_merchant text, me text, live_for interval, arrived json, jobs json)
RETURNS TABLE (new_seq bigint, new_digest text, new_superseded boolean, new_owner text, is_behind boolean) LANGUAGE plpgsql AS $$
DECLARE
  job record;
  owned text[] := '{}'; -- paths, keys and owners of the jobs of which another gives something
  others text[] := '{}';
  seqs bigint[] := '{}';
BEGIN
  IF jobs IS NOT NULL THEN
    PERFORM radaro_inbox.lock_jobs(of_merchant, jobs);
    FOR job IN
      SELECT path, order_key, radaro_inbox.owner_of(of_merchant, j.path, j.order_key, me, live_for) AS owner
      FROM (SELECT DISTINCT path, order_key FROM json_to_recordset(jobs) AS each (path text, order_key text)) AS j
      WHERE EXISTS (
          SELECT FROM radaro_inbox.events AS e
          WHERE e.merchant = of_merchant AND e.order_key = j.order_key AND e.path = j.path
            AND (e.is_open OR e.again_at IS NOT NULL) AND e.owner <> me
        )
    LOOP
      IF job.owner IS NOT NULL THEN
        -- Also where that lets go of it meanwhile: then somebody takes all of the job, in its order.
        owned := owned || ARRAY[ARRAY[job.path, job.order_key, job.owner]];
        CONTINUE;
      END IF;
      -- What nobody gives of this job comes before it.
      PERFORM radaro_inbox.bury(of_merchant, me, live_for);
      PERFORM radaro_inbox.move(of_merchant, ARRAY(
          SELECT (seq, owner, me)::radaro_inbox.moved FROM radaro_inbox.events
          WHERE merchant = of_merchant AND order_key = job.order_key AND path = job.path
            AND (is_open OR again_at IS NOT NULL) AND owner <> me
        ));
      IF FOUND THEN
        PERFORM radaro_inbox.tell(of_merchant, me, 'taken', ARRAY[0::bigint]); -- what failed comes again here
      END IF;
    END LOOP;
  END IF;
  FOR new_seq, new_digest, new_superseded, new_owner, is_behind IN
    WITH new AS MATERIALIZED (
      SELECT n.*, coalesce(CASE WHEN in_order THEN (
          SELECT owned[i][3] FROM generate_subscripts(owned, 1) AS i WHERE owned[i][1] = n.path AND owned[i][2] = n.order_key
        ) END, me) AS new_owner
      FROM json_populate_recordset(NULL::radaro_inbox.accepted, arrived) AS n
    ),
    inserted AS (
      INSERT INTO radaro_inbox.events (
        merchant, accepted_by, owner, is_given, path, digest, received_at, changed_at, is_dated, topic, event_type, changed,
        status, meaning, title, customer, order_id, external_id, order_key, external_key, size, deliveries, state, is_open,
        again_at, caught_up, superseded, ended
      )
      SELECT of_merchant, me, n.new_owner, n.is_given AND n.new_owner = me, path, digest, received_at, changed_at, is_dated,
        topic, event_type, changed, status, meaning, title, customer, order_id, external_id, order_key, external_key, size,
        CASE WHEN n.new_owner = me THEN deliveries ELSE elsewhere END, state, is_open, again_at, caught_up,
        fields IS NOT NULL AND coalesce(fields <@ (
          SELECT array_agg(field) FROM (
            (SELECT e.changed FROM radaro_inbox.events AS e
              WHERE e.merchant = of_merchant AND e.order_key = n.order_key AND e.path = n.path AND e.changed_at > n.changed_at
                AND e.is_dated
              ORDER BY e.changed_at DESC, e.seq DESC LIMIT 200)
            UNION ALL
            SELECT b.changed FROM new AS b
              WHERE b.place < n.place AND b.order_key = n.order_key AND b.path = n.path AND b.changed_at > n.changed_at
                AND b.is_dated
          ) AS later, unnest(later.changed) AS field
        ), false),
        0
      FROM new AS n ORDER BY place
      ON CONFLICT (merchant, digest) DO NOTHING
      RETURNING seq, digest, superseded, owner
    ),
    stored AS (
      INSERT INTO radaro_inbox.bodies (seq, body)
      SELECT i.seq, n.body FROM inserted AS i
      JOIN (SELECT DISTINCT ON (digest) digest, body FROM new ORDER BY digest, place) AS n USING (digest)
    )
    SELECT i.seq, i.digest, i.superseded, i.owner, n.in_order AND i.owner = me AND EXISTS (
        SELECT FROM radaro_inbox.events AS e
        WHERE e.merchant = of_merchant AND e.order_key = n.order_key AND e.path = n.path AND e.is_open AND e.owner = me
          AND e.accepted_by <> me
      )
      FROM inserted AS i JOIN (SELECT DISTINCT ON (digest) * FROM new ORDER BY digest, place) AS n USING (digest)
      ORDER BY i.seq
  LOOP
    IF new_owner <> me THEN
      others := others || new_owner;
      seqs := seqs || new_seq;
    END IF;
    RETURN NEXT;
  END LOOP;
  PERFORM radaro_inbox.tell(of_merchant, each.other, 'came', array_agg(each.seq))
    FROM unnest(others, seqs) AS each (other, seq) GROUP BY each.other;
END $$;

-- Stores new events, what they tell of their jobs, and what has become of others, all or nothing. Left alone of those are:
-- `others`, which another instance gives, and `news`, of which something was said that is not known. Returns NULL, and stores nothing, where
-- something else is known of the jobs by now.
CREATE FUNCTION radaro_inbox.write(of_merchant text, me text, live_for interval, arrived json, jobs json, becoming json, learned json)
RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  written json;
  others json;
  news json;
  places bigint[]; -- that these are found by an index, however little is known of the table
BEGIN
  IF learned IS NOT NULL AND NOT radaro_inbox.learn(of_merchant, learned) THEN
    RETURN NULL;
  END IF;
  IF arrived IS NOT NULL THEN
    SELECT json_agg(a) INTO written FROM radaro_inbox.accept(of_merchant, me, live_for, arrived, jobs) AS a;
  END IF;
  IF becoming IS NOT NULL THEN
    places := ARRAY(SELECT seq FROM json_populate_recordset(NULL::radaro_inbox.became, becoming));
    UPDATE radaro_inbox.events AS e
      SET deliveries = b.deliveries, state = b.state, is_open = b.is_open, is_given = b.is_given, again_at = b.again_at,
        superseded = b.superseded, ended = b.ended, lost = 0, has_news = false
      FROM json_populate_recordset(NULL::radaro_inbox.became, becoming) AS b
      WHERE e.merchant = of_merchant AND e.seq = ANY (places) AND e.seq = b.seq AND e.owner = me
        AND radaro_inbox.count_of(e.words) = coalesce(b.words, 0);
    SELECT json_agg(e.seq) FILTER (WHERE e.owner <> me), json_agg(e.seq) FILTER (WHERE e.owner = me) INTO others, news
      FROM radaro_inbox.events AS e JOIN json_populate_recordset(NULL::radaro_inbox.became, becoming) AS b ON e.seq = b.seq
      WHERE e.merchant = of_merchant AND e.seq = ANY (places)
        AND (e.owner <> me OR radaro_inbox.count_of(e.words) <> coalesce(b.words, 0));
  END IF;
  RETURN json_build_object(
    'written', written, 'others', others, 'news', news, 'tallies', radaro_inbox.tallies_of(of_merchant)
  );
END $$;

-- Writes what somebody says of events, where they are still as that has read them: their owners hear of it. What is run again
-- (`is_run`) and does not wait yet becomes the live instance's that has something open of its job, or else mine. Returns
-- those that were.
CREATE FUNCTION radaro_inbox.say(of_merchant text, me text, live_for interval, all_said json, is_run boolean)
RETURNS SETOF radaro_inbox.moved LANGUAGE plpgsql AS $$
DECLARE
  places bigint[] := ARRAY(SELECT seq FROM json_populate_recordset(NULL::radaro_inbox.said, all_said));
  changed radaro_inbox.moved[];
BEGIN
  IF is_run THEN
    PERFORM radaro_inbox.lock_jobs(of_merchant, (
        SELECT json_agg(json_build_object('path', path, 'order_key', order_key)) FROM radaro_inbox.events
        WHERE merchant = of_merchant AND seq = ANY (places) AND order_key IS NOT NULL
      ));
  END IF;
  WITH there AS MATERIALIZED (
    SELECT seq, owner AS had, path, order_key, is_open OR again_at IS NOT NULL AS is_active FROM radaro_inbox.events
      WHERE merchant = of_merchant AND seq = ANY (places) ORDER BY seq FOR UPDATE
  ),
  written AS (
    UPDATE radaro_inbox.events AS e
      SET owner = t.goes_to, accepted_by = CASE WHEN t.goes_to = t.had THEN e.accepted_by ELSE '' END,
        deliveries = s.deliveries, state = s.state, is_open = s.is_open, is_given = s.is_given, again_at = s.again_at,
        words = (coalesce(e.words::jsonb, '[]') || jsonb_build_array(s.word::jsonb))::text, has_news = t.goes_to <> ''
      FROM json_populate_recordset(NULL::radaro_inbox.said, all_said) AS s JOIN (
        SELECT seq, had, CASE WHEN is_active OR NOT is_run THEN had
            ELSE coalesce(radaro_inbox.owner_of(of_merchant, path, order_key, me, live_for), me) END AS goes_to
        FROM there
      ) AS t USING (seq)
      WHERE e.merchant = of_merchant AND e.seq = ANY (places) AND e.seq = s.seq AND e.deliveries IS NOT DISTINCT FROM s.was
      RETURNING e.seq, t.had, t.goes_to
  )
  SELECT array_agg((seq, had, goes_to)::radaro_inbox.moved) INTO changed FROM written;
  PERFORM radaro_inbox.tell(of_merchant, owner, 'became', array_agg(seq)) FROM unnest(changed)
    WHERE owner NOT IN ('', me) GROUP BY owner;
  PERFORM radaro_inbox.tell(of_merchant, had, 'gone', array_agg(seq)) FROM unnest(changed)
    WHERE had NOT IN ('', owner) GROUP BY had;
  RETURN QUERY SELECT * FROM unnest(changed);
END $$;

-- Whether an event is for one of some nodes, or that is not known yet. @param nodes what LIKE finds each of them by
CREATE FUNCTION radaro_inbox.is_for(deliveries text, nodes text[]) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT deliveries IS NULL OR deliveries LIKE ANY (nodes)
$$;

-- What nobody gives, as its instance has ended or let it go, becomes a live instance's: the one that has something open of
-- its job, or else mine. Some of it at a time, and of a job all. Returns how many.
CREATE FUNCTION radaro_inbox.take(of_merchant text, me text, live_for interval, nodes text[]) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  moves radaro_inbox.moved[];
  jobs json;
  moved radaro_inbox.moved[];
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtextextended('take' || E'\n' || of_merchant, 0)) THEN
    RETURN 0; -- another does
  END IF;
  WITH gone AS MATERIALIZED (
    SELECT '' AS id
    UNION ALL
    SELECT id FROM radaro_inbox.instances
      WHERE merchant = of_merchant AND id <> me AND seen_at < clock_timestamp() - live_for AND given IS NOT NULL
  ),
  step AS MATERIALIZED (
    (SELECT e.* FROM gone CROSS JOIN LATERAL (
        SELECT seq, owner, path, order_key, changed_at FROM radaro_inbox.events
        WHERE merchant = of_merchant AND owner = gone.id AND (is_open OR again_at IS NOT NULL) AND radaro_inbox.is_for(deliveries, nodes)
        ORDER BY changed_at, seq LIMIT 500
      ) AS e ORDER BY changed_at, seq LIMIT 500)
    UNION
    (SELECT e.* FROM gone CROSS JOIN LATERAL (
        SELECT seq, owner, path, order_key, changed_at FROM radaro_inbox.events
        WHERE merchant = of_merchant AND owner = gone.id AND is_given AND radaro_inbox.is_for(deliveries, nodes)
        ORDER BY changed_at, seq LIMIT 500
      ) AS e ORDER BY changed_at, seq LIMIT 500)
  ),
  whole AS MATERIALIZED (
    SELECT seq, owner, path, order_key FROM step
    UNION
    SELECT e.* FROM (SELECT DISTINCT path, order_key FROM step WHERE order_key IS NOT NULL) AS job CROSS JOIN LATERAL (
        SELECT seq, owner, path, order_key FROM radaro_inbox.events
        WHERE merchant = of_merchant AND order_key = job.order_key AND path = job.path AND (is_open OR again_at IS NOT NULL)
          AND owner IN (SELECT id FROM gone) AND radaro_inbox.is_for(deliveries, nodes)
      ) AS e
  )
  SELECT array_agg((seq, owner, NULL)::radaro_inbox.moved),
      json_agg(DISTINCT jsonb_build_object('path', path, 'order_key', order_key)) FILTER (WHERE order_key IS NOT NULL)
    INTO moves, jobs FROM whole;
  IF moves IS NULL THEN
    RETURN 0;
  END IF;
  PERFORM radaro_inbox.lock_jobs(of_merchant, jobs);
  moved := ARRAY(
    SELECT m FROM radaro_inbox.move(of_merchant, radaro_inbox.to_owners(of_merchant, me, live_for, moves)) AS m
  );
  PERFORM radaro_inbox.tell(of_merchant, owner, 'taken', array_agg(seq)) FROM unnest(moved) WHERE owner <> me GROUP BY owner;
  RETURN cardinality(moved);
END $$;

-- Deletes events; `only_closed`: those of which nothing waits. Returns how many were there.
CREATE FUNCTION radaro_inbox.remove(of_merchant text, me text, asked bigint[], only_closed boolean) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
  seqs bigint[] := ARRAY(
    SELECT seq FROM radaro_inbox.events
    WHERE merchant = of_merchant AND seq = ANY (asked) AND NOT (only_closed AND is_open) ORDER BY seq FOR UPDATE
  );
  removed integer;
BEGIN
  PERFORM radaro_inbox.tell(of_merchant, had.owner, 'gone', array_agg(had.seq)) FROM (
    SELECT seq, owner, is_open FROM radaro_inbox.events WHERE merchant = of_merchant AND seq = ANY (seqs)
  ) AS had WHERE had.is_open AND had.owner NOT IN ('', me) GROUP BY had.owner;
  DELETE FROM radaro_inbox.bodies
    WHERE seq IN (SELECT e.seq FROM radaro_inbox.events AS e WHERE e.merchant = of_merchant AND e.seq = ANY (seqs));
  DELETE FROM radaro_inbox.events WHERE merchant = of_merchant AND seq = ANY (seqs);
  GET DIAGNOSTICS removed = ROW_COUNT;
  RETURN removed;
END $$;

-- Writes what is another of what is kept besides events; NULL: as it is. `more`: how many more requests were refused.
CREATE FUNCTION radaro_inbox.set(of_merchant text, me text, paused boolean, in_a_row integer, more json, asks text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE radaro_inbox.inboxes SET is_paused = coalesce(paused, is_paused), ends = coalesce(in_a_row, ends)
    WHERE merchant = of_merchant AND (paused IS NOT NULL OR in_a_row IS NOT NULL);
  UPDATE radaro_inbox.inboxes SET asking = nullif(asks, '') WHERE merchant = of_merchant AND asks IS NOT NULL;
  INSERT INTO radaro_inbox.refused AS r (merchant, why, count, first, last)
    SELECT of_merchant, m.why, m.count, m.first, m.last
    FROM json_to_recordset(more) AS m (why text, count bigint, first text, last text) ORDER BY m.why
    ON CONFLICT (merchant, why) DO UPDATE SET last = greatest(r.last, excluded.last),
      -- Fewer: it has begun anew.
      first = CASE WHEN excluded.count < 0 THEN excluded.first ELSE least(r.first, excluded.first) END,
      count = r.count + excluded.count;
  IF paused IS NOT NULL THEN
    PERFORM pg_notify(radaro_inbox.channel(of_merchant), json_build_object('from', me, 'what', 'settings')::text);
  END IF;
END $$;

-- Lets go of all that waits, for others. It has ended, and is still known: another may just let it have an event of a job
-- that it gives, and that is taken then.
CREATE FUNCTION radaro_inbox.let_go(of_merchant text, me text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE radaro_inbox.events SET owner = '' WHERE merchant = of_merchant AND owner = me AND (is_open OR again_at IS NOT NULL);
  UPDATE radaro_inbox.instances SET seen_at = clock_timestamp() - interval '1 minute', given = 0 WHERE id = me;
  PERFORM pg_notify(radaro_inbox.channel(of_merchant), json_build_object('from', me, 'what', 'free')::text);
END $$;

-- The ids of those that have ended or let go, as '', and have something open.
CREATE FUNCTION radaro_inbox.gone(of_merchant text, me text, live_for interval) RETURNS SETOF text LANGUAGE sql STABLE AS $$
  SELECT id FROM (
    SELECT '' AS id
    UNION ALL
    SELECT id FROM radaro_inbox.instances WHERE merchant = of_merchant AND id <> me AND seen_at < clock_timestamp() - live_for
  ) AS gone
  WHERE EXISTS (SELECT FROM radaro_inbox.events
    WHERE merchant = of_merchant AND owner = gone.id AND (is_open OR again_at IS NOT NULL))
$$;

-- Whether there is something to be taken for one of these nodes.
CREATE FUNCTION radaro_inbox.is_to_take(of_merchant text, me text, live_for interval, nodes text[]) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT FROM radaro_inbox.gone(of_merchant, me, live_for) AS gone JOIN radaro_inbox.events ON owner = gone
    WHERE merchant = of_merchant AND (is_open OR again_at IS NOT NULL) AND radaro_inbox.is_for(deliveries, nodes)
  )
$$;

-- What an instance looks at each second, and whenever it hears of others. `told`: up to where it knows what it has stored.
CREATE FUNCTION radaro_inbox.look(of_merchant text, me text, live_for interval, told bigint) RETURNS json LANGUAGE sql VOLATILE AS $$
  SELECT json_build_object(
    'step', (SELECT step FROM radaro_inbox.schema),
    'now', extract(epoch FROM clock_timestamp()) * 1000,
    'tallies', radaro_inbox.tallies_of(of_merchant),
    'last', (SELECT max(seq) FROM radaro_inbox.events WHERE merchant = of_merchant),
    'isPaused', is_paused,
    'ends', ends,
    'asking', asking,
    'refused', (SELECT coalesce(json_agg(json_build_object('why', why, 'count', count, 'first', first, 'last', last)), '[]')
      FROM radaro_inbox.refused WHERE merchant = of_merchant),
    'free', (SELECT coalesce(json_agg(id ORDER BY id), '[]') FROM radaro_inbox.gone(of_merchant, me, live_for) AS id),
    'hasUntold', EXISTS (SELECT FROM radaro_inbox.events
      WHERE merchant = of_merchant AND seq > told AND owner = me AND accepted_by = me AND is_open),
    'hasLost', EXISTS (SELECT FROM radaro_inbox.events WHERE merchant = of_merchant AND owner = me AND lost > 0),
    'hasNews', EXISTS (SELECT FROM radaro_inbox.events WHERE merchant = of_merchant AND owner = me AND has_news)
  )
  FROM radaro_inbox.inboxes WHERE merchant = of_merchant
$$;
