using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Exports;
using ClaimCheck.Service.Publishing;
using ClaimCheck.Service.Staging;
using ClaimCheck.Testing;
using Xunit.Abstractions;

namespace ClaimCheck.Service.Tests.Revocation;

/// <summary>
/// A revocation against everything that can happen at the same moment: leasing, staging, completion, publication, manifests,
/// claims, streams, two relays. The loops of the service run as always; staging hesitates at random.
/// </summary>
[Collection(nameof(Heavy))]
public sealed class Races_with_a_revocation(ITestOutputHelper output)
{
    private const int Lanes = 12;

    [Theory]
    [InlineData(950, false, false)]
    [InlineData(30, true, false)]
    [InlineData(20, true, true)]
    public async Task Whatever_a_revocation_races_one_state_wins_and_every_link_dies(int interleavings, bool onS3, bool versioned)
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"The seed is {seed}.");
        await using var lab = await RevocationLab.StartAsync(loops: true, onS3, versioned, seed, relays: 2);
        var races = new ConcurrentQueue<int>(Enumerable.Range(0, interleavings));
        var ended = new ConcurrentBag<ExportRow>();

        await Task.WhenAll(Enumerable.Range(0, Lanes).Select(async _ =>
        {
            while (races.TryDequeue(out var number))
            {
                try
                {
                    ended.Add(await new Race(lab, new Random(seed + number)).RunAsync());
                }
                catch (Exception e)
                {
                    races.Clear();
                    throw new InvalidOperationException($"Interleaving {number} of seed {seed}: {e.Message}", e);
                }
            }
        }));

        // Both ends must have been reached, or nothing was raced.
        output.WriteLine(string.Join(", ", ended.CountBy(row => row.State)));
        Assert.Equal(interleavings, ended.Count);
        Assert.Contains(ended, row => row.State == ExportState.Cancelled);
        Assert.Contains(ended, row => row.State == ExportState.Revoked);
        await EverythingIsQuietAsync(lab);
        await CheckFeedAsync(lab, ended);
        Assert.DoesNotContain(lab.Log.Lines, line =>
            line.Contains("A later sweep", StringComparison.Ordinal) && !line.Contains(" 0 objects", StringComparison.Ordinal));
    }

    // Workers that were under way have noticed, events have their positions, and staging is empty.
    private static async Task EverythingIsQuietAsync(RevocationLab lab)
    {
        await Eventually.TrueAsync(async () => (await lab.QueryAsync<long>(
            "SELECT count(*) FROM outbox WHERE position IS NULL AND superseded_at IS NULL"))[0] == 0);
        // An upload that was begun and never recorded, because its worker was cancelled before it heard
        // its id, waits for a sweep.
        await lab.SqlAsync("UPDATE batch_deletions SET next_try_at = now()");
        await Eventually.TrueAsync(async () => !await lab.Staging.ListUploadsAsync(StagingKeys.Root, default).AnyAsync());
        Assert.Empty(await lab.Staging.ListAsync(StagingKeys.Root, default).ToListAsync());
    }

    private static async Task CheckFeedAsync(RevocationLab lab, IReadOnlyCollection<ExportRow> ended)
    {
        var rows = (await lab.QueryAsync<(Guid BatchId, string Type, Guid EventId, long? Position, bool Superseded)>(
            "SELECT batch_id, type, event_id, position, superseded_at IS NOT NULL FROM outbox")).ToLookup(row => row.BatchId);
        Assert.Equal(
            rows.Sum(batch => batch.Count()), rows.SelectMany(batch => batch).Select(row => row.EventId).Distinct().Count());
        foreach (var export in ended)
        {
            var events = rows[export.BatchId].ToList();
            if (export.State == ExportState.Cancelled)
            {
                Assert.Equal([EventTypes.BulkCancelled], events.Select(row => row.Type));
                Assert.NotNull(events[0].Position);
                continue;
            }

            var (ready, revoked) = (events.Single(row => row.Type == EventTypes.BulkReady), events.Single(
                row => row.Type == EventTypes.BulkRevoked));
            Assert.Equal(2, events.Count);
            Assert.NotNull(revoked.Position);
            Assert.Equal(ready.Position is null, ready.Superseded);
            Assert.True(
                ready.Position is null || ready.Position < revoked.Position,
                $"{export.Batch}: ready {ready.Position}, revoked {revoked.Position}");
        }

        var seen = await lab.Get<EventFeed>().ReadAsync(RevocationLab.Caller, new(0, null), 10_000, default);
        Assert.All(seen!.Events, item => Assert.Null(item.Event.DataRef));
    }

    /// <summary>One export, its claimers, and its end.</summary>
    private sealed class Race(RevocationLab lab, Random random)
    {
        private readonly ConcurrentBag<string> links = [];
        // Some asks anywhere in the race, and one after the commit. Asking without end would only keep the machine busy.
        private readonly int asks = random.Next(1, 5);
        private readonly int pause = random.Next(1, 60);
        private readonly TaskCompletionSource committed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private BatchId batch;

        public async Task<ExportRow> RunAsync()
        {
            var export = await lab.AskAsync(rows: random.Next(0, 200), maxFileBytes: 64 << 10);
            batch = export.Batch;
            links.Add((await lab.Get<ExportViews>().ShowWithStagingAsync(export, default)).Links.Staging!.Reveal());
            var claimers = new[] { ClaimAsync(), FetchFileAsync(), StreamAsync(), ReadFeedAsync() }.Take(random.Next(5)).ToList();

            try
            {
                await MomentAsync();
                await Task.WhenAll(Enumerable.Range(0, random.Next(1, 3)).Select(_ => lab.RevokeAsync(batch)));
                committed.SetResult();
                await EveryClaimIsRefusedAsync();

                var verified = await lab.Get<Service.Revocation.RevocationReports>()
                    .WaitAsync(RevocationLab.Caller, batch, TimeSpan.FromSeconds(60), default);
                Assert.NotNull(verified.VerifiedAt);
                Assert.Empty(await lab.ObjectsAsync(batch));
            }
            finally
            {
                committed.TrySetResult();
            }

            await Task.WhenAll(claimers);
            await EveryLinkIsDeadAsync();

            var row = await lab.FindAsync(batch);
            Assert.Equal(row.ReadyAt is null ? ExportState.Cancelled : ExportState.Revoked, row.State);
            return row;
        }

        // Anywhere in the life of the export.
        private async Task MomentAsync()
        {
            switch (random.Next(6))
            {
                case 0:
                    await Task.Delay(random.Next(120));
                    break;
                case 1:
                    await UntilAsync(async () => (await lab.FindAsync(batch)).State != ExportState.Pending);
                    await Task.Delay(random.Next(30));
                    break;
                case 2:
                    await UntilAsync(async () => (await lab.FindAsync(batch)).State == ExportState.Ready);
                    break;
                case 3:
                    await UntilAsync(async () => (await lab.FindAsync(batch)).State == ExportState.Ready);
                    await Task.Delay(random.Next(25));
                    break;
                case 4:
                    await UntilAsync(async () => (await lab.FindAsync(batch)).ManifestExpiresAt is not null);
                    break;
                default:
                    await UntilAsync(async () => (await lab.QueryAsync<int>(
                        "SELECT 1 FROM multipart_uploads WHERE batch_id = @Value", new { batch.Value })).Count > 0);
                    break;
            }
        }

        private static async Task UntilAsync(Func<Task<bool>> condition)
        {
            using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            while (!await condition())
                await Task.Delay(3, deadline.Token);
        }

        private async Task RepeatAsync(Func<Task<IEnumerable<string>>> ask)
        {
            for (var asked = 0; asked < asks && !committed.Task.IsCompleted; asked++)
            {
                foreach (var link in await ask())
                    links.Add(link);
                await Task.WhenAny(committed.Task, Task.Delay(pause));
            }

            // A request begun after the commit: no link may be in its answer.
            await committed.Task;
            Assert.Empty(await ask());
        }

        private Task RepeatAsync(string path, Func<HttpResponseMessage, Task<IEnumerable<string>>> linksOf) =>
            RepeatAsync(async () =>
            {
                using var answer = await lab.Http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead);
                return (await linksOf(answer)).ToList();
            });

        private Task ClaimAsync() => RepeatAsync($"/v1/batches/{batch}/manifest", async answer => answer.IsSuccessStatusCode
            ? RevocationLab.LinksIn((await answer.Content.ReadFromJsonAsync<Manifest>(ClaimCheckJson.Options))!)
            : []);

        private Task FetchFileAsync() => RepeatAsync($"/v1/batches/{batch}/files/part-00001.csv.gz", answer =>
            Task.FromResult<IEnumerable<string>>(answer.Headers.Location is { } link ? [link.AbsoluteUri] : []));

        private Task StreamAsync() => RepeatAsync(async () =>
        {
            try
            {
                using var answer = await lab.Http.GetAsync($"/v1/batches/{batch}/data", HttpCompletionOption.ResponseHeadersRead);
                await answer.Content.CopyToAsync(Stream.Null);
            }
            catch (Exception e) when (e is HttpRequestException or IOException)
            {
                // cut off, and rightly; also before its head arrived
                Assert.NotEqual(ExportState.Ready, (await lab.FindAsync(batch)).State);
            }

            return [];
        });

        private Task ReadFeedAsync() => RepeatAsync(async () =>
        {
            var place = (await lab.QueryAsync<long?>(
                "SELECT min(position) FROM outbox WHERE batch_id = @Value", new { batch.Value }))[0];
            if (place is null)
                return [];
            var page = await lab.Get<EventFeed>().ReadAsync(RevocationLab.Caller, new(place.Value - 1, null), 1, default);
            return page!.Events.Single().Event.DataRef is { } link ? [link.Reveal()] : [];
        });

        private async Task EveryClaimIsRefusedAsync()
        {
            foreach (var path in new[] { "manifest", "files/part-00001.csv.gz", "data" })
            {
                using var answer = await lab.Http.GetAsync($"/v1/batches/{batch}/{path}");
                var text = await answer.Content.ReadAsStringAsync();
                Assert.Equal(HttpStatusCode.Gone, answer.StatusCode);
                Assert.Null(answer.Headers.Location);
                Assert.Contains(
                    JsonElement.Parse(text).GetProperty("code").GetString(),
                    new[] { ProblemCodes.BatchRevoked, ProblemCodes.ExportCancelled });
            }
        }

        private async Task EveryLinkIsDeadAsync()
        {
            foreach (var link in links.Distinct())
            {
                using var answer = await lab.Http.GetAsync(new Uri(link));
                Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
            }
        }
    }
}

/// <summary>Tests that keep both cores busy run one after the other.</summary>
[CollectionDefinition(nameof(Heavy))]
public sealed class Heavy;
