using ClaimCheck.Contracts;
using ClaimCheck.Service.Catalog;
using ClaimCheck.Service.Tests.Api;
using ClaimCheck.Testing;
using ClaimCheck.Web;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace ClaimCheck.Service.Tests.Catalog;

/// <summary>What has ended long ago costs those who come now nothing.</summary>
public sealed class A_long_past
{
    private const int Exports = 100_000;

    // What all calls and rounds together may read of one table; to look through the past once is five times that.
    private const long MostRows = 20_000;

    [Fact]
    public async Task No_list_and_no_round_of_the_service_reads_through_it()
    {
        await using var scene = await Scene.CreateAsync(items: 10);
        await using (var catalog = NpgsqlDataSource.Create(scene.Catalog))
            await Migrations.ApplyAsync(catalog, NullLogger.Instance, CancellationToken.None);
        await Scene.SqlAsync(scene.Catalog, LongPast.Script(Exports));
        await Scene.SqlAsync(scene.Catalog, "SELECT pg_stat_reset()");
        var service = await scene.StartServiceAsync();
        using var http = new ApiClient(service.NewHttp());

        await ListAllAsync(http);
        // Worker, relay, clocks and sweeps have their rounds: each at the start, and those that this export is for again.
        var export = await http.ReadyAsync("""{ "dataset": "items" }""");
        Assert.Equal(200, (await http.SendAsync("DELETE", export.Link("batch"))).Status);
        await Eventually.TrueAsync(async () =>
            (await http.GetAsync($"/v1/events?after={Paging.Cursor("events", $"{Exports}")}", ("ClaimCheck-Consumer",
                "billing"))).Items().Length == 2);
        await service.StopAsync(); // with its sessions their counts are complete

        await using var connection = new NpgsqlConnection(scene.Catalog);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            """
            SELECT t.relname, greatest(t.seq_tup_read + coalesce(t.idx_tup_fetch, 0), coalesce(sum(i.idx_tup_read), 0)::bigint) AS rows
              FROM pg_stat_user_tables t
              LEFT JOIN pg_stat_user_indexes i USING (relid)
             GROUP BY t.relid, t.relname, t.seq_tup_read, t.idx_tup_fetch
            """, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var read = new Dictionary<string, long>(StringComparer.Ordinal);
        while (await reader.ReadAsync())
            read[reader.GetString(0)] = reader.GetInt64(1);
        Assert.InRange(read["exports"], 100, MostRows); // it is counted
        Assert.All(read, table => Assert.True(table.Value <= MostRows, $"{table.Value} rows of {table.Key} were read."));
    }

    // Every filter and combination: what is common, what is rare and at the far end, what there is none
    // of; first and later pages.
    private static async Task ListAllAsync(ApiClient http)
    {
        var lengths = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var state in ExportState.All.Append(null))
        {
            foreach (var dataset in (string?[])[null, "orders", "others", "rare", "none"])
                lengths[$"{state} {dataset}"] = await PagesAsync(http, "/v1/exports", ("state", state), ("dataset", dataset));
        }

        foreach (var status in (string?[])[null, "pending", "running", "completed", "failed", "cancelled"])
        {
            foreach (var operation in (string?[])[null, "update_orders", "rare", "none"])
                lengths[$"job {status} {operation}"] = await PagesAsync(
                    http, "/v1/bulk-jobs", ("status", status), ("operation", operation));
        }

        Assert.Equal(
            [20, 20, 10, 10, 0, 0, 20, 20],
            new[] { "ready ", "failed ", "ready rare", "cancelled orders", "pending ", "expired rare", "revoked others", " rare" }
                .Select(key => lengths[key]));
        Assert.Equal(
            [20, 20, 10, 0],
            new[] { "job  ", "job failed ", "job failed rare", "job completed rare" }.Select(key => lengths[key]));
        Assert.Equal(10, (await http.GetAsync("/v1/events?limit=10", ("ClaimCheck-Consumer", "billing"))).Items().Length);
        Assert.Equal(10, (await http.GetAsync("/v1/events?limit=10")).Items().Length);
    }

    private static async Task<int> PagesAsync(ApiClient http, string path, params (string Name, string? Value)[] filters)
    {
        var query = string.Concat(
            filters.Where(filter => filter.Value is not null).Select(filter => $"&{filter.Name}={filter.Value}"));
        var first = await http.GetAsync($"{path}?limit=10{query}");
        return first.Items().Length + (first.NextCursor() is { } cursor
            ? (await http.GetAsync($"{path}?limit=10{query}&cursor={cursor}")).Items().Length
            : 0);
    }
}
