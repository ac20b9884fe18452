using System.Text.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Sources;
using ClaimCheck.Service.Tests.Api;
using ClaimCheck.Service.Tests.Exporting;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Sources;

/// <summary>What a session asks for at its start is dropped, and the database's own settings write every value
/// in another way.</summary>
public sealed class Sources_behind_a_pooler
{
    private const string Values = """
        CREATE TABLE values (id int PRIMARY KEY, d date, t timestamptz, l timestamp, i interval, b bytea, f float8, m money, n text, a timestamptz[]);
        INSERT INTO values VALUES (
            1, '2026-02-01', '2026-02-01 12:00:00Z', '2026-02-01 12:00:00', '1 day 2 hours', '\x00ff', 0.1, 1234.5::numeric::money, 'Grüße \', ARRAY[NULL, '2026-02-01 12:00:00Z'::timestamptz]);
        """;

    [Fact]
    public async Task Values_are_written_as_the_manifest_promises()
    {
        var database = await PostgresServer.NewDatabaseAsync();
        await Scene.SqlAsync(database, Values);
        await using var pooler = await CarelessPooler.BeforeAsync(database);
        Assert.Equal("01/02/2026 @ 1 day 2 hours", await Scene.ScalarAsync<string>(
            pooler.ConnectionString, "SELECT d || ' ' || i FROM values"));
        await using var run = await ExportRun.OnAsync(pooler.ConnectionString);
        const string sql = "SELECT v.*, xmlelement(name x, b)::text AS x, 'C:\\' AS p FROM values v";

        Assert.Equal(
            """1,2026-02-01,2026-02-01 12:00:00+00,2026-02-01 12:00:00,P1DT2H,\x00ff,0.1,"$1,234.50",Grüße \,"{NULL,""2026-02-01 12:00:00+00""}",<x>AP8=</x>,C:\"""
            + "\n",
            await run.TextAsync(sql));
        run.Format = "ndjson";
        Assert.Equal(
            """{"id":1,"d":"2026-02-01","t":"2026-02-01T12:00:00Z","l":"2026-02-01T12:00:00","i":"P1DT2H","b":"AP8=","f":0.1,"m":"$1,234.50","n":"Grüße \\","a":[null,"2026-02-01T12:00:00Z"],"x":"<x>AP8=</x>","p":"C:\\"}"""
            + "\n",
            await run.TextAsync(sql));
    }

    [Theory]
    [InlineData("DateStyle", "German", "true")]
    [InlineData("DateStyle", "ISO, YMD", "false")]
    [InlineData("TimeZone", "Asia/Tokyo", "true")]
    [InlineData("bytea_output", "escape", "false")]
    [InlineData("row_security", "on", "true")]
    public async Task A_query_that_changes_what_texts_depend_on_fails_its_export(string setting, string value, string isLocal)
    {
        await using var run = await ExportRun.NewAsync();
        var refusal = await Assert.ThrowsAsync<SourceException>(
            () => run.ExportAsync(
                $"SELECT id, now() AS at, set_config('{setting}', '{value}', {isLocal}) AS s FROM generate_series(1, 3) id"));
        Assert.Equal(("source_settings_changed", false), (refusal.Code, refusal.IsTransient));
        Assert.Contains(setting, refusal.Message, StringComparison.Ordinal);
        Assert.Equal(0, run.Staged.Open);
    }

    [Fact]
    public async Task Retries_find_their_keys_and_jobs_write_what_they_were_given()
    {
        await using var scene = await JobScene.CreateAsync(1);
        await Scene.SqlAsync(scene.Target, """
            CREATE TABLE stamped (id timestamptz PRIMARY KEY, name text);
            INSERT INTO stamped VALUES ('2026-02-01 12:00:00Z', 'Grüße'), ('2026-03-01 12:00:00Z', 'b');
            CREATE TABLE typed (id text PRIMARY KEY, day date, at timestamptz, local timestamptz, took interval, tags text[], path text);
            INSERT INTO typed VALUES ('Ä'), ('b');
            """);
        scene.Scene.AddDataset("stamped", "SELECT id, name FROM stamped ORDER BY id");
        const string parameters = """
            { "id": { "type": "text" }, "day": { "type": "date" }, "at": { "type": "timestamptz" }, "local": { "type": "timestamp" }, "took": { "type": "interval" }, "tags": { "type": "text[]" } }
            """;
        const string sets = "day = {0}day, at = {0}at, local = {0}local, took = {0}took, tags = {0}tags, path = 'C:\\' || {0}id";
        scene.AddOperation("typed", "item", $"UPDATE typed SET {string.Format(sets, ":")} WHERE id = :id",
            """, "atomicity": "chunk" """, parameters);
        scene.AddOperation("typedset", "set",
            $"UPDATE typed t SET {string.Format(sets, "i.")} FROM items i WHERE t.id = i.id RETURNING i.ordinal", "", parameters);
        await using var pooler = await CarelessPooler.BeforeAsync(scene.Target);
        scene.Scene.Settings["ConnectionStrings__source"] = pooler.ConnectionString;
        var process = await scene.Scene.StartServiceAsync(("ClaimCheck__Receipts__RetryDelay", "00:00:00"));
        using var api = new ApiClient(process.NewHttp());
        using var http = process.NewHttp();

        foreach (var (format, key, line) in (IEnumerable<(string, string, string)>)
        [
            ("csv", "2026-02-01 12:00:00+00", "2026-02-01 12:00:00+00,Grüße"),
            ("ndjson", "2026-02-01T12:00:00Z", """{"id":"2026-02-01T12:00:00Z","name":"Grüße"}"""),
        ])
        {
            var batch =
                $"/v1/batches/{(await api.ReadyAsync($$"""{ "dataset": "stamped", "format": "{{format}}", "compression": "none" }""")).Text("batchId")}";
            Assert.Contains(line, (await api.GetAsync($"{batch}/data")).Text, StringComparison.Ordinal);
            Assert.Equal(200, (await api.PostAsync(
                $"{batch}/receipts/billing/failures",
                $$"""[{ "key": "{{key}}", "class": "transient", "code": "db_down" }]""")).Status);
            var receipt = ApiClient.Json(
                """{ "state": "partiallyFailed", "succeeded": 1, "transient": 1, "terminal": 0 }"""u8.ToArray());
            Assert.Equal(200, (await api.SendAsync("PUT", $"{batch}/receipts/billing", receipt)).Status);
            var asked = await api.PostAsync($"{batch}/retries", """{ "consumer": "billing" }""");
            Assert.True(asked.Status == 202, asked.Text);
            var retry = await Eventually.NotNullAsync(async () =>
                (await api.GetAsync($"/v1/exports/{asked.Json.Text("exportId")}")).Json is var export
                && ExportState.IsSettled(export.Text("state")!)
                    ? export.Text("state")
                    : null);
            Assert.Equal(ExportState.Ready, retry);
            var lines = (await api.GetAsync($"/v1/batches/{asked.Json.Text("batchId")}/data")).Text;
            Assert.Equal([line], lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(format == "csv" ? 1 : 0));
        }

        foreach (var operation in (string[])["typed", "typedset"])
        {
            var items = string.Concat(((string[])["Ä", "b"]).Select(id =>
                JsonSerializer.Serialize(new
                {
                    id,
                    day = "2026-02-01",
                    at = "2026-02-01T12:00:00Z",
                    local = "2026-02-01T12:00:00",
                    took = "P1DT2H",
                    tags = (string[])["NULL", "é\\"],
                }) + "\n"));
            var job = await JobScene.EndedAsync(http, await JobScene.PostAsync(http, operation, items));
            Assert.Equal((BulkJobStatus.Completed, 2, 0), (job.Status, job.Succeeded, job.Failed));
            Assert.Equal(
                """Ä 2026-02-01 2026-02-01 12:00:00 2026-02-01 12:00:00 26:00:00 {"NULL","é\\"} C:\Ä""",
                await Scene.ScalarAsync<string>(
                    scene.Target,
                    """
                    SELECT concat_ws(' ', id, to_char(day, 'YYYY-MM-DD'), to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'), to_char(local AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
                                     extract(epoch FROM took)::int / 3600 || ':00:00', tags::text, path)
                      FROM typed WHERE id = 'Ä'
                    """));
            await Scene.SqlAsync(
                scene.Target, "UPDATE typed SET day = NULL, at = NULL, local = NULL, took = NULL, tags = NULL, path = NULL");
        }
    }
}
