using System.Security.Cryptography;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Batches;
using ClaimCheck.Service.Blocks;
using ClaimCheck.Service.Exporting;
using ClaimCheck.Service.ProducerBatches;
using ClaimCheck.Service.Publishing;
using ClaimCheck.Service.Revocation;
using ClaimCheck.Service.Tests.Revocation;
using ClaimCheck.Testing;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.DependencyInjection;

namespace ClaimCheck.Service.Tests.States;

/// <summary>Any sequence of what can happen to an export, against the state machine as the design draws it.</summary>
public sealed class States_of_an_export : IAsyncLifetime
{
    private RevocationLab lab = null!;

    public async Task InitializeAsync() => lab = await RevocationLab.StartAsync(loops: false);

    public async Task DisposeAsync() => await lab.DisposeAsync();

    [Fact]
    public void The_catalog_is_where_the_model_is_whatever_happens_in_whatever_order()
    {
        var steps = Gen.Elements(Enum.GetValues<Step>())
            .SelectMany(step => Gen.Choose(0, 3).Select(worker => new Happening(step, worker)));
        // Begins with a lease more often than not, or most sequences would do nothing.
        Gen<Happening[]> sequences = steps.ListOf().SelectMany(list => Gen.Elements(Step.Lease, Step.Lease, Step.Open, Step.Renew)
            .Select<Step, Happening[]>(first => [new(first, 0), .. list.Take(25)]));
        // Now and then no sequence of 150 comes to one of the states; then there are more.
        for (var rounds = 0; rounds < 10 && reached.Count < ExportState.All.Count; rounds++)
        {
            Prop.ForAll(Arb.From(sequences, Shorter), sequence =>
            {
                PlayAsync(sequence).GetAwaiter().GetResult();
                return true;
            }).Check(Config.QuickThrowOnFailure.WithMaxTest(150).WithEndSize(25));
        }

        Assert.Equal(ExportState.All.Count, reached.Count);
    }

    // States seen over all sequences: the property must not hold only because nothing ever happened.
    private readonly HashSet<string> reached = [];

    private static IEnumerable<Happening[]> Shorter(Happening[] sequence) =>
        Enumerable.Range(0, sequence.Length).Select(at => (Happening[])[.. sequence[..at], .. sequence[(at + 1)..]]);

    private async Task PlayAsync(Happening[] sequence)
    {
        var asked = await lab.AskAsync();
        var model = new ExportModel();
        if (sequence is [{ Step: Step.Open }, ..])
            await OpenAsync(asked.Batch, model);
        var workers = new List<ExportPlan>();
        try
        {
            foreach (var happening in sequence)
            {
                var told = model.Play(happening, workers.Count);
                Assert.Equal(told, await HappenAsync(happening, asked.Batch, workers));
                await CompareAsync(model, asked.Batch, workers);
                reached.Add(model.State);
            }
        }
        finally
        {
            // The next sequence must find an empty queue.
            await lab.RevokeAsync(asked.Batch);
            await lab.SqlAsync("UPDATE outbox SET superseded_at = now() WHERE position IS NULL AND superseded_at IS NULL");
        }
    }

    private async Task OpenAsync(BatchId batch, ExportModel model)
    {
        const string sql = "UPDATE exports SET state = 'open' WHERE batch_id = @Value; INSERT INTO producer_batches (batch_id, "
            + "open_until) VALUES (@Value, now() + interval '1 hour')";
        await lab.SqlAsync(sql, new { batch.Value });
        model.State = ExportState.Open;
    }

    private async Task<string> HappenAsync(Happening happening, BatchId batch, List<ExportPlan> workers)
    {
        var worker = workers.Count == 0 ? null : workers[happening.Worker % workers.Count];
        var (leases, outcomes) = (lab.Get<ExportLeases>(), lab.Get<ExportOutcomes>());
        switch (happening.Step)
        {
            case Step.Publish:
                return $"{await lab.Get<ProducerBatchStore>().PublishAsync(batch, default)}";
            case Step.Lease:
                if (await leases.TakeAsync(default) is not { } plan)
                    return "nothing to lease";
                Assert.Equal(batch, plan.BatchId);
                workers.Add(plan);
                return "leased";
            case Step.Renew when worker is not null:
                return $"{await leases.RenewAsync(worker, new ExportMeter(), default)}";
            case Step.Complete when worker is not null:
                return $"{await outcomes.CompleteAsync(worker, Staged(), default)}";
            case Step.Fail when worker is not null:
                return $"{await outcomes.FailAsync(worker, new("source_query_failed", "The query failed.", false), default)}";
            case Step.HandBack or Step.FailTry when worker is not null:
                await leases.HandBackAsync(worker, TimeSpan.Zero, failed: happening.Step == Step.FailTry, default);
                return "";
            case Step.LoseLease:
                await lab.SqlAsync(
                    "UPDATE exports SET lease_until = now() - interval '1 second' WHERE batch_id = @Value AND state = 'running'",
                    new { batch.Value });
                return "";
            case Step.Reclaim:
                return $"{(await leases.ReclaimAsync(default)).Count} reclaimed";
            case Step.Revoke:
                Assert.True(await lab.RevokeAsync(batch));
                return "";
            case Step.Expire:
                await lab.SqlAsync(
                    "UPDATE exports SET expires_at = now() - interval '1 second' WHERE batch_id = @Value AND state = 'ready'",
                    new { batch.Value });
                await lab.Get<Retention>().ExpireAsync(default);
                return "";
            case Step.Relay:
                await RelayAsync();
                return "";
            case Step.Claim:
                return await lab.Get<Claims>().RedeemAsync(batch, RevocationLab.Caller, default) switch
                {
                    Redeemed<Manifest> => "redeemed",
                    NotReady<Manifest> => "not ready",
                    Ended<Manifest>(var state) => state,
                    var other => $"{other}",
                };
            default:
                return "nobody";
        }
    }

    private async Task RelayAsync()
    {
        using var relay = ActivatorUtilities.CreateInstance<OutboxRelay>(lab.Get<IServiceProvider>());
        await relay.StartAsync(default);
        await Eventually.TrueAsync(async () => (await lab.QueryAsync<long>(
            "SELECT count(*) FROM outbox WHERE position IS NULL AND superseded_at IS NULL"))[0] == 0);
        await relay.StopAsync(default);
    }

    private async Task CompareAsync(ExportModel model, BatchId batch, List<ExportPlan> workers)
    {
        var row = (await lab.QueryAsync<(
            string State, int Tries, int Leases, Guid? Token, bool Ready, bool Ended, bool Deletion, long Files, long Abandoned)>(
                """
                SELECT state, tries, leases, lease_token, ready_at IS NOT NULL, ended_at IS NOT NULL,
                       EXISTS (SELECT FROM batch_deletions d WHERE d.batch_id = e.batch_id),
                       (SELECT count(*) FROM batch_files f WHERE f.batch_id = e.batch_id),
                       (SELECT count(*) FROM attempts a WHERE a.batch_id = e.batch_id AND a.abandoned_at IS NOT NULL)
                  FROM exports e
                 WHERE batch_id = @Value
                """,
                new { batch.Value }))[0];
        Assert.Equal(
            (model.State, model.Tries, workers.Count, model.Holder is { } holder ? workers[holder].LeaseToken : (Guid?)null),
            (row.State, row.Tries, row.Leases, row.Token));
        Assert.Equal(
            (model.ReadyBy is not null, ExportState.IsEnd(model.State), ExportState.IsEnd(model.State),
                model.ReadyBy is null ? 0L : 1L, (long)model.Abandoned),
            (row.Ready, row.Ended, row.Deletion, row.Files, row.Abandoned));
        var events = await lab.QueryAsync<(string Type, string Fate)>(
            """
            SELECT type, CASE WHEN position IS NOT NULL THEN 'published' WHEN superseded_at IS NOT NULL THEN 'superseded' ELSE 'waiting' END
              FROM outbox
             WHERE batch_id = @Value
             ORDER BY created_at, event_id
            """,
            new { batch.Value });
        Assert.Equal(model.Events, events);
    }

    private static StagedBatch Staged() => new(DateTimeOffset.UnixEpoch.AddYears(56),
    [
        new StagedFile
        {
            Name = "part-00001.csv.gz",
            Records = 1,
            Bytes = 10,
            UncompressedBytes = 20,
            Sha256 = SHA256.HashData([]),
            Framing = BlockFraming.Deflate,
            HeaderBytes = 5,
            PlainHeader = new(1, 3),
            PlainRecords = new(2, 17),
            Blocks = 1,
            IndexName = "part-00001.index.json",
            IndexBytes = 2,
            IndexSha256 = SHA256.HashData([]),
        },
    ]);
}
