-- SPDX-License-Identifier: Apache-2.0
--
-- The views have most of their columns in common; what a column means is written here, once. A view whose
-- column has no entry does not install.

CREATE OR REPLACE FUNCTION comment_columns(p_view text)
RETURNS void
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = tokentally, pg_catalog, pg_temp
AS $$
DECLARE
	v_column text;
	v_meaning text;
BEGIN
	FOR v_column, v_meaning IN
		SELECT a.attname, w.meaning
		FROM pg_attribute a
		LEFT JOIN column_meanings() w ON w.name = a.attname
		WHERE a.attrelid = ('tokentally.' || quote_ident(p_view))::regclass AND a.attnum > 0
	LOOP
		IF v_meaning IS NULL THEN
			RAISE EXCEPTION 'column_meanings does not know %.%', p_view, v_column;
		END IF;
		EXECUTE format('COMMENT ON COLUMN %I.%I IS %L', p_view, v_column, v_meaning);
	END LOOP;
END
$$;
REVOKE ALL ON FUNCTION comment_columns FROM PUBLIC;
COMMENT ON FUNCTION comment_columns IS 'Comments every column of a view; used while it is installed';
