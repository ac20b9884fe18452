using System.Text.Json.Nodes;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.Adapter.Tests.Tables;

/// <summary>Routes into a consumer's own table, on a real service and a real Postgres.</summary>
public sealed class Loading_a_table
{
    private const string SameAsSource = "SELECT md5(string_agg(i::text, E'\\n' ORDER BY i.id)) FROM items AS i";

    [Theory]
    [InlineData("ar-3")]
    [InlineData("ar-4")]
    public async Task What_a_consumer_system_asks_for_is_in_its_table_and_what_was_there_is_replaced(string pattern)
    {
        await using var scene = await TableScene.CreateAsync(
            TableScene.Items + "; INSERT INTO items VALUES (7, 'old'), (5000, 'another')", pattern);
        await scene.Adapter.StartAsync();

        var delivered = await scene.LoadAsync();

        Assert.Equal(1000, (long)delivered["outcomes"]!["succeeded"]!);
        Assert.Equal(1001, await scene.ScalarAsync<long>("SELECT count(*) FROM items"));
        await scene.SqlAsync("DELETE FROM items WHERE id = 5000");
        Assert.Equal(
            await Scene.ScalarAsync<string>(scene.Adapter.Scene.Source, SameAsSource),
            await scene.ScalarAsync<string>(SameAsSource));
        var receipt = await scene.ReceiptAsync(TableScene.BatchOf(delivered), ReceiptState.Completed);
        Assert.Equal(1000, receipt.Succeeded);
        // The receipt is the inbox's alone.
        Assert.Empty(delivered["duties"]!.AsArray());
    }

    [Fact]
    public async Task What_anyone_exports_is_loaded_once_its_event_comes()
    {
        await using var scene = await TableScene.CreateAsync(TableScene.Items, "ar-2");
        scene.Adapter.Settings["Routes"]!["table"]!["Accept"] = "any";
        await scene.Adapter.StartAsync();

        var export = await scene.Adapter.Client.CreateExportAsync(new ExportRequest { Dataset = "items", Format = "ndjson" });

        await scene.ReceiptAsync(export.BatchId, ReceiptState.Completed);
        Assert.Equal(
            await Scene.ScalarAsync<string>(scene.Adapter.Scene.Source, SameAsSource),
            await scene.ScalarAsync<string>(SameAsSource));
    }

    [Fact]
    public async Task Events_of_a_queue_fill_the_table_and_empty_it_again()
    {
        await using var scene = await TableScene.CreateWithQueueAsync(
            TableScene.Items + "; ALTER TABLE items ADD batch text", "ar-3", ("BatchColumn", "batch"), ("OnRevoked", "delete"));
        scene.Adapter.Settings["Polling"]!["StatusInterval"] = "1.00:00:00"; // nothing but the event may tell
        await scene.Adapter.StartAsync();

        var delivered = await scene.LoadAsync(new { least = 101 });
        Assert.Equal(900, await scene.ScalarAsync<long>("SELECT count(*) FROM items"));
        Assert.Equal(900, (await scene.ReceiptAsync(TableScene.BatchOf(delivered), ReceiptState.Completed)).Succeeded);

        await scene.Adapter.Client.RevokeAsync(TableScene.BatchOf(delivered), "wrong month");
        var revoked = await scene.Adapter.BecomesAsync((string)delivered["id"]!, "revoked");
        Assert.Equal((900, "wrong month"), ((long)revoked["recordsDeleted"]!, (string)revoked["reason"]!));
        Assert.Equal(0, await scene.ScalarAsync<long>("SELECT count(*) FROM items"));
        await scene.ReceiptAsync(TableScene.BatchOf(delivered), ReceiptState.Discarded);
    }

    [Theory]
    [InlineData("csv", false)]
    [InlineData("csv", true)]
    [InlineData("ndjson", true)]
    public async Task Values_of_all_types_arrive_as_they_were_also_one_by_one_and_through_a_pooler_that_drops_settings(
        string format, bool oneByOne)
    {
        const string columns = """
            id bigint PRIMARY KEY, t text, c char(5), v varchar(40), n numeric(20,6), f double precision, b boolean, d date, ts timestamp, tz timestamptz,
            iv interval, u uuid, j json, jb jsonb, by bytea, m money
            """;
        await using var scene = await TableScene.CreateAsync(
            $"CREATE TABLE \"Odd \"\"items\" ({columns}{(format == "csv" ? ", a text[]" : "")})");
        await Scene.SqlAsync(scene.Adapter.Scene.Source, $$"""
            CREATE TABLE odd ({{columns}}, a text[]);
            INSERT INTO odd
            SELECT g, CASE g % 5 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN 'say "hi", ' || g || E'\n\\.\n' WHEN 3 THEN E'\\N\t' ELSE 'é😀' END, 'ab', repeat('x', g % 40), g / 7.0, g / 3.0,
                   g % 2 = 0, date '2024-02-29' + g::int, timestamp '2024-01-01 00:00:00.123456' + g * interval '1 hour', timestamptz '2024-01-01 00:00+02' + g * interval '1 hour',
                   g * interval '1 day 2 hours', md5(g::text)::uuid, to_json('a "b" ' || g), jsonb_build_object('k', g, 'n', NULL), decode(md5(g::text), 'hex'), (g * 12.5)::numeric::money,
                   ARRAY['a,b', NULL, 'c"d', g::text]
              FROM generate_series(1, 500) g;
            """);
        scene.Adapter.Scene.AddDataset(
            "odd",
            $"SELECT id, t, c, v, n, f, b, d, ts, tz, iv, u, j, jb, by, m{(format == "csv" ? ", a" : "")} FROM odd ORDER BY id");
        var service = await scene.Adapter.Scene.StartServiceAsync();
        scene.Adapter.Settings["Service"] = service.Address.ToString();
        scene.Adapter.Settings["AllowedLinkHosts"] = new JsonArray(service.Address.Authority);
        scene.Adapter.Settings["Routes"]!["table"]!["Dataset"] = "odd";
        scene.Adapter.Settings["Routes"]!["table"]!["Format"] = format;
        scene.Destination["Table"] = "public.\"Odd \"\"items\"";
        await using var pooler = await CarelessPooler.BeforeAsync(scene.Database);
        scene.Destination["ConnectionString"] = pooler.ConnectionString;
        if (oneByOne) // one of them is refused, so that the others go by themselves
            await scene.SqlAsync("ALTER TABLE \"Odd \"\"items\" ADD CHECK (id <> 250)");
        await scene.Adapter.StartAsync();

        var delivered = await scene.LoadAsync();

        Assert.Equal(oneByOne ? 1 : 0, (long)delivered["outcomes"]!["terminal"]!);
        var loaded = format == "csv" ? "o" : "(id, t, c, v, n, f, b, d, ts, tz, iv, u, j, jb, by, m)";
        const string sameTexts = "SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle = 'iso_8601'; SET "
            + "extra_float_digits = 1; SET bytea_output = 'hex'; ";
        var sum = $"{sameTexts}SELECT md5(string_agg({loaded}::text, E'\\n' ORDER BY id)) FROM {{0}} AS o WHERE id <> 250";
        Assert.Equal(
            await Scene.ScalarAsync<string>(scene.Adapter.Scene.Source, string.Format(sum, "odd")),
            await scene.ScalarAsync<string>(string.Format(sum, "\"Odd \"\"items\"")));
    }

    [Fact]
    public async Task Columns_go_where_they_are_mapped_and_what_is_there_may_be_left()
    {
        await using var scene = await TableScene.CreateAsync(
            "CREATE SCHEMA shop; CREATE TABLE shop.things (thing bigint UNIQUE, title text DEFAULT 'none', loaded_by text); "
            + "INSERT INTO shop.things VALUES (3, 'mine', 'me')",
            more: [("Table", "shop.things"), ("Columns", new JsonObject { ["id"] = "thing" }), ("OnConflict", "ignore"),
                ("BatchColumn", "loaded_by"), ("ChunkSize", 100)]);
        await scene.Adapter.StartAsync();

        var delivered = await scene.LoadAsync();

        Assert.Equal(1000, await scene.ScalarAsync<long>("SELECT count(*) FROM shop.things"));
        Assert.Equal(
            "me", await scene.ScalarAsync<string>("SELECT loaded_by FROM shop.things WHERE thing = 3 AND title = 'mine'"));
        Assert.Equal(999, await scene.ScalarAsync<long>(
            $"SELECT count(*) FROM shop.things WHERE loaded_by = '{TableScene.BatchOf(delivered)}' AND title = 'none'"));
    }

    [Fact]
    public async Task Of_records_with_one_key_the_last_counts()
    {
        await using var scene = await TableScene.CreateAsync(
            "CREATE TABLE items (bucket bigint PRIMARY KEY, id bigint)", more: [("Key", "bucket")]);
        scene.Adapter.Scene.AddDataset("buckets", "SELECT id, id % 10 AS bucket FROM items ORDER BY id");
        var service = await scene.Adapter.Scene.StartServiceAsync();
        scene.Adapter.Settings["Service"] = service.Address.ToString();
        scene.Adapter.Settings["AllowedLinkHosts"] = new JsonArray(service.Address.Authority);
        scene.Adapter.Settings["Routes"]!["table"]!["Dataset"] = "buckets";
        await scene.Adapter.StartAsync();

        var delivered = await scene.LoadAsync();

        Assert.Equal(1000, (long)delivered["outcomes"]!["succeeded"]!);
        Assert.Equal(9955, await scene.ScalarAsync<decimal>("SELECT sum(id) FROM items"));
    }
}
