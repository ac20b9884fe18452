using ClaimCheck.Import.Arriving;
using ClaimCheck.Import.Runs;
using ClaimCheck.Records.Disk;
using ClaimCheck.Testing;

namespace ClaimCheck.Import.Tests.Arriving;

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
        await Eventually.TrueAsync(
            async () => (await scene.Runs.ListAsync(1, default)) is [{ State: "completed", Counts.Succeeded: 400 }]);
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
                With(other.Options, i < 2 ? scene.State : other.State),
                TimeProvider.System,
                Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
            await runner.WatchAsync(once: true, again: false, null, _ => { }, CancellationToken.None);
        });
        await Task.WhenAll(watchers);

        Assert.Equal(60, Names("done").Count);
        Assert.Equal(1200, endpoint.Succeeded.Count);
        Assert.All(endpoint.Succeeded.Values, times => Assert.Equal(1, times));
    }

    [Fact]
    public async Task Names_that_are_long_or_strange_or_no_file_s_keep_no_other_waiting()
    {
        var longest = new string('x', 251) + ".csv";
        foreach (var (name, at)
            in new[] { (longest, 1), ("line\nbreak.csv", 2), ("-rf.csv", 3), ("a\\b*.csv", 4), ("ünï-😀.csv", 5) })
            scene.Write("feed/" + name, ImportScene.Csv(1, from: at));
        // A name that is no UTF-8, and a pipe that nobody writes to.
        await ShellAsync("echo order_id >\"$(printf 'no\\377.csv')\" && mkfifo pipe.csv");
        await scene.WatchOnceAsync();
        scene.Write("feed/" + longest, ImportScene.Csv(1, from: 6));
        await scene.WatchOnceAsync();

        Assert.Equal(6, endpoint.Succeeded.Count);
        Assert.Equal(6, Names("done").Count);
        Assert.Single(Names("done"), name =>
            name.StartsWith("imp_", StringComparison.Ordinal) && name.EndsWith("xxx.csv", StringComparison.Ordinal));
        Assert.Equal(2, Names("").Count);
        await ShellAsync("rm no*.csv");
    }

    [Fact]
    public async Task Files_of_one_name_that_are_settled_at_once_are_all_kept()
    {
        const int AtOnce = 8;
        for (var round = 0; round < 5; round++)
        {
            using var together = new Barrier(AtOnce);
            var runs = Enumerable.Range(0, AtOnce).Select(i => scene.Runs.DirectoryOf(ImportRuns.NewId())).ToList();
            await Task.WhenAll(runs.Select(directory => Task.Factory.StartNew(
                () =>
                {
                    var source = new FolderSource(feed, scene.Options.Arrival, TimeProvider.System);
                    var input = source.InputFor(new("a.csv", ""), directory);
                    scene.Write(input, directory.RunId);
                    scene.Write(input + ".done", directory.RunId);
                    var run = new RunDocument
                    {
                        RunId = directory.RunId,
                        Name = "orders",
                        File = "a.csv",
                        Source = Path.Combine(feed, "a.csv"),
                        Origin = RunOrigin.Folder,
                        Input = input,
                        State = RunState.Completed,
                        Limits = new(new(), new(), 1, 1),
                        StartedAt = default,
                    };
                    together.SignalAndWait();
                    Assert.True(source.SettleAsync(run, null!, directory, CancellationToken.None).IsCompletedSuccessfully);
                },
                TaskCreationOptions.LongRunning)));

            var files = Names("done").Where(name => name.EndsWith(".csv", StringComparison.Ordinal)).ToList();
            Assert.Equal(
                runs.Select(each => each.RunId).Order(StringComparer.Ordinal),
                files.Select(Content).Order(StringComparer.Ordinal));
            Assert.All(files, name => Assert.Equal(Content(name), Content(name + ".done")));
            Directory.Delete(Path.Combine(feed, "done"), recursive: true);
        }

        string Content(string name) => File.ReadAllText(Path.Combine(feed, "done", name));
    }

    [Fact]
    public async Task Of_two_that_want_a_name_one_gets_it_and_the_other_keeps_its_file()
    {
        const int Rounds = 2000;
        for (var i = 0; i < Rounds; i++)
        {
            scene.Write($"feed/0-{i}", "");
            scene.Write($"feed/1-{i}", "");
        }
        var (ready, got) = (new int[Rounds], new bool[2, Rounds]);
        await Task.WhenAll(Enumerable.Range(0, 2).Select(who => Task.Factory.StartNew(
            () =>
            {
                for (var i = 0; i < Rounds; i++)
                {
                    var (from, to) = (Path.Combine(feed, $"{who}-{i}"), Path.Combine(feed, $"to-{i}"));
                    Interlocked.Increment(ref ready[i]);
                    Assert.True(
                        SpinWait.SpinUntil(() => Volatile.Read(ref ready[i]) == 2, TimeSpan.FromSeconds(30)),
                        "The other one failed.");
                    got[who, i] = Durable.TryMove(from, to);
                }
            },
            TaskCreationOptions.LongRunning)));

        for (var i = 0; i < Rounds; i++)
            Assert.True(
                got[0, i] != got[1, i] && File.Exists(Path.Combine(feed, $"{(got[0, i] ? 1 : 0)}-{i}")),
                $"In round {i} it was not one that got it.");
        Assert.Equal(2 * Rounds, Directory.EnumerateFiles(feed).Count());
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

    // For names that .NET can't say.
    private async Task ShellAsync(string script)
    {
        using var shell = System.Diagnostics.Process.Start("sh", ["-c", $"cd \"$1\" && {script}", "sh", feed]);
        await shell.WaitForExitAsync();
        Assert.Equal(0, shell.ExitCode);
    }

    private List<string> Names(string folder) => Directory.Exists(Path.Combine(feed, folder))
        ? [.. Directory.EnumerateFiles(Path.Combine(feed, folder)).Select(path => Path.GetFileName(path))
            .Order(StringComparer.Ordinal)]
        : [];

    private ImportOptions With(ImportOptions options, string state)
    {
        (options.State, options.Source, options.Arrival.Complete) = (state, feed, "rename");
        return options;
    }
}
