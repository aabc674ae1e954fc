-- How many events there are, counted as they come, change and go: nobody counts a million of them each second.

-- Each is the sum of its slots: whoever writes uses one of its own, and waits for nobody.
CREATE TABLE radaro_inbox.tallies (
  merchant text NOT NULL,
  slot smallint NOT NULL,
  name text NOT NULL, -- a state: so many events; 'bytes': their size; 'node:' and an id: so many failed deliveries to it
  count bigint NOT NULL,
  PRIMARY KEY (merchant, slot, name)
) WITH (fillfactor = 50);

-- What has failed, by node and error text.
CREATE TABLE radaro_inbox.causes (
  merchant text NOT NULL,
  slot smallint NOT NULL,
  cause text NOT NULL, -- what stands for node and error text
  node text NOT NULL,  -- JSON
  error text NOT NULL,
  count bigint NOT NULL,
  again bigint NOT NULL, -- how many of them are given again by themselves
  first text COLLATE "C", -- when the first and the last of these events came
  last text COLLATE "C",
  PRIMARY KEY (merchant, slot, cause)
) WITH (fillfactor = 50);

-- An event that is there (1), or no more (-1).
CREATE TYPE radaro_inbox.tallied AS (
  merchant text, state text, size integer, deliveries text, received_at text, change integer
);

CREATE FUNCTION radaro_inbox.tally(events radaro_inbox.tallied[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  slot_used smallint := pg_backend_pid() % 64;
BEGIN
  -- This comes first: who has these rows has the others of its slot too.
  INSERT INTO radaro_inbox.tallies AS t (merchant, slot, name, count)
    SELECT merchant, slot_used, name, sum(count) FROM (
      SELECT merchant, state AS name, change AS count FROM unnest(events)
      UNION ALL
      SELECT merchant, 'bytes', change * size FROM unnest(events)
      UNION ALL
      SELECT merchant, 'node:' || (delivery ->> 'node'), change
        FROM unnest(events), json_array_elements(deliveries::json) AS delivery
        WHERE state = 'failed' AND delivery ->> 'state' = 'failed'
    ) AS counted
    GROUP BY merchant, name HAVING sum(count) <> 0 ORDER BY merchant, name
    ON CONFLICT (merchant, slot, name) DO UPDATE SET count = t.count + excluded.count;
  IF NOT EXISTS (SELECT FROM unnest(events) WHERE state = 'failed') THEN
    RETURN;
  END IF;
  INSERT INTO radaro_inbox.causes AS c (merchant, slot, cause, node, error, count, again, first, last)
    SELECT merchant, slot_used, md5((error -> 'node' ->> 'id') || E'\n' || (error ->> 'text')),
      min((error -> 'node')::text), min(error ->> 'text'), sum(change), sum(CASE WHEN comes_again THEN change ELSE 0 END),
      min(received_at) FILTER (WHERE change > 0), max(received_at) FILTER (WHERE change > 0)
    FROM (
      SELECT merchant, change, received_at COLLATE "C" AS received_at, delivery -> 'error' AS error,
        delivery ->> 'againAt' IS NOT NULL AS comes_again
      FROM unnest(events), json_array_elements(deliveries::json) AS delivery
      WHERE state = 'failed' AND delivery ->> 'state' = 'failed' AND delivery -> 'error' IS NOT NULL
    ) AS counted
    GROUP BY 1, 3 HAVING sum(change) <> 0 OR sum(CASE WHEN comes_again THEN change ELSE 0 END) <> 0 ORDER BY 1, 3
    ON CONFLICT (merchant, slot, cause) DO UPDATE SET count = c.count + excluded.count, again = c.again + excluded.again,
      first = least(c.first, excluded.first), last = greatest(c.last, excluded.last);
  DELETE FROM radaro_inbox.causes WHERE slot = slot_used AND count = 0 AND again = 0
    AND merchant IN (SELECT merchant FROM unnest(events) WHERE change < 0);
END $$;

CREATE FUNCTION radaro_inbox.tally_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    PERFORM radaro_inbox.tally(array_agg((merchant, state, size, deliveries, received_at, 1)::radaro_inbox.tallied)) FROM come;
  ELSIF TG_OP = 'DELETE' THEN
    PERFORM radaro_inbox.tally(array_agg((merchant, state, size, deliveries, received_at, -1)::radaro_inbox.tallied)) FROM gone;
  ELSE
    PERFORM radaro_inbox.tally(array_agg(each)) FROM (
      SELECT (merchant, state, size, deliveries, received_at, -1)::radaro_inbox.tallied AS each FROM gone
      UNION ALL
      SELECT (merchant, state, size, deliveries, received_at, 1)::radaro_inbox.tallied FROM come
    ) AS events;
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER events_come AFTER INSERT ON radaro_inbox.events REFERENCING NEW TABLE AS come
  FOR EACH STATEMENT EXECUTE FUNCTION radaro_inbox.tally_events();
CREATE TRIGGER events_change AFTER UPDATE ON radaro_inbox.events REFERENCING OLD TABLE AS gone NEW TABLE AS come
  FOR EACH STATEMENT EXECUTE FUNCTION radaro_inbox.tally_events();
CREATE TRIGGER events_go AFTER DELETE ON radaro_inbox.events REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION radaro_inbox.tally_events();

-- The sums, by name.
CREATE FUNCTION radaro_inbox.tallies_of(of_merchant text) RETURNS json LANGUAGE sql STABLE AS $$
  SELECT coalesce(json_object_agg(name, count), '{}') FROM (
    SELECT name, sum(count) AS count FROM radaro_inbox.tallies WHERE merchant = of_merchant GROUP BY name HAVING sum(count) <> 0
  ) AS sums
$$;
