using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Exports;
using ClaimCheck.Service.Publishing;
using ClaimCheck.Service.Tests.Revocation;
using ClaimCheck.Testing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace ClaimCheck.Service.Tests.Catalog;

/// <summary>However many wait or read slowly, the catalog is asked for all of them at once.</summary>
public sealed class Many_who_wait : IAsyncLifetime
{
    private const int Many = 40;
    private RevocationLab lab = null!;

    public async Task InitializeAsync() => lab = await RevocationLab.StartAsync(loops: false);

    public async Task DisposeAsync() => await lab.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Readers_that_stand_still_share_one_look_and_are_all_cut_off_by_a_revocation(bool byLink)
    {
        var batch = await lab.ReadyAsync(await lab.AskAsync(
            maxFileBytes: 64 << 20,
            sql: "SELECT g::bigint AS id, repeat(md5(g::text), 20) AS name FROM generate_series(1, 20000) g ORDER BY id"));
        var manifest = await lab.Http.GetStringAsync($"/v1/batches/{batch}/manifest");
        var path = byLink
            ? System.Text.Json.JsonDocument.Parse(manifest).RootElement.GetProperty("files")[0].GetProperty("url").GetString()!
            : $"/v1/batches/{batch}/data";
        using var statements = Listen();
        var readers = await Task.WhenAll(
            Enumerable.Range(0, Many).Select(_ => OpenAsync(new Uri(lab.Http.BaseAddress!, path).PathAndQuery)));

        var (watch, before) = (Stopwatch.StartNew(), statements.Count(Looking));
        await Eventually.TrueAsync(() => Task.FromResult(statements.Count(Looking) >= before + 4));
        // Two looks a second, and one that was under way; each of the readers by itself would have made eighty.
        Assert.InRange(statements.Count(Looking) - before, 4, (2 * watch.Elapsed.TotalSeconds) + 2);
        // No connection is held for those who stand still.
        Assert.InRange((await lab.QueryAsync<int>(
            "SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle'")).Single(), 1, 5);

        Assert.True(await lab.RevokeAsync(batch));
        var read = await Task.WhenAll(readers.Select(DrainAsync));
        Assert.All(read, bytes => Assert.InRange(bytes, 0, 20_000 * 640));
    }

    [Fact]
    public async Task Callers_that_wait_for_exports_share_one_look_and_hear_of_the_end_at_once()
    {
        ExportRow[] exports = [await lab.AskAsync(), await lab.AskAsync(), await lab.AskAsync()];
        using var statements = Listen();
        var asked = Enumerable.Range(0, Many).Select(at => WaitAsync(exports[at % 3].ExportId)).ToList();
        // Each has looked for itself twice: what there is, and once more when its wait had begun.
        await Eventually.TrueAsync(() => Task.FromResult(statements.Count(Finding) >= 2 * Many));

        var (watch, before) = (Stopwatch.StartNew(), statements.Count(Settled));
        await Eventually.TrueAsync(() => Task.FromResult(statements.Count(Settled) >= before + 2));
        Assert.InRange(statements.Count(Settled) - before, 2, (watch.Elapsed.TotalSeconds / 2) + 2);
        foreach (var export in exports)
            Assert.True(await lab.RevokeAsync(export.Batch));

        foreach (var answer in await Task.WhenAll(asked))
            Assert.Contains("\"state\":\"cancelled\"", answer, StringComparison.Ordinal);
        Assert.Equal(2 * Many, statements.Count(Finding));

        async Task<string> WaitAsync(ExportId export)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/exports/{export}");
            request.Headers.Add("Prefer", "wait=60");
            using var http = NewHttp();
            return await (await http.SendAsync(request)).Content.ReadAsStringAsync();
        }
    }

    [Fact]
    public async Task Streams_and_long_polls_of_the_feed_share_one_look_and_what_it_finds()
    {
        var asked = await lab.AskAsync();
        using var statements = Listen();
        var streams = Enumerable.Range(0, Many).Select(at => NextAsync(isStream: at % 2 == 0)).ToList();
        await Eventually.TrueAsync(
            () => Task.FromResult(statements.Count("SELECT f.forgotten") - statements.Count(Reading) >= Many));
        var (watch, before) = (Stopwatch.StartNew(), statements.Count("SELECT head FROM event_feed"));
        await Eventually.TrueAsync(() => Task.FromResult(statements.Count("SELECT head FROM event_feed") >= before + 2));
        Assert.InRange(statements.Count("SELECT head FROM event_feed") - before, 2, (watch.Elapsed.TotalSeconds / 2) + 2);

        var reads = statements.Count(Reading);
        Assert.True(await lab.RevokeAsync(asked.Batch));
        using var relay = ActivatorUtilities.CreateInstance<OutboxRelay>(lab.Get<IServiceProvider>());
        await relay.StartAsync(default);
        var told = await Task.WhenAll(streams);
        await relay.StopAsync(default);

        Assert.All(told, text => Assert.Contains(asked.Batch.ToString(), text, StringComparison.Ordinal));
        // One page for the streams and one for the long polls, whose limits differ; and one more each for
        // those that came meanwhile.
        Assert.InRange(statements.Count(Reading) - reads, 1, 10);

        async Task<string> NextAsync(bool isStream)
        {
            using var http = NewHttp();
            using var request = new HttpRequestMessage(HttpMethod.Get, isStream ? "/v1/events" : "/v1/events?wait=60&limit=7");
            if (isStream)
                request.Headers.Add("Accept", "text/event-stream");
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
            if (!isStream)
                return await reader.ReadToEndAsync();
            while (await reader.ReadLineAsync() is { } line)
            {
                if (line.StartsWith("data:", StringComparison.Ordinal))
                    return line;
            }

            return "";
        }
    }

    private const string Reading = "WHERE position > @position";
    private const string Looking = "batch_id = ANY(@batches) AND state = 'ready'";
    private const string Finding = "FROM exports WHERE id = @Id AND tenant";
    private const string Settled = "FROM exports WHERE id = ANY(@exports) AND state NOT IN";

    private CatalogStatements Listen() => new(new NpgsqlConnectionStringBuilder(lab.Catalog.ConnectionString).Database!);

    private HttpClient NewHttp() => new(new SocketsHttpHandler { UseProxy = false })
    {
        BaseAddress = lab.Http.BaseAddress,
        Timeout = TimeSpan.FromMinutes(2),
    };

    // Reads the head of the answer, and then nothing.
    private async Task<Socket> OpenAsync(string path)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 16 << 10 };
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, lab.Http.BaseAddress!.Port));
        await socket.SendAsync(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        var head = new byte[12];
        await socket.ReceiveAsync(head);
        Assert.Equal("HTTP/1.1 200", Encoding.ASCII.GetString(head));
        return socket;
    }

    private static async Task<long> DrainAsync(Socket socket)
    {
        using (socket)
        {
            // A little at a time: a quick reader would have had all before the look.
            var buffer = new byte[4 << 10];
            var read = 0L;
            try
            {
                while (await socket.ReceiveAsync(buffer) is > 0 and var got)
                {
                    read += got;
                    await Task.Delay(50);
                }
            }
            catch (SocketException)
            {
                // Cut off.
            }

            return read;
        }
    }
}
