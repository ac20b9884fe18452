using ClaimCheck.Service.Sources;
using ClaimCheck.Service.Tests.Api;
using ClaimCheck.Testing;
using Npgsql;

namespace ClaimCheck.Service.Tests.Sources;

public sealed class How_far_a_snapshot_reaches
{
    private const string Entries =
        "CREATE TABLE entries (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())";
    private const string Insert = "INSERT INTO entries DEFAULT VALUES";

    [Fact]
    public async Task A_standby_s_is_what_it_has_replayed_and_nothing_is_skipped_when_it_lags()
    {
        using var pair = await StandbyPair.StartAsync(Entries);
        await using (var fresh = NpgsqlDataSource.Create(pair.Standby))
        {
            // Nothing is replayed yet: it holds what it was made of.
            Assert.Null(await pair.ReplayedAsync());
            await using var connection = await fresh.OpenConnectionAsync();
            var horizon = await SourceHorizon.ReadAsync(connection, CancellationToken.None);
            Assert.Equal(
                await Scene.ScalarAsync<DateTime>(pair.Standby, "SELECT checkpoint_time FROM pg_control_checkpoint()"),
                horizon.SnapshotAt.UtcDateTime);
        }

        await using var scene = await Scene.CreateAsync(1);
        scene.Settings["ConnectionStrings__source"] = pair.Standby;
        File.Delete(Path.Combine(scene.Datasets, "items.json"));
        File.Delete(Path.Combine(scene.Datasets, "items.sql"));
        File.Delete(Path.Combine(scene.Datasets, "slow.json"));
        File.Delete(Path.Combine(scene.Datasets, "slow.sql"));
        scene.AddDataset("entries", "SELECT id FROM entries WHERE (:since IS NULL OR at >= :since) ORDER BY id",
            """, "parameters": { "since": { "type": "timestamptz", "required": false } }""");
        using var http = new ApiClient((await scene.StartServiceAsync()).NewHttp());
        await Scene.SqlAsync(pair.Primary, Insert);
        await pair.CatchUpAsync();
        var put = await http.SendAsync("PUT", "/v1/schedules/entries", ApiClient.Json(
            """{ "cron": "0 0 0 1 1 ?", "export": { "dataset": "entries", "compression": "none", "criteria": { "since": { "after": "watermark", "overlap": "PT0S" } } } }"""u8
                .ToArray()));
        Assert.True(put.Status == 201, put.Text);

        Assert.Equal("id\n1\n", await RunAsync(1));
        await pair.PauseAsync();
        await Scene.SqlAsync(pair.Primary, Insert);
        Assert.DoesNotContain("2", await RunAsync(2), StringComparison.Ordinal); // committed, and not here yet
        await Scene.SqlAsync(pair.Primary, Insert);
        await pair.ResumeAsync();
        Assert.Contains("2\n3\n", await RunAsync(3), StringComparison.Ordinal);

        async Task<string> RunAsync(int runs)
        {
            var asked = await http.PostAsync("/v1/schedules/entries/run", "{}");
            Assert.True(asked.Status == 202, asked.Text);
            var batch = "";
            await Eventually.TrueAsync(async () =>
            {
                var all = (await http.GetAsync("/v1/schedules/entries/runs")).Items();
                batch = all[0].Text("batchId") ?? "";
                return all.Length == runs && all[0].Text("exportState") == "ready";
            });
            var snapshot = (await http.GetAsync($"/v1/batches/{batch}")).Json.GetProperty("snapshotAt").GetDateTimeOffset();
            Assert.Equal(await pair.ReplayedAsync(), snapshot);
            return (await http.GetAsync($"/v1/batches/{batch}/data")).Text.Replace("\"", "", StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_primary_s_is_not_past_the_beginning_of_a_transaction_that_is_under_way()
    {
        var database = await PostgresServer.NewDatabaseAsync();
        var role = $"reader_{Guid.NewGuid():N}";
        await Scene.SqlAsync(database, $"{Entries}; CREATE ROLE {role} LOGIN; GRANT SELECT ON entries TO {role}");
        await using var source = NpgsqlDataSource.Create(database);
        await using var connection = await source.OpenConnectionAsync();
        await using var writer = await source.OpenConnectionAsync();
        await using var reader = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(database) { Username = role }.ConnectionString);
        await using var unprivileged = await reader.OpenConnectionAsync();

        var before = await SourceHorizon.ReadAsync(connection, CancellationToken.None);
        Assert.Equal(before.SnapshotAt, before.ReadUntil);
        await using var transaction = await writer.BeginTransactionAsync();
        await using var insert = new NpgsqlCommand("INSERT INTO entries DEFAULT VALUES RETURNING at", writer, transaction);
        var at = new DateTimeOffset((DateTime)(await insert.ExecuteScalarAsync())!);

        var during = await SourceHorizon.ReadAsync(connection, CancellationToken.None);
        Assert.Equal((at, false), (during.ReadUntil, during.IsBlind));
        Assert.True(during.SnapshotAt > at);
        // Who may not see that much knows at least that.
        Assert.True((await SourceHorizon.ReadAsync(unprivileged, CancellationToken.None)).IsBlind);

        await transaction.CommitAsync();
        Assert.True((await SourceHorizon.ReadAsync(connection, CancellationToken.None)).ReadUntil > at);
        Assert.False((await SourceHorizon.ReadAsync(unprivileged, CancellationToken.None)).IsBlind);
    }
}
