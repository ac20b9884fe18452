using ClaimCheck.Consumer;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ClaimCheck.EndToEnd.Tests.Consuming;

/// <summary>A consumer with no queue: it follows the feed, and keeps its place in a file.</summary>
public sealed class A_consumer_of_the_feed
{
    [Fact]
    public async Task Goes_on_where_it_was_after_its_own_restart_and_the_services()
    {
        await using var scene = await Scene.CreateAsync(items: 100);
        await using var first = await ServiceProcess.StartAsync(scene.Settings);
        var (books, cursor) = (new Books(), Path.Combine(scene.DataDirectory, "consumer", "cursor"));
        using var client = new ClaimCheckClient(first.Address);
        List<BatchId> exported = [];

        using (var host = await ListenAsync(first.Address, books, cursor))
        {
            await ExportAsync(2);
            await Eventually.TrueAsync(() => Task.FromResult(books.Closed.Count == 2));
            await first.KillAsync();
            await using var second = await ServiceProcess.StartAsync(scene.Settings, first.Address.Port);
            await ExportAsync(1);
            await Eventually.TrueAsync(() => Task.FromResult(books.Closed.Count == 3));
            await host.StopAsync();

            await ExportAsync(2);
            using var again = await ListenAsync(second.Address, books, cursor);
            await Eventually.TrueAsync(() => Task.FromResult(books.Closed.Count == 5));
            await client.RevokeAsync(exported[0]);
            await Eventually.TrueAsync(() => Task.FromResult(books.Revoked.Contains(exported[0])));
            await again.StopAsync();
        }

        Assert.Equal(exported.OrderBy(each => each.Value), books.Closed.OrderBy(each => each.Value));
        Assert.All(books.Records.Values, records => Assert.Equal(100, records));

        async Task ExportAsync(int count)
        {
            for (var i = 0; i < count; i++)
                exported.Add((await client.CreateExportAsync(new ExportRequest { Dataset = "items" })).BatchId);
        }
    }

    private static async Task<IHost> ListenAsync(Uri service, Books books, string cursor)
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddSingleton(books);
        builder.Services.AddClaimCheckConsumer(options => options.Service = service)
            .AddFeedListener<Accounting>(new FileCursorStore(cursor));
        var host = builder.Build();
        await host.StartAsync();
        return host;
    }
}
