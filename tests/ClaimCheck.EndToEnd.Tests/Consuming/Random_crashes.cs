using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.EndToEnd.Tests.Consuming;

/// <summary>Whatever fails, is killed, or comes again: each record takes effect once or is listed, and the service's books are
/// the consumer's.</summary>
public sealed class Random_crashes(ConsumerLab lab) : IClassFixture<ConsumerLab>
{
    private const int Records = 400;
    private const int Kills = 5;

    [Theory]
    [InlineData(1, true)]
    [InlineData(5, true)]
    [InlineData(3, false)]
    public async Task Outcomes_add_up_over_all_rounds_and_effects_happen_once(int seed, bool byQueue)
    {
        var random = new Random(seed);
        var mailbox = await lab.Servers.NewQueueAsync(lab.Topic);
        using var consumer = byQueue ? await lab.NewConsumerAsync(maxReceiveCount: 1000) : await lab.NewFollowerAsync();
        var fates = Fates(random);
        await consumer.SqlAsync("INSERT INTO fates (key, rounds, terminal) VALUES "
            + $"{string.Join(", ", fates.Select(fate => $"({fate.Key}, {fate.Rounds}, {fate.IsTerminal})"))}");
        var chunk = random.Next(1, 20);
        var processes = Enumerable.Range(0, random.Next(1, 3)).Select(_ => StartProcess()).ToList();
        var batch = (await lab.ExportAsync(Records)).BatchId;

        for (var kills = 0; kills < Kills && !await IsOverAsync(); kills++)
        {
            // At some place of some round, or where nothing moves.
            var more = await HandedOverAsync() + random.Next(1, Records / 4);
            await Eventually.TrueAsync(
                async () => await HandedOverAsync() >= more || await IsOverAsync(), TimeSpan.FromMinutes(3));
            var victim = random.Next(processes.Count);
            await processes[victim].KillAsync();
            foreach (var message in await lab.Servers.Sqs.ReceiveAsync(
                mailbox.Url, wait: TimeSpan.Zero, visibility: TimeSpan.Zero))
            {
                if (byQueue && random.Next(2) == 0)
                    await lab.Servers.Sqs.SendAsync(
                        consumer.Queue.Url, new OutgoingMessage(message.Body) { Attributes = message.Texts() });
            }
            processes[victim] = StartProcess();
        }
        await Eventually.TrueAsync(IsOverAsync, TimeSpan.FromMinutes(3));
        if (byQueue)
            await consumer.DrainedAsync();

        // A batch and three rounds: who fails four times is a terminal failure.
        var lost = fates.Where(fate => fate.Rounds > 3).Select(fate => fate.Key).ToList();
        var terminal = fates.Where(fate => fate is { Rounds: <= 3, IsTerminal: true }).Select(fate => fate.Key).ToList();
        var succeeded = Enumerable.Range(ConsumerLab.Items - Records + 1, Records).Select(key => (long)key).Except(lost)
            .Except(terminal).ToList();
        var receipt = (await consumer.ReceiptAsync(batch))!;
        Assert.Equal((succeeded.Count, 0, lost.Count + terminal.Count), (receipt.Succeeded, receipt.Transient, receipt.Terminal));
        var applied = await consumer.AppliedAsync(batch);
        Assert.Equal(succeeded, applied.Keys.Order());
        Assert.All(applied.Values, times => Assert.Equal(1, times));
        var failures = new List<RecordFailure>();
        await foreach (var failure in lab.Client.GetFailuresAsync(batch, consumer.Name))
            failures.Add(failure);
        Assert.All(failures, failure => Assert.Equal(FailureClass.Terminal, failure.Class));
        Assert.Equal(lost, Keys("db_down"));
        Assert.Equal(terminal, Keys("unknown_item"));
        await lab.Client.RevokeAsync(batch); // who follows the feed later has nothing to do with it

        ConsumerProcess StartProcess() => consumer.Start(setup => setup with
        {
            ChunkSize = chunk,
            Pause = TimeSpan.FromMilliseconds(5),
            Visibility = TimeSpan.FromSeconds(2),
            Lease = TimeSpan.FromSeconds(1),
        });

        Task<long> HandedOverAsync() =>
            Scene.ScalarAsync<long>(consumer.Database, $"SELECT count(*) FROM seen WHERE origin = '{batch}'");

        async Task<bool> IsOverAsync() =>
            await consumer.ReceiptAsync(batch) is { State: { } state, Rounds.Running: null } now
            && ReceiptState.IsEnd(state) && now.Transient == 0;

        IEnumerable<long> Keys(string code) =>
            failures.Where(failure => failure.Code == code).Select(failure => long.Parse(failure.Key)).Order();
    }

    private static List<(long Key, int Rounds, bool IsTerminal)> Fates(Random random) =>
    [
        .. Enumerable.Range(ConsumerLab.Items - Records + 1, Records).Where(_ => random.Next(6) == 0)
            .Select(key => ((long)key, random.Next(5), random.Next(2) == 0)),
    ];
}
