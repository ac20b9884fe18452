using System.Text.Json.Nodes;
using ClaimCheck.Testing;
using Npgsql;

namespace ClaimCheck.Adapter.Tests.Tables;

/// <summary>Evidence decides whom a failure is of: where any record passes, those that fail are at fault; where none
/// does, none is.</summary>
public sealed class Records_or_their_table
{
    [Fact]
    public async Task A_row_that_rules_triggers_or_limits_refuse_fails_alone_and_a_table_that_refuses_all_fails_none()
    {
        await using var scene = await TableScene.CreateAsync(
            """
            CREATE TABLE items (id bigint PRIMARY KEY, name text);
            ALTER TABLE items ENABLE ROW LEVEL SECURITY;
            CREATE POLICY own ON items USING (id <> 13) WITH CHECK (id <> 13);
            CREATE FUNCTION check_item() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF NEW.id = 14 THEN PERFORM no_such_function(); END IF;
                IF NEW.id = 16 THEN RAISE 'not this one'; END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER check_item BEFORE INSERT OR UPDATE ON items FOR EACH ROW EXECUTE FUNCTION check_item();
            CREATE FUNCTION long_one(id bigint) RETURNS text IMMUTABLE LANGUAGE sql AS
                $$ SELECT CASE WHEN id = 15 THEN (SELECT string_agg(md5(g::text), '') FROM generate_series(1, 300) g) END $$;
            CREATE INDEX ON items (long_one(id));
            """,
            more: ("ChunkSize", 400));
        var role = $"loader_{Guid.NewGuid():N}";
        await scene.SqlAsync($"""
            CREATE ROLE {role} LOGIN;
            GRANT CREATE, TEMPORARY ON DATABASE "{new NpgsqlConnectionStringBuilder(scene.Database).Database}" TO {role};
            GRANT SELECT, INSERT, UPDATE ON items TO {role};
            """);
        scene.Destination["ConnectionString"] =
            new NpgsqlConnectionStringBuilder(scene.Database) { Username = role }.ConnectionString;
        await scene.Adapter.StartAsync();

        var delivered = await scene.LoadAsync();
        Assert.Equal((996, 0, 4), Outcomes(delivered));
        Assert.Equal(996, await scene.ScalarAsync<long>("SELECT count(*) FROM items"));
        var failures = (await Eventually.NotNullAsync(async () =>
            await scene.Adapter.Client.GetFailuresPageAsync(TableScene.BatchOf(delivered), "billing") is { Items.Count: 4 } page
                ? page
                : null)).Items;
        Assert.Equal(
            ["13 insufficient_privilege", "14 sqlstate_42883", "15 program_limit_exceeded", "16 raise_exception"],
            failures.Select(each => $"{each.Key} {each.Code}").Order(StringComparer.Ordinal));

        // The same SQLSTATE, of all: no record's.
        await scene.SqlAsync($"REVOKE INSERT ON items FROM {role}");
        var id = await scene.AskAsync();
        await Eventually.TrueAsync(() => Task.FromResult(scene.Adapter.Adapter.Log.Contains(
            "(SQLSTATE 42501, insufficient_privilege). The role may not do that: permission denied.", StringComparison.Ordinal)));
        await scene.SqlAsync($"GRANT INSERT ON items TO {role}");
        Assert.Equal((996, 0, 4), Outcomes(await scene.Adapter.BecomesAsync(id, "delivered")));

        // A server that became a standby accepts no writes at present: not a record's failure either.
        await ReadOnlyAsync("on");
        id = await scene.AskAsync();
        await Eventually.TrueAsync(() => Task.FromResult(
            scene.Adapter.Adapter.Log.Contains("The database or the transaction is read-only", StringComparison.Ordinal)));
        await ReadOnlyAsync("off");
        Assert.Equal((996, 0, 4), Outcomes(await scene.Adapter.BecomesAsync(id, "delivered")));

        Task ReadOnlyAsync(string value) => scene.SqlAsync($"""
            ALTER ROLE {role} SET default_transaction_read_only = {value};
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}';
            """);
    }

    [Fact]
    public async Task A_bad_row_of_a_wide_table_fails_alone()
    {
        // As texts they would not fit on a page, as numbers they do.
        var columns = string.Join(", ", Enumerable.Range(1, 450).Select(i => $"c{i} bigint"));
        var values = string.Join(", ", Enumerable.Range(1, 450).Select(i => $"1000000000000000000 + g * {i}"));
        await using var scene = await TableScene.CreateAsync(
            $"CREATE TABLE wide (id bigint PRIMARY KEY, {columns}, CHECK (id <> 50))", items: 1);
        await Scene.SqlAsync(scene.Adapter.Scene.Source, $"CREATE TABLE wide (id bigint PRIMARY KEY, {columns}); INSERT INTO "
            + $"wide SELECT g, {values} FROM generate_series(1, 100) g");
        scene.Adapter.Scene.AddDataset("wide", "SELECT * FROM wide ORDER BY id");
        var service = await scene.Adapter.Scene.StartServiceAsync();
        scene.Adapter.Settings["Service"] = service.Address.ToString();
        scene.Adapter.Settings["AllowedLinkHosts"] = new JsonArray(service.Address.Authority);
        scene.Adapter.Settings["Routes"]!["table"]!["Dataset"] = "wide";
        scene.Destination["Table"] = "wide";
        await scene.Adapter.StartAsync();

        Assert.Equal((99, 0, 1), Outcomes(await scene.LoadAsync()));
        const string sum = "SELECT md5(string_agg(w::text, E'\\n' ORDER BY id)) FROM wide AS w WHERE id <> 50";
        Assert.Equal(await Scene.ScalarAsync<string>(scene.Adapter.Scene.Source, sum), await scene.ScalarAsync<string>(sum));
    }

    private static (long, long, long) Outcomes(JsonNode export)
    {
        var outcomes = export["outcomes"]!;
        return ((long)outcomes["succeeded"]!, (long)outcomes["transient"]!, (long)outcomes["terminal"]!);
    }
}
