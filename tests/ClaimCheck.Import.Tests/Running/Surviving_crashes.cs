
namespace ClaimCheck.Import.Tests.Running;

/// <summary>A killed run continues where it was, and what was recorded as succeeded is not sent again.</summary>
public sealed class Surviving_crashes : IAsyncLifetime
{
    private const int Records = 4000;

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

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    public async Task Killed_at_any_moment_each_record_still_ends_once(int seed)
    {
        var random = new Random(seed);
        int Roll(string id, int times) => new Random((int.Parse(id[1..]) * 31) + (seed * 1_000_003) + times).Next(100);
        endpoint.StatusOf = (id, times) => Roll(id, times) switch { < 90 => 200, < 97 => 503, _ => 422 };
        // Answers take their time, so that there is a moment to be killed in before and after each; what comes after the call
        // that is waited for gets none, however late the kill is.
        var until = 0;
        endpoint.Instead = async (_, context) =>
        {
            var isLate = endpoint.All.Count > Volatile.Read(ref until);
            await Task.Delay(isLate ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(15), context.RequestAborted)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return isLate;
        };
        var file = scene.Write(
            "orders.csv", ImportScene.Csv(Records) + string.Concat(Enumerable.Range(0, 40).Select(i => $"o8{i:D6},x,\n")));
        var config = scene.WriteConfig(endpoint.Address);
        string[] command = ["import", "start", file, "--config", config, "--json"];
        var kills = 0;
        ToolResult? ended = null;
        while (ended is null)
        {
            // Once it works, it is killed a few calls later, of the forty at least that it takes; what the endpoint has
            // answered by then is chance.
            Volatile.Write(ref until, kills < 6 ? endpoint.All.Count + random.Next(1, 9) : int.MaxValue);
            await using var tool = ToolProcess.Start(command);
            while (kills < 6 && !tool.HasExited && endpoint.All.Count < until)
                await Task.Delay(random.Next(1, 8));
            if (kills < 6 && !tool.HasExited)
            {
                tool.Kill();
                kills++;
                continue;
            }
            ended = await tool.EndAsync();
        }
        ended.Exits(8);

        Assert.True(kills >= 4, $"It was killed {kills} times only.");
        var run = ended.Json;
        Assert.Single(await scene.Runs.ListAsync(10, default));
        Assert.Equal("completed", (string?)run["state"]);
        Assert.Equal(40, (long)run["counts"]!["invalid"]!);
        Assert.Equal(endpoint.Succeeded.Count, (long)run["counts"]!["succeeded"]!);
        Assert.Empty(endpoint.BrokenKeys);
        // The endpoint honours the key, and so nothing took effect twice, noted or not.
        Assert.All(
            endpoint.Succeeded, record => Assert.True(record.Value == 1, $"{record.Key} took effect {record.Value} times."));
        var failed = await scene.FailuresAsync((string)run["runId"]!);
        Assert.Equal(failed.Count, failed.Select(line => (long)line["line"]!).Distinct().Count());
        Assert.Equal(
            Enumerable.Range(1, Records).Select(i => $"o{i:D7}"),
            failed.Where(line => (string?)line["class"] != "invalid").Select(line => (string)line["key"]!)
                .Concat(endpoint.Succeeded.Keys).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_was_noted_as_good_is_not_sent_again_even_where_the_endpoint_forgets_its_keys()
    {
        // Everything is refused after the fifth call, so that the process has surely noted the first few when it is killed.
        var good = 0;
        var refuse = true;
        endpoint.Instead = (_, context) =>
        {
            if (refuse && Interlocked.Increment(ref good) > 5)
                context.Response.StatusCode = 503;
            return Task.FromResult(context.Response.StatusCode == 503);
        };
        var file = scene.Write("orders.csv", ImportScene.Csv(1000));
        scene.Options.Retry.Rounds = 1000;
        var config = scene.WriteConfig(endpoint.Address);
        await using (var tool = ToolProcess.Start("import", "start", file, "--config", config))
        {
            await Testing.Eventually.TrueAsync(
                async () => (await scene.Runs.ListAsync(1, default)) is [{ Counts: { Succeeded: 500, Retrying: > 0 } }]);
            tool.Kill();
        }
        var noted = endpoint.Calls.Keys.ToHashSet(StringComparer.Ordinal);
        Assert.Equal(5, noted.Count);
        refuse = false;
        endpoint.All.Clear();
        var run = await scene.ImportAsync(file);

        Assert.Equal((1000, "completed"), (run.Counts.Succeeded, run.State));
        Assert.DoesNotContain(endpoint.All, call => noted.Contains(call.IdempotencyKey));
        Assert.Equal(5, endpoint.All.Count);
    }

    [Fact]
    public async Task A_journal_that_a_crash_cut_off_is_read_up_to_its_last_whole_line()
    {
        var file = scene.Write("orders.csv", ImportScene.Csv(300));
        endpoint.StatusOf = (id, _) => id == "o0000150" ? 400 : 200;
        var run = await scene.ImportAsync(file);
        var directory = scene.Runs.DirectoryOf(run.RunId);
        // As after a power failure while the last batch was recorded: half a line here, a failure there without an entry.
        var journal = File.ReadAllLines(directory.Journal);
        var last = Array.FindLastIndex(journal, line => line.Contains("\"round\"", StringComparison.Ordinal));
        File.WriteAllText(directory.Journal, string.Join('\n', journal[..last]) + "\n" + journal[last][..10]);
        File.AppendAllText(directory.Rejects, "{\"line\":1,\"cla");
        await directory.SaveAsync(
            (await directory.LoadAsync(default))! with { State = "running", EndedAt = null, IsSettled = false });
        endpoint.All.Clear();
        var resumed = await scene.ImportAsync(file);

        Assert.Equal((run.RunId, 299, 1), (resumed.RunId, resumed.Counts.Succeeded, resumed.Counts.Failed));
        Assert.Single(endpoint.All);
        Assert.Single(await scene.FailuresAsync(run.RunId));
    }

    [Fact]
    public async Task A_file_that_went_away_and_came_back_is_gone_on_with()
    {
        endpoint.StatusOf = (id, times) => id == "o0000001" && times < 3 ? 503 : 200;
        scene.Options.Retry.RoundDelay = scene.Options.Retry.LongestRoundDelay = TimeSpan.FromSeconds(1);
        var file = scene.Write("orders.csv", ImportScene.Csv(10));
        using var runner = scene.Runner();
        var away = file + ".away";
        await Assert.ThrowsAsync<IOException>(() => runner.StartAsync(
            file,
            false,
            null,
            run =>
            {
                if (run.Counts.Retrying > 0 && File.Exists(file))
                    File.Move(file, away);
            },
            CancellationToken.None));
        File.Move(away, file);
        var run = await scene.ImportAsync(file);

        Assert.Equal((10, "completed"), (run.Counts.Succeeded, run.State));
        Assert.All(endpoint.Succeeded.Values, times => Assert.Equal(1, times));
    }

    [Fact]
    public async Task A_file_that_changed_meanwhile_is_not_mixed_with_what_was_sent_of_it()
    {
        endpoint.Instead = (_, context) =>
        {
            context.Response.StatusCode = 503;
            return Task.FromResult(true);
        };
        var file = scene.Write("orders.csv", ImportScene.Csv(10));
        using (var stop = new CancellationTokenSource())
        {
            using var runner = scene.Runner();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(
                () => runner.StartAsync(file, false, null, _ => stop.Cancel(), stop.Token));
        }
        endpoint.Instead = (_, _) => Task.FromResult(false);
        scene.Write("orders.csv", ImportScene.Csv(20, from: 500));
        var run = await scene.ImportAsync(file);

        Assert.Equal((20, "completed"), (run.Counts.Succeeded, run.State));
        Assert.Equal(["completed", "failed"], (await scene.Runs.ListAsync(5, default)).Select(each => each.State));
        Assert.DoesNotContain("o0000001", endpoint.Asked.Keys);
    }
}
