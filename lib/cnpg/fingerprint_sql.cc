// The catalog is read by rules, not by a list of object classes: every catalog of the database, every column
// of it, with the object identifiers in them replaced by names, so that a class of object that nobody thought
// of is compared too. What refers to what comes from pg_get_catalog_foreign_keys() (PostgreSQL 14 or later).

#include "lib/cnpg/fingerprint.h"

namespace truenas::cnpg {
namespace {

constexpr const char* k_settings = R"sql(\set ON_ERROR_STOP 1
\pset format unaligned
\pset tuples_only on
SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; SET extra_float_digits = 3;
SET bytea_output = 'hex'; SET lc_monetary = 'C'; SET lc_numeric = 'C'; SET xmlbinary = 'base64';
SET quote_all_identifiers = off; SET search_path = ''; SET jit = off;
)sql";

constexpr const char* k_end = R"sql(
SELECT json_build_array('end', '', json_build_object());
)sql";

constexpr const char* k_server = R"sql(
SELECT json_build_array('role', r.rolname,
  to_jsonb(r) - 'oid' - 'rolpassword' || jsonb_build_object('password', md5(r.rolpassword)))
FROM pg_authid r WHERE r.oid >= 16384 OR r.rolname = 'postgres';
SELECT json_build_array('membership', format('%s in %s', m.member::regrole, m.roleid::regrole),
  to_jsonb(m) - 'oid' - 'roleid' - 'member' - 'grantor')
FROM pg_auth_members m WHERE m.member >= 16384 OR m.roleid >= 16384;
SELECT json_build_array('setting', format('of %s in %s',
    CASE WHEN s.setrole = 0 THEN 'every role' ELSE s.setrole::regrole::text END,
    coalesce((SELECT quote_ident(datname) FROM pg_database WHERE oid = s.setdatabase), 'every database')),
  jsonb_build_object('settings', (SELECT jsonb_agg(c ORDER BY c) FROM unnest(s.setconfig) c)))
FROM pg_db_role_setting s;
SELECT json_build_array('tablespace', t.spcname,
  jsonb_build_object('owner', t.spcowner::regrole, 'options', t.spcoptions, 'acl', t.spcacl::text))
FROM pg_tablespace t WHERE t.oid >= 16384;
SELECT json_build_array('database', d.datname, jsonb_strip_nulls(jsonb_build_object(
  'owner', d.datdba::regrole, 'encoding', pg_encoding_to_char(d.encoding), 'collate', d.datcollate, 'ctype', d.datctype,
  'connections', d.datconnlimit, 'comment', shobj_description(d.oid, 'pg_database'),
  'acl', (SELECT jsonb_agg(i::text ORDER BY i::text) FROM unnest(coalesce(d.datacl, acldefault('d', d.datdba))) i))))
FROM pg_database d WHERE NOT d.datistemplate;
SELECT 'SELECT json_build_array(''parameter'', p.parname, jsonb_build_object(''acl'',
  (SELECT jsonb_agg(i::text ORDER BY i::text) FROM unnest(p.paracl) i))) FROM pg_parameter_acl p'
WHERE to_regclass('pg_catalog.pg_parameter_acl') IS NOT NULL
\gexec
)sql";

// Writes one SELECT for each catalog of the database, which \gexec runs: a row an object, its columns as
// JSON.
constexpr const char* k_catalogs = R"sql(
WITH
-- Columns that hold an object identifier, and arrays of them.
reference AS (
  SELECT fktable, fkcols[1] AS attname, min(pktable::oid)::regclass AS pktable, is_array
  FROM pg_get_catalog_foreign_keys()
  WHERE array_length(fkcols, 1) = 1 AND pkcols = '{oid}' GROUP BY 1, 2, 4
),
-- Arrays of column numbers, and whose columns they are.
numbered AS (
  SELECT fktable, fkcols[1] AS owner, fkcols[2] AS attname
  FROM pg_get_catalog_foreign_keys()
  WHERE array_length(fkcols, 1) = 2 AND pkcols = '{attrelid,attnum}' AND is_array
),
acl(catalog, attname, kind) AS (VALUES
  ('pg_class'::regclass, 'relacl', $$(CASE x.relkind WHEN 'S' THEN 's' ELSE 'r' END)::"char"$$),
  ('pg_proc', 'proacl', $$'f'$$), ('pg_namespace', 'nspacl', $$'n'$$), ('pg_type', 'typacl', $$'T'$$),
  ('pg_language', 'lanacl', $$'l'$$), ('pg_largeobject_metadata', 'lomacl', $$'L'$$),
  ('pg_foreign_data_wrapper', 'fdwacl', $$'F'$$), ('pg_foreign_server', 'srvacl', $$'S'$$)
),
-- Expression trees hold object identifiers too: their text instead. Numbers that a dropped column shifts: counted.
every_definition(catalog, name, expression) AS (VALUES
  ('pg_class'::regclass, 'bound', 'pg_get_expr(x.relpartbound, x.oid)'),
  ('pg_class', 'view', $$CASE WHEN x.relkind IN ('v', 'm') THEN pg_get_viewdef(x.oid) END$$),
  ('pg_index', 'definition', 'pg_get_indexdef(x.indexrelid)'),
  ('pg_constraint', 'definition', 'pg_get_constraintdef(x.oid)'),
  ('pg_trigger', 'name', 'CASE WHEN NOT x.tgisinternal THEN x.tgname::text END'),
  ('pg_trigger', 'definition', 'CASE WHEN NOT x.tgisinternal THEN pg_get_triggerdef(x.oid) END'),
  ('pg_rewrite', 'definition', 'pg_get_ruledef(x.oid)'),
  ('pg_policy', 'using', 'pg_get_expr(x.polqual, x.polrelid)'),
  ('pg_policy', 'check', 'pg_get_expr(x.polwithcheck, x.polrelid)'),
  ('pg_proc', 'arguments', 'pg_get_function_arguments(x.oid)'),
  ('pg_proc', 'body', 'pg_get_function_sqlbody(x.oid)'),
  ('pg_statistic_ext', 'definition', 'pg_get_statisticsobjdef(x.oid)'),
  ('pg_partitioned_table', 'definition', 'pg_get_partkeydef(x.partrelid)'),
  ('pg_attrdef', 'expression', 'pg_get_expr(x.adbin, x.adrelid)'),
  ('pg_publication_rel', 'where', 'pg_get_expr(x.prqual, x.prrelid)'),
  ('pg_publication_rel', 'columns', '(SELECT jsonb_agg(c.attname ORDER BY c.attnum) FROM pg_attribute c
    WHERE c.attrelid = x.prrelid AND c.attnum = ANY (x.prattrs))'),
  ('pg_attribute', 'position', '(SELECT count(*) FROM pg_attribute a
    WHERE a.attrelid = x.attrelid AND a.attnum BETWEEN 1 AND x.attnum AND NOT a.attisdropped)'),
  ('pg_enum', 'position', '(SELECT count(*) FROM pg_enum e
    WHERE e.enumtypid = x.enumtypid AND e.enumsortorder <= x.enumsortorder)')
),
-- Publications have filters since PostgreSQL 15.
definition AS (
  SELECT * FROM every_definition WHERE catalog <> 'pg_publication_rel'::regclass
    OR EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'pg_publication_rel'::regclass AND attname = 'prattrs')
),
-- Where and how it is stored, what the server notes for itself, and what a definition says.
skipped(attname) AS (SELECT unnest(ARRAY[
  'oid', 'relfilenode', 'relpages', 'reltuples', 'relallvisible', 'relfrozenxid', 'relminmxid', 'relrewrite', 'relnatts',
  'reltoastrelid', 'relhasindex', 'relhasrules', 'relhastriggers', 'relhassubclass', 'relchecks', 'attnum',
  'attcacheoff', 'attmissingval', 'atthasmissing', 'attndims', 'attisdropped', 'enumsortorder', 'indcheckxmin', 'adnum',
  'tgname', 'prattrs'])),
catalog AS (
  SELECT c.oid::regclass AS catalog, c.relname, i.indkey,
    EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'oid') AS has_oid
  FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
  WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind = 'r' AND NOT c.relisshared
    AND c.relname NOT IN ('pg_statistic', 'pg_statistic_ext_data', 'pg_largeobject', 'pg_init_privs', 'pg_description',
                          'pg_seclabel', 'pg_subscription_rel')
),
columns AS (
  SELECT k.catalog, a.attname, a.attnum,
    CASE
      WHEN r.is_array THEN format('(SELECT jsonb_agg(coalesce((pg_identify_object(%L::regclass, e::oid, 0)).identity,
        e::text) ORDER BY o) FROM unnest(x.%I) WITH ORDINALITY AS u(e, o))', r.pktable, a.attname)
      WHEN r.pktable IS NOT NULL THEN format('CASE WHEN x.%1$I = 0 THEN NULL ELSE
        coalesce((pg_identify_object(%2$L::regclass, x.%1$I::oid, 0)).identity, x.%1$I::text) END', a.attname, r.pktable)
      WHEN n.owner IS NOT NULL THEN format('(SELECT jsonb_agg(coalesce(c.attname, e::text) ORDER BY o)
        FROM unnest(x.%I) WITH ORDINALITY AS u(e, o)
        LEFT JOIN pg_attribute c ON c.attrelid = x.%I AND c.attnum = e)', a.attname, n.owner)
      WHEN a.atttypid = 'aclitem[]'::regtype THEN format('(SELECT jsonb_agg(i::text ORDER BY i::text) FROM unnest(%s) i)',
        CASE WHEN l.kind IS NULL THEN format('x.%I', a.attname)
             ELSE format('coalesce(x.%I, acldefault(%s, x.%I))', a.attname, l.kind, w.attname) END)
      -- Passwords of other servers are among them.
      WHEN a.attname = 'umoptions' THEN '(SELECT md5(string_agg(o, chr(10) ORDER BY o)) FROM unnest(x.umoptions) o)'
      WHEN a.attname LIKE '%options' AND a.atttypid = 'text[]'::regtype
        -- PostgreSQL 15.20 notes a version of its own there, a position in its WAL.
        THEN format($$(SELECT jsonb_agg(o ORDER BY o) FROM unnest(x.%I) o WHERE o !~ '^pg_attver=')$$, a.attname)
      ELSE format('x.%I::text', a.attname)
    END AS expression
  FROM catalog k JOIN pg_attribute a ON a.attrelid = k.catalog AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN reference r ON r.fktable = k.catalog AND r.attname = a.attname
  LEFT JOIN numbered n ON n.fktable = k.catalog AND n.attname = a.attname
  LEFT JOIN acl l ON l.catalog = k.catalog AND l.attname = a.attname
  LEFT JOIN LATERAL (SELECT o.attname FROM reference o WHERE o.fktable = k.catalog
    AND o.pktable = 'pg_authid'::regclass AND o.attname LIKE '%owner' LIMIT 1) w ON true
  WHERE a.atttypid <> 'pg_node_tree'::regtype AND a.attname NOT IN (SELECT attname FROM skipped)
),
-- Temporary relations, those that hold long values, and those of an extension, which brings them itself.
unseen(condition) AS (VALUES ($$(SELECT oid FROM pg_class WHERE relnamespace = 'pg_toast'::regnamespace
  OR relpersistence = 't' UNION ALL
  SELECT objid FROM pg_depend WHERE classid = 'pg_class'::regclass AND deptype = 'e')$$)),
identity AS (
  SELECT k.catalog,
    CASE
      WHEN k.relname = 'pg_attribute'
        THEN $$(pg_identify_object('pg_class'::regclass, x.attrelid, x.attnum)).identity$$
      WHEN k.relname = 'pg_enum'
        THEN $$format('%s %L', (pg_identify_object('pg_type'::regclass, x.enumtypid, 0)).identity, x.enumlabel)$$
      -- Its name is made of numbers.
      WHEN k.relname = 'pg_trigger' THEN $$CASE WHEN x.tgisinternal THEN format('of %s on %s calling %s',
        (pg_identify_object('pg_constraint'::regclass, x.tgconstraint, 0)).identity,
        (pg_identify_object('pg_class'::regclass, x.tgrelid, 0)).identity, x.tgfoid::regproc)
        ELSE (pg_identify_object('pg_trigger'::regclass, x.oid, 0)).identity END$$
      WHEN k.relname = 'pg_largeobject_metadata' THEN 'x.oid::text'
      WHEN k.has_oid THEN format('(pg_identify_object(%L::regclass, x.oid, 0)).identity', k.catalog)
      ELSE (SELECT string_agg(c.expression, $$ || ' ' || $$ ORDER BY c.attnum) FROM columns c
            WHERE c.catalog = k.catalog AND c.attnum = ANY (k.indkey))
    END AS expression,
    CASE
      WHEN k.relname = 'pg_attribute' THEN 'x.attrelid >= 16384 AND x.attnum > 0 AND NOT x.attisdropped
        AND x.attrelid NOT IN ' || u.condition
      WHEN k.relname = 'pg_class' THEN 'x.oid >= 16384 AND x.oid NOT IN ' || u.condition
        || $$ AND x.relnamespace <> 'pg_toast'::regnamespace$$
      WHEN k.relname = 'pg_index' THEN 'x.indexrelid >= 16384 AND x.indrelid NOT IN ' || u.condition
      WHEN k.relname = 'pg_namespace' THEN $$x.oid >= 16384 AND x.nspname !~ '^pg_(toast_)?temp_' OR x.oid = 2200$$
      WHEN k.relname = 'pg_largeobject_metadata' THEN 'true'
      WHEN k.relname IN ('pg_amop', 'pg_amproc') THEN format('x.oid >= 16384 AND x.%sfamily NOT IN (SELECT objid
        FROM pg_depend WHERE classid = ''pg_opfamily''::regclass AND deptype = ''e'')', substr(k.relname, 4))
      WHEN k.has_oid THEN format('x.oid >= 16384 AND x.oid NOT IN (SELECT objid FROM pg_depend
        WHERE classid = %L::regclass AND deptype = ''e'')', k.catalog)
      ELSE (SELECT format('x.%I::oid >= 16384', c.attname) FROM columns c
            WHERE c.catalog = k.catalog AND c.attnum = k.indkey[0])
    END AS condition,
    -- Rights on what initdb or an extension has brought, where somebody has changed them.
    (SELECT format($$coalesce(x.%1$I, acldefault(%2$s, x.%3$I)) IS DISTINCT FROM coalesce((SELECT p.initprivs
        FROM pg_init_privs p WHERE p.objoid = x.oid AND p.classoid = %4$L::regclass AND p.objsubid = 0),
        acldefault(%2$s, x.%3$I)) AND x.oid < 16384$$, l.attname, l.kind, w.attname, k.catalog)
     FROM acl l JOIN reference w ON w.fktable = k.catalog AND w.pktable = 'pg_authid'::regclass
       AND w.attname LIKE '%owner' WHERE l.catalog = k.catalog AND k.relname <> 'pg_namespace') AS changed
  FROM catalog k, unseen u
)
SELECT format('SELECT json_build_array(%L, coalesce(%s, ''?''), jsonb_strip_nulls(%s)) FROM %s AS x WHERE (%s) OR (%s)', substr(k.relname, 4), i.expression,
  -- A function takes 100 arguments at most.
  (SELECT string_agg(format('jsonb_build_object(%s)', pairs), ' || ') FROM (
     SELECT string_agg(format('%L, %s', name, expression), ', ') AS pairs FROM (
       SELECT name, expression, (row_number() OVER (ORDER BY name) - 1) / 40 AS part FROM (
         SELECT c.attname AS name, c.expression FROM columns c WHERE c.catalog = k.catalog
         UNION ALL SELECT d.name, d.expression FROM definition d WHERE d.catalog = k.catalog) AS every
     ) AS parted GROUP BY part) AS grouped),
  k.catalog, i.condition, coalesce(i.changed, 'false'))
FROM catalog k JOIN identity i USING (catalog) ORDER BY k.relname
\gexec
)sql";

// What those catalogs do not say of an object, and the values: sequences, rows, large objects.
constexpr const char* k_values = R"sql(
SELECT json_build_array('comment', i.type || ' ' || i.identity, json_build_object('text', d.description))
FROM pg_description d, pg_identify_object(d.classoid, d.objoid, d.objsubid) i
WHERE d.objoid >= 16384 AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = d.classoid AND e.objid = d.objoid
    AND e.deptype = 'e')
  OR d.classoid = 'pg_namespace'::regclass AND d.objoid = 2200;
SELECT json_build_array('security label', i.type || ' ' || i.identity || ' by ' || l.provider,
  json_build_object('label', l.label))
FROM pg_seclabel l, pg_identify_object(l.classoid, l.objoid, l.objsubid) i;
SELECT json_build_array('extension member', i.type || ' ' || i.identity, json_build_object('extension', e.extname))
FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid,
  pg_identify_object(d.classid, d.objid, d.objsubid) i
WHERE d.deptype = 'e' AND e.oid >= 16384;
SELECT json_build_array('subscription', s.subname, jsonb_build_object('owner', s.subowner::regrole,
  'enabled', s.subenabled, 'connection', md5(s.subconninfo), 'slot', s.subslotname, 'publications', s.subpublications))
FROM pg_subscription s WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database());
SELECT format('SELECT json_build_array(''sequence value'', %1$L, json_build_object(''last_value'', last_value,
  ''is_called'', is_called)) FROM %1$s', c.oid::regclass)
FROM pg_class c WHERE c.relkind = 'S' AND c.oid >= 16384 AND c.relpersistence <> 't' ORDER BY c.oid::regclass::text
\gexec
SELECT format('SELECT json_build_array(%L, %L, json_build_object(''rows'', count(*), ''hash'',
    coalesce(sum(hashtextextended((r.*)::text COLLATE "C", 0)::numeric), 0)::text)) FROM %s %s AS r',
  CASE WHEN c.relkind = 'm' THEN 'matview rows' WHEN c.relkind = 'p' THEN 'rows of all partitions'
       WHEN c.relispartition THEN 'partition rows' ELSE 'rows' END,
  c.oid::regclass, CASE WHEN c.relkind = 'p' THEN '' ELSE 'ONLY' END, c.oid::regclass)
FROM pg_class c WHERE c.relkind IN ('r', 'm', 'p') AND c.relispopulated AND c.relpersistence <> 't' AND c.oid >= 16384
ORDER BY c.oid::regclass::text
\gexec
SELECT json_build_array('large object data', loid::text, json_build_object('pages', count(*), 'hash',
  sum(hashtextextended(pageno || ':' || encode(data, 'hex'), 0)::numeric)::text))
FROM pg_largeobject GROUP BY loid ORDER BY loid;
)sql";

}  // namespace

std::string database_fingerprint_sql() {
  return std::string(k_settings) + k_catalogs + k_values + k_end;
}

std::string server_fingerprint_sql() {
  return std::string(k_settings) + k_server + k_end;
}

}  // namespace truenas::cnpg
