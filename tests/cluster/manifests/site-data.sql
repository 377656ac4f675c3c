-- A database of Coder's kind, small: several thousand rows, sequences, a large object.
SET client_min_messages = warning;
BEGIN;
SET LOCAL ROLE coder;
CREATE TABLE users (
  id uuid PRIMARY KEY, email text NOT NULL UNIQUE, username text NOT NULL, hashed_password bytea NOT NULL,
  created_at timestamptz NOT NULL, rbac_roles text[] NOT NULL DEFAULT '{}', deleted boolean NOT NULL DEFAULT false);
CREATE TABLE templates (
  id uuid PRIMARY KEY, name varchar(64) NOT NULL, description text, icon bytea, created_by uuid NOT NULL REFERENCES users);
CREATE TABLE workspaces (
  id uuid PRIMARY KEY, owner_id uuid NOT NULL REFERENCES users, template_id uuid NOT NULL REFERENCES templates,
  name varchar(64) NOT NULL, autostart_schedule text, ttl bigint, last_used_at timestamptz NOT NULL);
CREATE UNIQUE INDEX workspaces_owner_id_lower_idx ON workspaces (owner_id, lower(name));
CREATE TABLE workspace_builds (
  number bigserial PRIMARY KEY, workspace_id uuid NOT NULL REFERENCES workspaces, state jsonb NOT NULL, cost numeric(12, 4),
  created_at timestamptz NOT NULL);
CREATE TABLE audit_logs (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "time" timestamptz NOT NULL, user_id uuid, action text NOT NULL,
  diff jsonb NOT NULL, ip inet);
CREATE SEQUENCE invoice_numbers START 1000 INCREMENT 7 CACHE 10;
CREATE TABLE attachments (id integer PRIMARY KEY, name text NOT NULL, content oid NOT NULL);
CREATE VIEW active_users AS SELECT id, username FROM users WHERE NOT deleted;

INSERT INTO users SELECT md5('user' || n)::uuid, 'user' || n || '@example.com', 'user' || n, decode(md5('pw' || n), 'hex'),
  timestamptz '2025-01-01 00:00:00+00' + n * interval '1 hour',
  CASE WHEN n % 50 = 0 THEN '{owner}'::text[] ELSE '{}'::text[] END, n % 17 = 0 FROM generate_series(1, 500) n;
INSERT INTO templates SELECT md5('template' || n)::uuid, 'template-' || n, repeat('Grüße, 世界 ' || n || E'\n', 20),
  decode(repeat(md5('icon' || n), 200), 'hex'), md5('user' || n)::uuid FROM generate_series(1, 12) n;
INSERT INTO workspaces SELECT md5('workspace' || n)::uuid, md5('user' || (n % 500 + 1))::uuid,
  md5('template' || (n % 12 + 1))::uuid, 'ws-' || n, CASE WHEN n % 3 = 0 THEN 'CRON_TZ=UTC 30 9 * * 1-5' END, n * 3600000000000,
  timestamptz '2025-06-01 00:00:00+00' + n * interval '7 minutes' FROM generate_series(1, 1500) n;
INSERT INTO workspace_builds (workspace_id, state, cost, created_at)
  SELECT md5('workspace' || (n % 1500 + 1))::uuid, jsonb_build_object('resources', n, 'note', repeat('x', n % 300)), n / 3.0,
  timestamptz '2025-06-01 00:00:00+00' + n * interval '1 minute' FROM generate_series(1, 4000) n;
INSERT INTO audit_logs ("time", user_id, action, diff, ip)
  SELECT timestamptz '2025-06-01 00:00:00+00' + n * interval '11 seconds', md5('user' || (n % 500 + 1))::uuid,
  (ARRAY['create', 'write', 'delete', 'login'])[n % 4 + 1], jsonb_build_object('old', n, 'new', n + 1),
  ('10.0.' || n % 250 || '.' || n % 200)::inet FROM generate_series(1, 6000) n;
SELECT nextval('invoice_numbers') FROM generate_series(1, 25);
INSERT INTO attachments SELECT 1, 'logo.bin', lo_from_bytea(0, (SELECT decode(string_agg(md5(n::text), ''), 'hex')
  FROM generate_series(1, 20000) n));
COMMIT;
ANALYZE;
