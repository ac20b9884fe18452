using System.Net.Sockets;
using System.Text;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Api;

/// <summary>A process refuses connections beyond its limit, and keeps serving those it has.</summary>
[Collection(ApiTests.Name)]
public sealed class Limits_of_connections(ApiService service)
{
    private static readonly byte[] Request = Encoding.ASCII.GetBytes("GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n");

    [Fact]
    public async Task Beyond_the_limit_connections_are_closed_which_is_said_once_until_there_is_room_again()
    {
        await using var process = await StartAsync("10");
        var open = new List<TcpClient>();
        for (var episode = 1; episode <= 2; episode++)
        {
            while (open.Count < 10)
                open.Add(await ServedAsync(process));
            for (var more = 0; more < 5; more++)
                Assert.False(await IsServedAsync(await ConnectAsync(process)));
            foreach (var client in open)
                Assert.True(await IsServedAsync(client)); // existing ones continue
            await Eventually.TrueAsync(() => Task.FromResult(Said(process, "All 10 connections") == episode));

            open.ForEach(client => client.Dispose());
            open.Clear();
            await Eventually.TrueAsync(() => Task.FromResult(Said(process, "Fewer than the 10 connections") == episode));
        }

        Assert.Equal(2, Said(process, "All 10 connections"));
    }

    [Theory]
    [InlineData("0", "ClaimCheck:Http:MaxConnections is 0, but must be 1 or more")]
    [InlineData("many", "ClaimCheck:Http")]
    public async Task A_limit_that_lets_nobody_in_is_refused(string limit, string said)
    {
        var (code, output) = await ServiceProcess.RunAsync(
            new Dictionary<string, string>(service.IdleScene.Settings, StringComparer.Ordinal)
            {
                ["ClaimCheck__Http__MaxConnections"] = limit,
            });
        Assert.Equal(1, code);
        Assert.Contains(said, Assert.Single(output.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    private Task<ServiceProcess> StartAsync(string limit) =>
        ServiceProcess.StartAsync(new Dictionary<string, string>(service.IdleScene.Settings, StringComparer.Ordinal)
        {
            ["ClaimCheck__Http__MaxConnections"] = limit,
            ["ClaimCheck__Roles"] = "api",
        });

    // One that has gone makes room a moment later.
    private static async Task<TcpClient> ServedAsync(ServiceProcess process)
    {
        TcpClient? served = null;
        await Eventually.TrueAsync(async () =>
        {
            served = await ConnectAsync(process);
            return await IsServedAsync(served);
        });
        return served!;
    }

    private static async Task<TcpClient> ConnectAsync(ServiceProcess process)
    {
        var client = new TcpClient();
        await client.ConnectAsync(process.Address.Host, process.Address.Port);
        return client;
    }

    private static async Task<bool> IsServedAsync(TcpClient client)
    {
        try
        {
            await client.GetStream().WriteAsync(Request);
            var buffer = new byte[4096];
            if (await client.GetStream().ReadAsync(buffer).AsTask().WaitAsync(TimeSpan.FromMinutes(1)) > 0)
                return true;
        }
        catch (IOException)
        {
            // Closed.
        }

        client.Dispose();
        return false;
    }

    private static int Said(ServiceProcess process, string what) =>
        process.Log.Split('\n').Count(line => line.Contains(what, StringComparison.Ordinal));
}
