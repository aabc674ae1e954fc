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
      SET owner = m.owner, is_given = false,
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
  seq bigint, deliveries text, state text, is_open boolean, is_given boolean, again_at text, superseded boolean, ended integer
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
-- `others`, which another instance gives, and `news`, of which another has changed something. Returns NULL, and stores nothing,
-- where something else is known of the jobs by now.
CREATE FUNCTION radaro_inbox.write(of_merchant text, me text, live_for interval, arrived json, jobs json, becoming json, learned json)
RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  written json;
  others json;
  has_news boolean := false;
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
        superseded = b.superseded, ended = b.ended, lost = 0
      FROM json_populate_recordset(NULL::radaro_inbox.became, becoming) AS b
      WHERE e.merchant = of_merchant AND e.seq = ANY (places) AND e.seq = b.seq AND e.owner = me AND NOT e.news;
    SELECT json_agg(seq) FILTER (WHERE owner <> me), count(*) FILTER (WHERE owner = me) > 0 INTO others, has_news
      FROM radaro_inbox.events WHERE merchant = of_merchant AND seq = ANY (places) AND (owner <> me OR news);
  END IF;
  RETURN json_build_object(
    'written', written, 'others', others, 'has_news', has_news, 'tallies', radaro_inbox.tallies_of(of_merchant)
  );
END $$;

-- What has become of an event, said by one that does not give it: where it is still as that has read it.
CREATE FUNCTION radaro_inbox.merge(of_merchant text, was text, b radaro_inbox.became) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  instance text;
BEGIN
  UPDATE radaro_inbox.events AS e
    SET deliveries = b.deliveries, state = b.state, is_open = b.is_open, is_given = b.is_given, again_at = b.again_at,
      news = e.owner <> ''
    WHERE e.merchant = of_merchant AND e.seq = b.seq AND e.deliveries IS NOT DISTINCT FROM was
    RETURNING owner INTO instance;
  IF instance <> '' THEN
    PERFORM radaro_inbox.tell(of_merchant, instance, 'became', ARRAY[b.seq]);
  END IF;
  RETURN FOUND;
END $$;

-- Whether an event waits for one of these nodes, or that is not known yet.
CREATE FUNCTION radaro_inbox.is_for(deliveries text, nodes text[]) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT deliveries IS NULL OR EXISTS (SELECT FROM unnest(nodes) AS node WHERE strpos(deliveries, node) > 0)
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
  -- With how many events their flows were when they ended: that of one that was alone may be why.
  UPDATE radaro_inbox.instances AS i SET given = (
      SELECT count(*) FROM radaro_inbox.events WHERE merchant = of_merchant AND owner = i.id AND is_given
    )
    WHERE merchant = of_merchant AND id <> me AND seen_at < clock_timestamp() - live_for AND given IS NULL;
  WITH gone AS MATERIALIZED (
    SELECT '' AS id
    UNION ALL
    SELECT id FROM radaro_inbox.instances WHERE merchant = of_merchant AND id <> me AND seen_at < clock_timestamp() - live_for
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

-- Lets events that nobody gives now be mine, or the instance's that has something open of their job. What a live one gives
-- stays as it is.
CREATE FUNCTION radaro_inbox.own(of_merchant text, me text, live_for interval, seqs bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM radaro_inbox.lock_jobs(of_merchant,
    (SELECT json_agg(json_build_object('path', path, 'order_key', order_key)) FROM radaro_inbox.events
      WHERE merchant = of_merchant AND seq = ANY (seqs) AND order_key IS NOT NULL));
  PERFORM radaro_inbox.move(of_merchant, radaro_inbox.to_owners(of_merchant, me, live_for, ARRAY(
      SELECT (seq, owner, NULL)::radaro_inbox.moved FROM radaro_inbox.events
      WHERE merchant = of_merchant AND seq = ANY (seqs)
        AND NOT ((is_open OR again_at IS NOT NULL) AND (owner = me OR radaro_inbox.lives(owner, live_for)))
    )));
END $$;

-- Returns how many were there.
CREATE FUNCTION radaro_inbox.remove(of_merchant text, me text, seqs bigint[]) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  removed integer;
BEGIN
  PERFORM radaro_inbox.tell(of_merchant, had.owner, 'gone', array_agg(had.seq)) FROM (
    SELECT seq, owner, is_open FROM radaro_inbox.events
    WHERE merchant = of_merchant AND seq = ANY (seqs) ORDER BY seq FOR UPDATE
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

-- What an instance looks at each second, and whenever it hears of others.
CREATE FUNCTION radaro_inbox.look(of_merchant text, me text, live_for interval) RETURNS json LANGUAGE sql VOLATILE AS $$
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
    'isFree', EXISTS (
      SELECT FROM (
        SELECT '' AS id
        UNION ALL
        SELECT id FROM radaro_inbox.instances WHERE merchant = of_merchant AND id <> me AND seen_at < clock_timestamp() - live_for
      ) AS gone
      WHERE EXISTS (SELECT FROM radaro_inbox.events
        WHERE merchant = of_merchant AND owner = gone.id AND (is_open OR again_at IS NOT NULL))
    ),
    'hasLost', EXISTS (SELECT FROM radaro_inbox.events WHERE merchant = of_merchant AND owner = me AND lost > 0),
    'hasNews', EXISTS (SELECT FROM radaro_inbox.events WHERE merchant = of_merchant AND owner = me AND news)
  )
  FROM radaro_inbox.inboxes WHERE merchant = of_merchant
$$;
