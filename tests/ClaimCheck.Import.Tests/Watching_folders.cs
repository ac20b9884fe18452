using ClaimCheck.Testing;

namespace ClaimCheck.Import.Tests;

/// <summary>A file is taken when it is complete, once, and is found again by its outcome.</summary>
public sealed class Watching_folders : IAsyncLifetime
{
    private RecordEndpoint endpoint = null!;
    private ImportScene scene = null!;
    private string feed = "";

    public async Task InitializeAsync()
    {
        endpoint = await RecordEndpoint.StartAsync();
        scene = ImportScene.For(endpoint.Address);
        feed = scene.Options.Source = Path.Combine(scene.Folder, "feed");
        Directory.CreateDirectory(feed);
    }

    public async Task DisposeAsync()
    {
        await endpoint.DisposeAsync();
        await scene.DisposeAsync();
    }

    [Fact]
    public async Task Files_move_on_to_done_or_failed_and_others_are_left_alone()
    {
        scene.Write("feed/a.csv", ImportScene.Csv(10));
        scene.Write("feed/b.ndjson.gz", ImportScene.Gzip("""{"order_id":"x","total":1}"""));
        scene.Write("feed/broken.csv", "");
        scene.Write("feed/.hidden.csv", ImportScene.Csv(1));
        scene.Write("feed/notes.txt", "not for us");
        File.CreateSymbolicLink(Path.Combine(feed, "link.csv"), scene.Write("secret.csv", ImportScene.Csv(3, from: 7000)));
        await scene.WatchOnceAsync();

        Assert.Equal(["a.csv", "b.ndjson.gz"], Names("done"));
        Assert.Equal(["broken.csv"], Names("failed"));
        Assert.Equal([".hidden.csv", "link.csv", "notes.txt"], Names(""));
        Assert.Equal(11, endpoint.Succeeded.Count);
        Assert.Equal(3, (await scene.Runs.ListAsync(10, default)).Count);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(feed, ".claimcheck")));
    }

    [Fact]
    public async Task A_file_that_is_still_being_written_is_waited_for()
    {
        scene.Options.Arrival.Settle = TimeSpan.FromSeconds(2);
        using var stop = new CancellationTokenSource();
        using var runner = scene.Runner();
        var watching = runner.WatchAsync(once: false, again: false, null, _ => { }, stop.Token);
        var text = ImportScene.Csv(400);
        await using (var file = new FileStream(Path.Combine(feed, "slow.csv"), FileMode.Create, FileAccess.Write, FileShare.Read))
        {
            // In pieces, for much longer than it takes to be looked at, and than a pause counts for.
            for (var at = 0; at < text.Length; at += 200)
            {
                file.Write(System.Text.Encoding.UTF8.GetBytes(text[at..Math.Min(at + 200, text.Length)]));
                await file.FlushAsync();
                await Task.Delay(60);
            }
            Assert.Empty(await scene.Runs.ListAsync(1, default));
        }
        await Eventually.TrueAsync(async () => (await scene.Runs.ListAsync(1, default)) is [{ State: "completed", Counts.Succeeded: 400 }]);
        await Eventually.TrueAsync(() => Task.FromResult(Names("done") is ["slow.csv"]));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watching);
    }

    [Fact]
    public async Task A_marker_says_that_a_file_is_complete_and_goes_along_with_it()
    {
        scene.Options.Arrival.Complete = "marker";
        scene.Write("feed/a.csv", ImportScene.Csv(5));
        scene.Write("feed/b.csv", ImportScene.Csv(5, from: 100));
        scene.Write("feed/a.csv.done", "");
        using var stop = new CancellationTokenSource();
        using var runner = scene.Runner();
        var watching = runner.WatchAsync(once: false, again: false, null, _ => { }, stop.Token);
        await Eventually.TrueAsync(() => Task.FromResult(Names("done") is ["a.csv", "a.csv.done"]));
        Assert.Equal(["b.csv"], Names(""));
        // The next file of this name has no marker yet.
        scene.Write("feed/a.csv", "half of");
        scene.Write("feed/b.csv.done", "");
        await Eventually.TrueAsync(() => Task.FromResult(Names("done").Count == 4));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watching);
        Assert.Equal(["a.csv"], Names(""));
        Assert.Equal(10, endpoint.Succeeded.Count);
    }

    [Fact]
    public async Task The_same_content_is_imported_once_unless_asked_for_again()
    {
        scene.Write("feed/monday.csv", ImportScene.Csv(10));
        await scene.WatchOnceAsync();
        var first = (await scene.Runs.ListAsync(1, default))[0];
        scene.Write("feed/tuesday.csv", ImportScene.Csv(10));
        await scene.WatchOnceAsync();
        var second = (await scene.Runs.ListAsync(1, default))[0];

        Assert.Equal(("failed", "already_imported"), (second.State, second.Failure?.Code));
        Assert.Contains(first.RunId, second.Failure!.Detail);
        Assert.Equal(["tuesday.csv"], Names("failed"));
        var again = await scene.ImportAsync(Path.Combine(feed, "failed", "tuesday.csv"), again: true);
        Assert.Equal(("completed", 10), (again.State, again.Counts.Succeeded));
        // Another feed is another matter.
        scene.Options.Name = "customers";
        Assert.Equal("completed", (await scene.ImportAsync(Path.Combine(feed, "failed", "tuesday.csv"))).State);
        Assert.All(endpoint.Succeeded.Values, times => Assert.Equal(3, times));
    }

    [Fact]
    public async Task Many_watchers_share_the_files_of_a_folder()
    {
        scene.Options.Arrival.Complete = "rename";
        for (var i = 0; i < 60; i++)
            scene.Write($"feed/{i}.csv", ImportScene.Csv(20, from: 1 + (i * 20)));
        // Some share their state, as processes of one machine; others do not, as those of several.
        var watchers = Enumerable.Range(0, 4).Select(async i =>
        {
            await using var other = ImportScene.For(endpoint.Address);
            using var runner = new ImportRunner(
                With(other.Options, i < 2 ? scene.State : other.State), TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
            await runner.WatchAsync(once: true, again: false, null, _ => { }, CancellationToken.None);
        });
        await Task.WhenAll(watchers);

        Assert.Equal(60, Names("done").Count);
        Assert.Equal(1200, endpoint.Succeeded.Count);
        Assert.All(endpoint.Succeeded.Values, times => Assert.Equal(1, times));
    }

    [Fact]
    public async Task A_run_that_another_watcher_gave_up_is_neither_taken_nor_active()
    {
        var run = scene.Runs.DirectoryOf(ImportRuns.NewId());
        run.Create();
        using (var held = await run.TryLockAsync(default))
        {
            Assert.NotNull(held);
            Assert.True(run.IsActive);
            Assert.Null(await run.TryLockAsync(default));
            Directory.Delete(run.Path, recursive: true);
            Assert.Null(await run.TryLockAsync(default));
        }

        Assert.False(run.IsActive);
        Assert.False(Directory.Exists(run.Path));
    }

    [Fact]
    public async Task What_a_killed_watcher_had_taken_is_gone_on_with()
    {
        var refuse = true;
        endpoint.Instead = (_, context) =>
        {
            context.Response.StatusCode = refuse ? 503 : 200;
            return Task.FromResult(refuse);
        };
        scene.Options.Retry.Rounds = 1000;
        scene.Write("feed/a.csv", ImportScene.Csv(50));
        var config = scene.WriteConfig(endpoint.Address);
        await using (var tool = ToolProcess.Start("import", "start", "--watch", feed, "--config", config))
        {
            await Eventually.TrueAsync(() => Task.FromResult(endpoint.All.Count > 3));
            tool.Kill();
        }
        Assert.Empty(Names("done"));
        refuse = false;
        await using var next = ToolProcess.Start("import", "start", "--config", config, "--once", "--json");
        var ended = (await next.EndAsync()).Exits(0);

        Assert.Equal("completed", (string?)Assert.Single(ended.JsonLines)["state"]);
        Assert.Equal(["a.csv"], Names("done"));
        Assert.All(endpoint.Succeeded.Values, times => Assert.Equal(1, times));
    }

    private List<string> Names(string folder) => Directory.Exists(Path.Combine(feed, folder))
        ? [.. Directory.EnumerateFiles(Path.Combine(feed, folder)).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)]
        : [];

    private ImportOptions With(ImportOptions options, string state)
    {
        (options.State, options.Source, options.Arrival.Complete) = (state, feed, "rename");
        return options;
    }
}
