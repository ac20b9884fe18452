using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;

namespace ClaimCheck.Import.Tests.Reading;

/// <summary>The largest feed takes no more memory than a small one.</summary>
public sealed class A_million_records : IAsyncLifetime
{
    private const int Records = 1_000_000;
    private const long Allowed = 200L << 20;

    private RecordEndpoint endpoint = null!;
    private ImportScene scene = null!;

    public async Task InitializeAsync()
    {
        endpoint = await RecordEndpoint.StartAsync();
        scene = ImportScene.For(endpoint.Address);
    }

    public async Task DisposeAsync()
    {
        await endpoint.DisposeAsync();
        await scene.DisposeAsync();
    }

    [Fact]
    public async Task Are_sent_in_bounded_memory()
    {
        var path = Path.Combine(scene.Folder, "orders.csv.gz");
        await using (var gzip = new GZipStream(File.Create(path), CompressionLevel.Fastest))
        await using (var text = new StreamWriter(gzip, new UTF8Encoding(false), 1 << 16))
        {
            await text.WriteLineAsync("order_id,total,note");
            for (var i = 0; i < Records; i++)
                await text.WriteLineAsync(string.Create(
                    CultureInfo.InvariantCulture, $"o{i:D7},{i}.50,\"a note of some length, as people write them: {i}\""));
        }
        scene.Options.BatchSize = 1000;
        endpoint.Quick = Good(1000);
        await using var tool = ToolProcess.Start(
            "import", "start", path, "--config", scene.WriteConfig(endpoint.Address), "--json");
        long peak = 0;
        while (!tool.HasExited)
        {
            peak = Math.Max(peak, tool.PeakBytes);
            await Task.Delay(50);
        }
        var run = (await tool.EndAsync()).Exits(0).Json;

        Assert.Equal(Records, (int)run["counts"]!["succeeded"]!);
        Assert.Equal(1000, endpoint.QuickCalls);
        Assert.True(peak is > 0 and < Allowed, $"It took {peak >> 20} MiB.");
    }

    private static byte[] Good(int count) => JsonSerializer.SerializeToUtf8Bytes(
        new { items = Enumerable.Range(0, count).Select(index => new { index, status = 200 }) });
}
