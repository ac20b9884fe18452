namespace ClaimCheck.Testing;

/// <summary>A catalog with a long past: exports, jobs and events that ended long ago, and a few of each rare kind, the
/// oldest of all. What is common comes in long runs, as it does where something fails for days.</summary>
internal static class LongPast
{
    /// <summary>For a catalog that has its schema and is empty.</summary>
    /// <param name="exports">How many exports; of the rare states and of the dataset <c>rare</c> there are always as many. A
    /// quarter as many jobs.</param>
    public static string Script(int exports) =>
        $$"""
        SET session_replication_role = replica;
        INSERT INTO exports (id, batch_id, tenant, caller, dataset, schema_version, definition, criteria, format, compression, max_file_bytes,
                             link_lifetime, retention, state, created_at, started_at, ready_at, expires_at, ended_at, next_try_at, attempt, records, files)
        SELECT (lpad(to_hex(g), 12, '0') || '70008000000000000000')::uuid, gen_random_uuid(), 'default', 'caller' || g % 7,
               CASE WHEN g <= 60 AND g % 2 = 0 THEN 'rare' WHEN g <= {{exports * 3 / 4}} THEN 'orders' ELSE 'others' END, 1,
               '{ "name": "orders", "source": "source", "sql": "SELECT id FROM orders", "parameters": {}, "key": "id", "schemaVersion": 1, "columns": [] }', '{}',
               'csv', 'gzip', 1 << 30, '1 hour', '7 days',
               CASE WHEN g <= 20 THEN 'ready' WHEN g <= 40 THEN 'failed' WHEN g <= 60 THEN 'cancelled' WHEN g <= {{exports / 2}} THEN 'expired' ELSE 'revoked' END,
               now() - interval '30 days', now() - interval '30 days', now() - interval '30 days',
               CASE WHEN g <= 20 THEN now() + interval '1 day' ELSE now() - interval '23 days' END,
               CASE WHEN g > 20 THEN now() - interval '23 days' END, now() - interval '30 days', 'a', 1, 1
          FROM generate_series(1, {{exports}}) g;
        INSERT INTO attempts (batch_id, attempt, lease_token, abandoned_at) SELECT batch_id, 'a', gen_random_uuid(), now() - interval '29 days' FROM exports;
        INSERT INTO batch_deletions (batch_id, verified_at, next_try_at) SELECT batch_id, now(), NULL FROM exports WHERE state <> 'ready';
        INSERT INTO delivery_goals (batch_id, consumers, max_terminal_ratio, due_at, state, closed)
        SELECT batch_id, '{billing}', 0, now() - interval '29 days', CASE state WHEN 'revoked' THEN 'pending' ELSE 'missed' END, state = 'revoked' FROM exports;
        INSERT INTO outbox (event_id, export_id, batch_id, tenant, dataset, type, consumer, data, traceparent, position, published_at, created_at)
        SELECT gen_random_uuid(), id, batch_id, tenant, dataset, 'BulkFailed', CASE WHEN row_number() OVER (ORDER BY id) <= {{exports / 2}} THEN 'another' ELSE '*' END,
               json_build_object('exportId', 'exp_' || replace(id::text, '-', ''), 'batchId', 'bat_' || replace(batch_id::text, '-', ''), 'dataset', dataset,
                                 'failure', json_build_object('code', 'x', 'detail', 'x', 'transient', false)),
               '00-' || repeat('1', 32) || '-' || repeat('1', 16) || '-00', row_number() OVER (ORDER BY id), now() - interval '1 day', now() - interval '1 day'
          FROM exports;
        UPDATE event_feed SET head = {{exports}};
        UPDATE feed_relays SET position = {{exports}};
        INSERT INTO bulk_jobs (id, tenant, caller, operation, definition, concurrency, source, status, created_at, completed_at, ttl, expires_at, erased_at,
                               idempotency_owner, idempotency_key, next_try_at)
        SELECT (lpad(to_hex(g), 12, '0') || '70008000000000000000')::uuid, 'default', 'caller' || g % 7,
               CASE WHEN g <= 20 AND g % 2 = 0 THEN 'rare' ELSE 'update_orders' END, '{}', 2, 'inline', CASE WHEN g <= 20 THEN 'failed' ELSE 'completed' END,
               now() - interval '1 hour', now() - interval '1 hour', '1 day',
               CASE WHEN g > {{exports / 8}} THEN now() - interval '10 minutes' ELSE now() + interval '1 day' END,
               CASE WHEN g > {{exports / 8}} THEN now() - interval '5 minutes' END, 'default/x', g::text, now()
          FROM generate_series(1, {{exports / 4}}) g;
        RESET session_replication_role;
        ANALYZE;
        """;
}
