using System.Collections.Concurrent;
using ClaimCheck.Consumer.Tests.Handling;
using ClaimCheck.Contracts;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.Hosting;

namespace ClaimCheck.Consumer.Tests.Inbox;

/// <summary>Whatever goes wrong, and wherever: the outcomes add up, and what succeeded took effect once.</summary>
public sealed class Random_outcomes
{
    private const int Records = 60;

    [Fact]
    public void Outcomes_add_up_and_effects_happen_once()
    {
        var cases =
            from seed in Gen.Choose(0, int.MaxValue)
            from chunk in Gen.Choose(1, 12)
            from duplicates in Gen.Choose(0, 3)
            from processes in Gen.Choose(1, 2)
            select (seed, chunk, duplicates, processes);

        Prop.ForAll(cases.ToArbitrary(), each =>
            Task.Run(() => CheckAsync(each.seed, each.chunk, each.duplicates, each.processes)).GetAwaiter().GetResult())
            .Check(Config.QuickThrowOnFailure.WithMaxTest(4));
    }

    private static async Task CheckAsync(int seed, int size, int duplicates, int processes)
    {
        await using var scene = await RecordScene.CreateAsync(Records);
        var random = new ConcurrentQueue<int>(Draw(seed));
        var (trouble, deaf) = (6, 0);
        var (standsStill, abandoned) = (new TaskCompletionSource(), new TaskCompletionSource());
        var doing = new Doing<Order>
        {
            Handle = async (chunk, cancellationToken) =>
            {
                foreach (var order in chunk)
                {
                    if (OutcomeOf(order.Value.Id, seed) == 1)
                        order.FailTransient("db_down");
                    else if (OutcomeOf(order.Value.Id, seed) == 2)
                        order.FailTerminal("unknown_customer");
                }
                await RecordScene.ApplyAsync(chunk, cancellationToken, order => OutcomeOf(order.Value.Id, seed) is 1 or 2);
                if (!random.TryDequeue(out var what) || what % 4 > 2 || Interlocked.Decrement(ref trouble) < 0)
                    return;
                switch (what % 3)
                {
                    case 0:
                        throw new InvalidOperationException("At random.");
                    case 1:
                    case 2 when Interlocked.Exchange(ref deaf, 1) == 1:
                        await scene.ExecuteAsync($"SELECT pg_terminate_backend({chunk.Connection.ProcessID})");
                        break;
                    default:
                        standsStill.SetResult();
                        await abandoned.Task; // deaf to its cancellation, until its batch is long another's
                        break;
                }
            },
        };
        scene.Service.Publish([.. Enumerable.Range(0, duplicates + 1).Select(_ => scene.Service.Ready())]);

        var hosts = new List<IHost>();
        for (var i = 0; i < processes; i++)
            hosts.Add(await StartAsync());
        // A process that stands still is replaced, as its host would; from everything else they recover.
        if (await Task.WhenAny(scene.EndedAsync(), standsStill.Task) == standsStill.Task)
        {
            var stopping = hosts.ConvertAll(host => host.StopAsync());
            await StartAsync();
            await Task.WhenAll(stopping);
        }

        var ended = await scene.EndedAsync();
        abandoned.SetResult();
        var applied = await scene.AppliedAsync();
        var failed = scene.Service.Failures(RecordScene.Consumer);
        Assert.Equal(Records, ended.Succeeded + ended.Transient + ended.Terminal);
        Assert.Equal(ended.Succeeded, applied.Count);
        Assert.All(applied, each => Assert.Equal(1, each.Value));
        Assert.Equal(ended.Transient, failed.Count(each => each.Class == FailureClass.Transient));
        Assert.Equal(ended.Terminal, failed.Count(each => each.Class == FailureClass.Terminal));
        Assert.Equal(
            Enumerable.Range(1, Records).Select(i => (long)i),
            applied.Keys.Concat(failed.Select(each => long.Parse(each.Key))).Order());
        Assert.All(failed.Where(each => each.Code != RecordOptions.HandlerFailed), each =>
            Assert.NotEqual(0, OutcomeOf(long.Parse(each.Key), seed)));

        Task<IHost> StartAsync() => scene.StartAsync(
            doing, options => options.ChunkSize = size, options => options.Lease = TimeSpan.FromSeconds(1),
            options => options.StopTimeout = TimeSpan.FromMilliseconds(100));
    }

    private static int OutcomeOf(long id, int seed) => new Random(HashCode.Combine((int)id * 7919, 17) ^ seed).Next(8);

    private static IEnumerable<int> Draw(int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, 200).Select(_ => random.Next(1000))];
    }
}
