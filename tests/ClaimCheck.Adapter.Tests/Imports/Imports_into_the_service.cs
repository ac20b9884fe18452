using System.Text.Json.Nodes;
using ClaimCheck.Testing;

namespace ClaimCheck.Adapter.Tests.Imports;

/// <summary>Files become bulk jobs of the real service, whatever dies in between.</summary>
public sealed class Imports_into_the_service
{
    [Fact]
    public async Task Killed_halfway_and_started_again_each_order_is_updated_once()
    {
        await using var jobs = await JobScene.CreateAsync(orders: 2000, chunk: 100);
        jobs.AddOperation("slow", "item", "UPDATE orders SET status = :status WHERE id = :id AND pg_sleep(0.0005) IS NOT NULL",
            """, "chunk": 100 """);
        var service = await jobs.Scene.StartServiceAsync();
        await using var scene = ImportScene.For(service.Address.AbsoluteUri);
        scene.Settings["Service"] = service.Address.AbsoluteUri;
        scene.Route["Import"]!["Endpoint"] =
            new JsonObject { ["Contract"] = "bulk-jobs", ["Operation"] = "slow", ["JobPoll"] = "00:00:00.05" };
        scene.Route["Import"]!["Mapping"] = new JsonObject
        {
            ["Key"] = "id",
            ["Fields"] = new JsonObject
            {
                ["id"] = new JsonObject { ["From"] = "order_id", ["Required"] = true },
                ["status"] = new JsonObject { ["From"] = "total", ["Required"] = true },
            },
        };
        await scene.StartAsync();
        var (code, output) = await scene.RunAsync("--check");
        Assert.True(code == 0, output);

        scene.Drop("orders.csv", 2010, "ord_", i => i % 500 == 3 ? "bad" : i % 500 == 4 ? "" : "shipped");
        await Eventually.TrueAsync(
            async () => await Scene.ScalarAsync<long>(jobs.Target, "SELECT count(*) FROM orders WHERE touched > 0") >= 300);
        await scene.KillAsync();
        await scene.StartAsync();

        var import = await scene.BecomesAsync("completed");
        // Nine ids that are not there, four that the target refuses, five without a status.
        Assert.Equal((2010, 1992, 13, 5), (
            (int)import["counts"]!["records"]!, (int)import["counts"]!["succeeded"]!, (int)import["counts"]!["failed"]!,
            (int)import["counts"]!["invalid"]!));
        Assert.Equal("0:8 1:1992", await jobs.TouchesAsync());
        Assert.Equal(
            ["check_violation 4", "not_found 9", "required_field_missing 5"],
            (await scene.GetAsync($"/imports/{import["id"]}/report"))["failures"]!.AsArray()
                .Select(each => $"{each!["code"]} {each["count"]}").Order(StringComparer.Ordinal));
        Assert.Equal(21, await Scene.ScalarAsync<long>(jobs.Scene.Catalog, "SELECT count(*) FROM bulk_jobs"));
    }
}
