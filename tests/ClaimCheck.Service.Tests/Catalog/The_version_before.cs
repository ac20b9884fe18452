using ClaimCheck.Service.Catalog;
using ClaimCheck.Service.Tests.Upgrading;
using ClaimCheck.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace ClaimCheck.Service.Tests.Catalog;

/// <summary>While replicas are replaced one by one, those of the version before go on, on a catalog that is
/// already a newer one.</summary>
public sealed class The_version_before
{
    [Fact]
    public async Task Works_on_under_the_old_names()
    {
        var catalog = await MigratedAsync("SELECT");

        await Scene.SqlAsync(
            catalog,
            """
            INSERT INTO deletions (batch_id) SELECT batch_id FROM exports ON CONFLICT (batch_id) DO NOTHING;
            UPDATE deletions d
               SET working_until = now() + interval '2 minutes', tries = d.tries + 1
              FROM (SELECT batch_id FROM deletions WHERE next_try_at <= now() AND working_until IS NULL LIMIT 1 FOR UPDATE SKIP LOCKED) due
             WHERE d.batch_id = due.batch_id;
            INSERT INTO turns (queue, share, served_at) VALUES ('exports', 'a', now()), ('exports', 'b', now());
            INSERT INTO turns (queue, share, served_at) VALUES ('exports', 'a', 'tomorrow') ON CONFLICT (queue, share) DO UPDATE SET served_at = excluded.served_at;
            INSERT INTO subscriptions (id, consumer, protocol, endpoint, state, work_token, work_until)
            VALUES (gen_random_uuid(), 'billing', 'sqs', 'arn', 'pending', gen_random_uuid(), 'tomorrow');
            """);

        Assert.Equal(1, await Scene.ScalarAsync<long>(
            catalog, "SELECT count(*) FROM batch_deletions WHERE lease_until > now() AND tries = 1"));
        Assert.Equal(1, await Scene.ScalarAsync<long>(catalog, "SELECT count(*) FROM served_shares WHERE served_at > now()"));
        Assert.Equal(1, await Scene.ScalarAsync<long>(
            catalog, "SELECT count(*) FROM event_subscriptions WHERE lease_until > now() AND lease_token IS NOT NULL"));
        Assert.Equal(
            "12 12",
            await Scene.ScalarAsync<string>(
                catalog,
                "SELECT count(*) || ' ' || count(*) FILTER (WHERE is_updatable = 'YES' AND is_insertable_into = 'YES') FROM "
                + "information_schema.views WHERE table_schema = 'public'"));
    }

    [Fact]
    public async Task Has_left_open_batches_and_abandoned_bodies_which_are_so_from_now_on()
    {
        var catalog = await MigratedAsync(
            """
            UPDATE exports SET state = 'pending', next_try_at = 'infinity' WHERE id = (SELECT min(id::text)::uuid FROM exports);
            INSERT INTO bulk_job_intakes (job_id, live_until) VALUES (gen_random_uuid(), '-infinity');
            """);

        Assert.Equal(1, await Scene.ScalarAsync<long>(
            catalog, "SELECT count(*) FROM exports WHERE state = 'open' AND next_try_at <= now()"));
        Assert.Equal(
            1, await Scene.ScalarAsync<long>(catalog, "SELECT count(*) FROM bulk_job_intakes WHERE abandoned_at IS NOT NULL"));
        var renewed = await Assert.ThrowsAsync<PostgresException>(
            () => Scene.SqlAsync(catalog, "UPDATE bulk_job_intakes SET live_until = now() + interval '30 seconds'"));
        Assert.Equal(PostgresErrorCodes.CheckViolation, renewed.SqlState);
    }

    [Fact]
    public async Task May_be_in_the_way_of_a_migration_which_is_tried_again()
    {
        // A sequence is not rolled back: the first try alone fails.
        var catalog = await MigratedAsync(
            """
            CREATE SEQUENCE tries;
            CREATE FUNCTION deadlock_once() RETURNS event_trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF nextval('public.tries') = 1 THEN
                    RAISE EXCEPTION USING ERRCODE = 'deadlock_detected';
                END IF;
            END $$;
            CREATE EVENT TRIGGER deadlock_once ON ddl_command_start WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION deadlock_once();
            """);

        Assert.InRange(await Scene.ScalarAsync<long>(catalog, "SELECT last_value FROM tries"), 2, long.MaxValue);
        Assert.Equal(1, await Scene.ScalarAsync<long>(catalog, "SELECT count(*) FROM schema_versions WHERE version = 18"));
    }

    private static async Task<string> MigratedAsync(string before)
    {
        var catalog = await PostgresServer.NewDatabaseAsync();
        await Version01.RestoreCatalogAsync(catalog);
        await Scene.SqlAsync(catalog, before);
        await using var source = NpgsqlDataSource.Create(catalog);
        await Migrations.ApplyAsync(source, NullLogger.Instance, CancellationToken.None);
        return catalog;
    }
}
