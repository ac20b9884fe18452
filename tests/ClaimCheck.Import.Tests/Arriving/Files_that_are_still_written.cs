using System.Text;
using ClaimCheck.Import.Arriving;
using ClaimCheck.Import.Reading;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ClaimCheck.Import.Tests.Arriving;

/// <summary>Size and time are a guess: a run has completed once its file is found to be what was read, and not before.</summary>
public sealed class Files_that_are_still_written : IAsyncLifetime
{
    private RecordEndpoint endpoint = null!;
    private ImportScene scene = null!;
    private string feed = "";

    public async Task InitializeAsync()
    {
        endpoint = await RecordEndpoint.StartAsync();
        scene = ImportScene.For(endpoint.Address);
        feed = scene.Options.Source = Path.Combine(scene.Folder, "feed");
        scene.Options.Arrival.Settle = TimeSpan.FromMilliseconds(50);
        Directory.CreateDirectory(feed);
    }

    public async Task DisposeAsync()
    {
        await endpoint.DisposeAsync();
        await scene.DisposeAsync();
    }

    [Theory]
    [InlineData("stable")]
    [InlineData("rename")]
    [InlineData("marker")]
    public async Task A_file_that_is_open_for_writing_is_refused_whatever_its_size_time_or_marker_says(string complete)
    {
        (scene.Options.Arrival.Complete, scene.Options.Arrival.Settle) = (complete, TimeSpan.Zero);
        var path = scene.Write("feed/a.csv", ImportScene.Csv(3));
        scene.Write("feed/a.csv.done", "");
        var source = new FolderSource(feed, scene.Options.Arrival, TimeProvider.System);
        await using (new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite))
        {
            for (var look = 0; look < 3; look++)
            {
                var seen = await source.LookAsync(default);
                Assert.Equal((0, false, "a.csv"), (seen.Arrivals.Count, seen.IsSettled, Assert.Single(seen.Open)));
            }
            Assert.Equal("file_open", (await Assert.ThrowsAsync<ImportException>(() => scene.ImportAsync(path))).Code);
        }

        await using var reader = File.OpenRead(path);
        Assert.Equal("a.csv", Assert.Single((await source.LookAsync(default)).Arrivals).Name);
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(false, 7)]
    [InlineData(true, 0)]
    public async Task A_file_that_grows_after_it_was_taken_is_imported_to_its_end_and_each_record_once(bool isGzip, int cutWithin)
    {
        // Half of it, its last record perhaps cut; the writer continues while the first half is being sent.
        var whole = ImportScene.Csv(700);
        var half = whole.IndexOf("o0000351", StringComparison.Ordinal) + cutWithin;
        var goesOn = 0;
        endpoint.Instead = (_, _) =>
        {
            if (Interlocked.Exchange(ref goesOn, 1) == 0)
            {
                using var file = new FileStream(Taken("a.csv"), FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
                file.Write(Bytes(whole[half..]));
            }
            return Task.FromResult(false);
        };
        // Transient failures are read again, from the file that has grown, into the same batches.
        endpoint.StatusOf = (id, times) => id == "o0000345" && times < 3 ? 503 : 200;
        scene.Write("feed/a.csv", Bytes(whole[..half]));
        await scene.WatchOnceAsync();

        var run = Assert.Single(await scene.Runs.ListAsync(10, default));
        Assert.Equal(("completed", 700, 700), (run.State, run.Counts.Records, run.Counts.Succeeded));
        Assert.Equal(700, endpoint.Succeeded.Count);
        Assert.All(endpoint.Succeeded.Values, times => Assert.Equal(1, times));
        Assert.Empty(endpoint.BrokenKeys);
        var done = Path.Combine(feed, "done", "a.csv");
        Assert.Equal(FileChange.None, await Inspection.CompareAsync(done, new FileInfo(done).Length, run.Sha256!, default));

        byte[] Bytes(string text) => isGzip ? ImportScene.Gzip(text) : Encoding.UTF8.GetBytes(text);
    }

    [Fact]
    public async Task A_file_that_becomes_another_one_has_not_completed_and_its_run_says_so()
    {
        var changed = 0;
        endpoint.Instead = (_, _) =>
        {
            if (Interlocked.Exchange(ref changed, 1) == 0)
                File.WriteAllText(Taken("a.csv"), ImportScene.Csv(20, from: 500));
            return Task.FromResult(false);
        };
        scene.Write("feed/a.csv", ImportScene.Csv(20));
        await scene.WatchOnceAsync();

        var run = Assert.Single(await scene.Runs.ListAsync(10, default));
        Assert.Equal(("failed", "file_changed"), (run.State, run.Failure?.Code));
        Assert.True(File.Exists(Path.Combine(feed, "failed", "a.csv")));
    }

    [Fact]
    public async Task A_last_record_without_a_line_end_waits_for_all_others()
    {
        scene.Write("feed/a.csv", ImportScene.Csv(250).TrimEnd('\n'));
        await scene.WatchOnceAsync();
        Assert.Equal(250, endpoint.Succeeded.Count);
        Assert.Equal("o0000250", (string?)Assert.Single(endpoint.All.Last().Items)!["id"]);
    }

    [Fact]
    public async Task A_file_that_is_too_large_fails_before_it_is_read()
    {
        scene.Options.Reading.FileBytes = 1024;
        scene.Write("feed/a.csv", ImportScene.Csv(100));
        await scene.WatchOnceAsync();
        Assert.Equal("file_too_large", Assert.Single(await scene.Runs.ListAsync(10, default)).Failure?.Code);
    }

    [Theory]
    [InlineData(200, "ignores If-None-Match")]
    [InlineData(501, "refuses If-None-Match")]
    public async Task A_store_whose_conditional_writes_do_not_hold_is_named_at_the_start(int status, string said)
    {
        // Takes whatever is put, as stores did that did not know the condition.
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var store = builder.Build();
        var left = new HashSet<string>(StringComparer.Ordinal);
        store.MapPut("/{bucket}/{**key}", (string key) =>
        {
            left.Add(key);
            return status == 200
                ? Results.Ok()
                : Results.Text("<Error><Code>NotImplemented</Code></Error>", "application/xml", statusCode: status);
        });
        store.MapDelete("/{bucket}/{**key}", (string key) =>
        {
            left.Remove(key);
            return Results.NoContent();
        });
        await store.StartAsync();
        var address = new Uri(
            store.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        var config = scene.WriteConfig(endpoint.Address);
        await using var tool = ToolProcess.Start(
            new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["AWS_ENDPOINT_URL_S3"] = address.AbsoluteUri,
                ["AWS_ACCESS_KEY_ID"] = "a",
                ["AWS_SECRET_ACCESS_KEY"] = "b",
                ["AWS_REGION"] = "us-east-1",
            },
            ["import", "start", "--config", config, "--watch", "s3://feeds/orders/", "--once"]);
        var result = await tool.EndAsync();

        Assert.Contains(said, result.Errors);
        Assert.Contains(address.Authority, result.Errors);
        Assert.Contains("bucket feeds", result.Errors);
        Assert.Empty(left);
    }

    // Where a run has taken a file to.
    private string Taken(string name) =>
        Assert.Single(Directory.EnumerateFiles(Path.Combine(feed, ".claimcheck"), name, SearchOption.AllDirectories));
}
