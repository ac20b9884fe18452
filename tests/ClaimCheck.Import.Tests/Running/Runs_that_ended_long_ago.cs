using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClaimCheck.Import.Tests.Running;

/// <summary>A run's directory goes once its retention is over; what it did is not forgotten by that.</summary>
public sealed class Runs_that_ended_long_ago : IAsyncLifetime
{
    private readonly Later later = new();
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
    public async Task Are_removed_and_their_content_is_still_imported_once()
    {
        var (old, kept) = (scene.Write("old.csv", ImportScene.Csv(10)), scene.Write("kept.csv", ImportScene.Csv(5, from: 100)));
        var first = await ImportAsync(old);
        scene.Runs.DirectoryOf(ImportRuns.NewId()).Create(); // as if a process had died before it wrote what the run is
        later.By(TimeSpan.FromDays(29));
        var second = await ImportAsync(kept);
        Assert.True(scene.Runs.Has(first.RunId));

        later.By(TimeSpan.FromDays(2));
        var again = await ImportAsync(old);
        Assert.False(scene.Runs.Has(first.RunId));
        Assert.True(scene.Runs.Has(second.RunId));
        Assert.Equal(("failed", "already_imported"), (again.State, again.Failure?.Code));
        Assert.Equal(first.Sha256, again.Sha256);
        Assert.Contains($"{first.RunId}, which was completed and has been deleted since", again.Failure!.Detail);
        Assert.Equal(15, endpoint.Succeeded.Count);
        Assert.All(endpoint.Succeeded.Values, times => Assert.Equal(1, times));
        // Nothing but what is kept is left, and what is asked for again is imported again.
        Assert.Equal([.. new[] { second.RunId, again.RunId }.Order(StringComparer.Ordinal)], Directories());
        Assert.Equal("completed", (await ImportAsync(old, again: true)).State);
    }

    [Fact]
    public async Task Count_for_nothing_where_nothing_was_sent_or_somebody_removed_them()
    {
        scene.Options.Reading.Records = 5;
        var file = scene.Write("long.csv", ImportScene.Csv(10));
        Assert.Equal("failed", (await ImportAsync(file)).State);
        later.By(TimeSpan.FromDays(31));
        scene.Options.Reading.Records = 100;
        var run = await ImportAsync(file);
        Assert.Equal("completed", run.State);

        Directory.Delete(scene.Runs.DirectoryOf(run.RunId).Path, recursive: true);
        Assert.Equal("completed", (await ImportAsync(file)).State);
    }

    [Fact]
    public async Task Stay_where_they_have_not_come_to_their_end()
    {
        endpoint.StatusOf = (_, _) => 503;
        scene.Options.Retry.Rounds = 1000;
        using (var stop = new CancellationTokenSource())
        using (var runner = Runner())
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => runner.StartAsync(
                scene.Write("broken.csv", ImportScene.Csv(10)), false, null,
                run => { if (run.Counts.Retrying > 0) stop.Cancel(); }, stop.Token));
        }

        later.By(TimeSpan.FromDays(400));
        endpoint.StatusOf = (_, _) => 200;
        await ImportAsync(scene.Write("other.csv", ImportScene.Csv(1, from: 50)));
        var resumed = await ImportAsync(Path.Combine(scene.Folder, "broken.csv"));

        Assert.Equal(("completed", 10), (resumed.State, resumed.Counts.Succeeded));
        Assert.Equal(2, Directories().Count);
    }

    [Fact]
    public async Task Go_after_the_run_that_they_retry()
    {
        endpoint.StatusOf = (id, times) => id == "o0000003" ? 422 : 200;
        var run = await ImportAsync(scene.Write("orders.csv", ImportScene.Csv(10)));
        using (var runner = Runner())
            await runner.RetryAsync(run.RunId, [RejectClass.Terminal], null, _ => { }, CancellationToken.None);
        // As if the run had ended later than its retry: it names it, and would make it again.
        var directory = scene.Runs.DirectoryOf(run.RunId);
        await directory.SaveAsync((await directory.LoadAsync(default))! with { EndedAt = later.GetUtcNow().AddDays(1) });
        later.By(TimeSpan.FromDays(30.5));
        await ImportAsync(scene.Write("other.csv", ImportScene.Csv(1, from: 50)));
        Assert.Equal(3, Directories().Count);

        later.By(TimeSpan.FromDays(1));
        await ImportAsync(scene.Write("another.csv", ImportScene.Csv(1, from: 51)));
        Assert.Equal(2, Directories().Count);
    }

    [Fact]
    public async Task Are_read_once_by_a_process_and_one_that_is_damaged_keeps_no_other_waiting()
    {
        var ended = await ImportAsync(scene.Write("orders.csv", ImportScene.Csv(10)));
        var runs = scene.Runs;
        Assert.Equal(1, (await runs.StatesAsync(default))["completed"]);
        var document = Path.Combine(runs.DirectoryOf(ended.RunId).Path, "run.json");
        await File.WriteAllTextAsync(document, new JsonObject { ["runId"] = 7 }.ToJsonString());

        Assert.Equal(1, (await runs.StatesAsync(default))["completed"]);
        Assert.Empty(await scene.Runs.StatesAsync(default));
        Assert.Equal("completed", (await ImportAsync(scene.Write("more.csv", ImportScene.Csv(10, from: 100)))).State);
        // Whether the content was sent is not known: it is not sent again.
        await Assert.ThrowsAsync<IOException>(() => ImportAsync(Path.Combine(scene.Folder, "orders.csv")));
        Assert.All(endpoint.Succeeded.Values, times => Assert.Equal(1, times));
    }

    private ImportRunner Runner() => new(scene.Options, later, NullLogger.Instance);

    private async Task<ImportRun> ImportAsync(string file, bool again = false)
    {
        using var runner = Runner();
        return await runner.StartAsync(file, again, null, _ => { }, CancellationToken.None);
    }

    private List<string> Directories() =>
        [.. Directory.EnumerateFileSystemEntries(Path.Combine(scene.State, "runs")).Select(path => Path.GetFileName(path))
            .Order(StringComparer.Ordinal)];

    private sealed class Later : TimeProvider
    {
        private TimeSpan offset;

        public void By(TimeSpan time) => offset += time;

        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + offset;
    }
}
