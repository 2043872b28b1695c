-- SPDX-License-Identifier: Apache-2.0
--
-- Tables and functions of the write-path spike (spike.sh): the shape of sql/, cut down to what the comparison
-- needs, so that it stays as it was when the decision was made. One partition a table, as a batch mostly sees it.

CREATE SCHEMA spike;
SET search_path = spike;

-- The measures of a row as column definitions, as a list, as sums of old and new, and as sums of a group.
CREATE FUNCTION m(p_form text, p_count int) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(CASE p_form
		WHEN 'define' THEN name || ' bigint NOT NULL DEFAULT 0'
		WHEN 'type' THEN name || ' bigint'
		WHEN 'list' THEN name
		WHEN 'merge' THEN format(CASE number WHEN 14 THEN '%1$s = greatest(t.%1$s, excluded.%1$s)'
			ELSE '%1$s = t.%1$s + excluded.%1$s' END, name)
		WHEN 'sum' THEN format(CASE number WHEN 14 THEN 'max(%s)' ELSE 'sum(%s)::bigint' END, name)
		END, ', ' ORDER BY number)
	FROM unnest('{calls,errors,input_tokens,cache_read_tokens,cache_write_tokens,cache_write_1h_tokens,output_tokens,
		reasoning_tokens,cost_nano,unpriced_calls,zero_output_calls,cache_known_tokens,duration_ms_sum,
		duration_ms_max}'::text[]) WITH ORDINALITY AS measure(name, number)
	WHERE number <= p_count
$$;

-- Columns of the key, and the key: fill in %1$s with a rollup's name.
CREATE FUNCTION key_of(p_table text, p_types boolean) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(CASE WHEN p_types THEN part ELSE split_part(part, ' ', 1) END, ', ' ORDER BY n)
	FROM unnest(string_to_array(CASE
		WHEN p_table IN ('hour', 'day') THEN 'bucket timestamptz,person_id bigint,team_id int,model_id int,price_class smallint'
		WHEN p_table IN ('minute', 'team_hour') THEN 'bucket timestamptz,team_id int,model_id int,app_id int,price_class smallint'
		ELSE 'bucket timestamptz,model_id int,kind smallint,class smallint' END, ',')) WITH ORDINALITY AS p(part, n)
$$;

DO $$ BEGIN
	EXECUTE format('CREATE TYPE hour_delta AS (%s, %s)', key_of('hour', true), m('type', 14));
	EXECUTE format('CREATE TYPE minute_delta AS (%s, %s)', key_of('minute', true), m('type', 14));
	EXECUTE format('CREATE TYPE latency_delta AS (%s, calls bigint)', key_of('latency', true));
	EXECUTE format('CREATE TYPE session_delta AS (slot timestamptz, person_id bigint, session_id uuid, session_key text,
		shown_key text, first_seen timestamptz, last_seen timestamptz, %s)', m('type', 12));
END $$;

CREATE FUNCTION make_table(p_name text, p_columns text, p_key text, p_fillfactor int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('DROP TABLE IF EXISTS %I', p_name);
	EXECUTE format('CREATE TABLE %I (%s, PRIMARY KEY (%s)) PARTITION BY RANGE (%s)', p_name, p_columns, p_key,
		split_part(p_key, ',', 1));
	EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (minvalue) TO (maxvalue) WITH (fillfactor = %s)',
		p_name || '_all', p_name, p_fillfactor);
END $$;

CREATE FUNCTION make_tables(p_fillfactor int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	v_name text;
BEGIN
	FOREACH v_name IN ARRAY '{hour,day,minute,team_hour}'::text[] LOOP
		PERFORM make_table('usage_' || v_name, key_of(v_name, true) || ', ' || m('define', 14), key_of(v_name, false),
			p_fillfactor);
	END LOOP;
	FOREACH v_name IN ARRAY '{latency_minute,latency_hour}'::text[] LOOP
		PERFORM make_table(v_name, key_of(v_name, true) || ', calls bigint NOT NULL', key_of(v_name, false), p_fillfactor);
	END LOOP;
	PERFORM make_table('session_slot', 'slot timestamptz, person_id bigint, session_id uuid, session_key text NOT NULL,
		shown_key text NOT NULL, first_seen timestamptz NOT NULL, last_seen timestamptz NOT NULL, ' || m('define', 12),
		'slot, person_id, session_id', p_fillfactor);
	DROP TABLE IF EXISTS kafka_offset, dedupe_block;
	CREATE TABLE kafka_offset (partition int PRIMARY KEY, next_offset bigint NOT NULL) WITH (fillfactor = 20);
	INSERT INTO kafka_offset SELECT generate_series(0, 3), 0;
	CREATE TABLE dedupe_block (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ids bytea NOT NULL);
	ALTER TABLE dedupe_block ALTER ids SET STORAGE EXTERNAL;
END $$;
SELECT make_tables(100);

-- (a) arrays of a composite type, (b) an array a column, (c) rows that COPY left in a staging table.
DO $do$
DECLARE
	v_into CONSTANT text := format('INSERT INTO usage_hour AS t (%s, %s) ', key_of('hour', false), m('list', 14));
	v_merge CONSTANT text := format(' ON CONFLICT (%s) DO UPDATE SET %s', key_of('hour', false), m('merge', 14));
	v_head CONSTANT text := 'CREATE FUNCTION %s RETURNS void LANGUAGE plpgsql SET work_mem = ''64MB'' AS $f$ BEGIN %s; END $f$';
	v_types text;
	v_arguments text;
BEGIN
	SELECT string_agg(split_part(trim(part), ' ', 2) || '[]', ', ' ORDER BY n), string_agg('$' || n, ', ' ORDER BY n)
	INTO v_types, v_arguments
	FROM unnest(string_to_array(key_of('hour', true) || ',' || m('type', 14), ',')) WITH ORDINALITY AS p(part, n);

	EXECUTE format(v_head, 'add_hours(p hour_delta[])', v_into || 'SELECT * FROM unnest(p)' || v_merge);
	EXECUTE format(v_head, 'add_hours_columns(' || v_types || ')', v_into || format('SELECT * FROM unnest(%s)', v_arguments) || v_merge);
	EXECUTE format(v_head, 'add_hours_staged()', v_into || 'SELECT * FROM staged_hour' || v_merge);
	-- Without ON CONFLICT's row lock for what is there already; the plan of the UPDATE must keep the order of the array.
	EXECUTE format('CREATE FUNCTION update_hours(p hour_delta[]) RETURNS void LANGUAGE plpgsql SET work_mem = ''64MB''
		SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off SET enable_bitmapscan = off AS $f$ BEGIN
		WITH known AS (UPDATE usage_hour AS t SET %s FROM unnest(p) WITH ORDINALITY AS excluded
			WHERE t.bucket = excluded.bucket AND t.person_id = excluded.person_id AND t.team_id = excluded.team_id
			AND t.model_id = excluded.model_id AND t.price_class = excluded.price_class RETURNING excluded.ordinality)
		INSERT INTO pg_temp.known SELECT ordinality FROM known;
		PERFORM add_unknown_hours(p);
		END $f$', m('merge', 14));
	EXECUTE format('CREATE FUNCTION add_unknown_hours(p hour_delta[]) RETURNS void LANGUAGE plpgsql SET work_mem = ''64MB''
		SET enable_hashjoin = on SET enable_nestloop = off AS $f$ BEGIN
		%s SELECT %s, %s FROM unnest(p) WITH ORDINALITY AS u WHERE NOT EXISTS (SELECT FROM pg_temp.known WHERE n = ordinality) %s;
		END $f$', v_into, key_of('hour', false), m('list', 14), v_merge);
	-- The same arrays taken apart, nothing written: what the transport alone costs.
	EXECUTE format(v_head, 'read_hours(p hour_delta[])', 'PERFORM sum(calls) FROM unnest(p)');
	EXECUTE format(v_head, 'read_hours_columns(' || v_types || ')',
		format('PERFORM sum(c) FROM unnest(%s) AS u(a1, a2, a3, a4, a5, c)', v_arguments));

	EXECUTE format(v_head, 'add_days(p hour_delta[])',
		format('INSERT INTO usage_day AS t (%1$s, %2$s) SELECT date_trunc(''day'', bucket, ''UTC''), person_id, team_id, model_id, price_class, %3$s
		FROM unnest(p) GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5', key_of('day', false), m('list', 14), m('sum', 14)) || v_merge);
	EXECUTE format(v_head, 'fold(p_from timestamptz, p_to timestamptz)',
		format('INSERT INTO usage_day AS t (%1$s, %2$s) SELECT date_trunc(''day'', bucket, ''UTC''), person_id, team_id, model_id, price_class, %3$s
		FROM usage_hour WHERE bucket >= p_from AND bucket < p_to GROUP BY 1, 2, 3, 4, 5', key_of('day', false), m('list', 14), m('sum', 14)) || v_merge);
	EXECUTE format(v_head, 'repeat_hours(p_times int)', format('INSERT INTO usage_hour SELECT bucket + n * interval ''1 hour'', person_id,
		team_id, model_id, price_class, %s FROM usage_hour, generate_series(1, p_times) AS n', m('list', 14)));
	EXECUTE format(v_head, 'add_sessions(p session_delta[])', format('INSERT INTO session_slot AS t SELECT * FROM unnest(p)
		ON CONFLICT (slot, person_id, session_id) DO UPDATE SET first_seen = least(t.first_seen, excluded.first_seen),
		last_seen = greatest(t.last_seen, excluded.last_seen), %s', m('merge', 12)));
	EXECUTE format(v_head, 'add_shared(p_minutes minute_delta[], p_latencies latency_delta[])', format($q$
		INSERT INTO usage_team_hour AS t (%1$s, %2$s) SELECT date_trunc('hour', bucket, 'UTC'), team_id, model_id, app_id, price_class, %3$s
		FROM unnest(p_minutes) GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5 ON CONFLICT (%1$s) DO UPDATE SET %4$s;
		INSERT INTO usage_minute AS t SELECT * FROM unnest(p_minutes) ON CONFLICT (%1$s) DO UPDATE SET %4$s;
		INSERT INTO latency_hour AS t SELECT date_trunc('hour', bucket, 'UTC'), model_id, kind, class, sum(calls)
		FROM unnest(p_latencies) GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
		ON CONFLICT (bucket, model_id, kind, class) DO UPDATE SET calls = t.calls + excluded.calls;
		INSERT INTO latency_minute AS t SELECT * FROM unnest(p_latencies)
		ON CONFLICT (bucket, model_id, kind, class) DO UPDATE SET calls = t.calls + excluded.calls
		$q$, key_of('minute', false), m('list', 14), m('sum', 14), m('merge', 14)));
END $do$;

CREATE FUNCTION commit_batch(p_partition int, p_events bigint, p_sessions session_delta[], p_hours hour_delta[],
	p_minutes minute_delta[], p_latencies latency_delta[], p_days boolean, p_hot_first boolean)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM FROM kafka_offset WHERE partition = p_partition FOR UPDATE;
	IF p_hot_first THEN
		PERFORM add_shared(p_minutes, p_latencies);
	END IF;
	PERFORM add_sessions(p_sessions);
	PERFORM add_hours(p_hours);
	IF p_days THEN
		PERFORM add_days(p_hours);
	END IF;
	IF NOT p_hot_first THEN
		PERFORM add_shared(p_minutes, p_latencies);
	END IF;
	-- 8 bytes an event id; random enough not to be compressed, which external storage does not try anyway.
	INSERT INTO dedupe_block (ids) VALUES (convert_to(repeat('12345678', p_events::int), 'SQL_ASCII'));
	UPDATE kafka_offset SET next_offset = next_offset + p_events WHERE partition = p_partition;
END $$;
