using ClaimCheck.Consumer;
using ClaimCheck.Contracts;
using ClaimCheck.EndToEnd.Tests.Failures;
using ClaimCheck.Testing;
using Npgsql;

namespace ClaimCheck.EndToEnd.Tests.Consuming;

/// <summary>One consumer: its processes, what is in its database, and what the service knows of it.</summary>
internal sealed class LabConsumer(ConsumerLab lab, string name, string database, TestQueue? queue) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private readonly List<ConsumerProcess> processes = [];

    public string Name => name;

    public string Database => database;

    public TestQueue Queue => queue!;

    /// <summary>Starts a process; any number may run.</summary>
    public ConsumerProcess Start(Func<ConsumerSetup, ConsumerSetup>? configure = null, Uri? sqs = null)
    {
        var setup = new ConsumerSetup
        {
            Service = lab.Service.Address,
            Consumer = name,
            Database = database,
            QueueUrl = queue?.Url,
            LinkHosts = [lab.Links.Url.Authority],
        };
        var environment = new Dictionary<string, string>(lab.Servers.Environment);
        if (sqs is not null)
            environment["AWS_ENDPOINT_URL_SQS"] = sqs.GetLeftPart(UriPartial.Authority);
        var process = ConsumerProcess.Start(configure?.Invoke(setup) ?? setup, environment);
        processes.Add(process);
        return process;
    }

    public Task SqlAsync(string sql) => Scene.SqlAsync(database, sql);

    /// <summary>Holds every process of the consumer at the chunk that begins at a place of a batch.</summary>
    public async Task<Hold> HoldAsync(long place)
    {
        await SqlAsync($"INSERT INTO gates (place) VALUES ({place}) ON CONFLICT DO NOTHING");
        return await Hold.TakeAsync(database, $"SELECT 1 FROM gates WHERE place = {place} FOR UPDATE");
    }

    public Task IsHeldAsync() => Hold.IsMetAsync(database, "FROM gates");

    /// <summary>How often each record of a batch, or of its retries, took effect.</summary>
    public Task<Dictionary<long, int>> AppliedAsync(BatchId batch) =>
        TimesAsync($"SELECT key, times FROM applied WHERE origin = '{batch}'");

    /// <summary>How often each record was handed over in a batch, and its chunk committed.</summary>
    public Task<Dictionary<long, int>> SeenAsync(BatchId batch) =>
        TimesAsync($"SELECT key, times FROM seen WHERE batch = '{batch}'");

    /// <summary>How often a discard was handed over, and how many records had been applied.</summary>
    public Task<string?> DiscardedAsync(BatchId batch) => Scene.ScalarAsync<string>(
        database, $"SELECT string_agg(applied::text, ', ') FROM discarded WHERE batch = '{batch}'");

    public async Task<Receipt?> ReceiptAsync(BatchId batch)
    {
        try
        {
            return await lab.Client.GetReceiptAsync(batch, name);
        }
        catch (NotFoundException)
        {
            return null; // it has said nothing yet
        }
    }

    /// <summary>Waits for what the consumer says of a batch in the end.</summary>
    public Task<Receipt> EndedAsync(BatchId batch, Func<Receipt, bool>? also = null) => Eventually.NotNullAsync(
        async () => await ReceiptAsync(batch) is { State: { } state } receipt && ReceiptState.IsEnd(state)
            && also?.Invoke(receipt) != false ? receipt : null,
        Patience,
        $"the receipt of {batch} has ended");

    /// <summary>Waits until nothing is left in its queue, and asserts that nothing was given up.</summary>
    public async Task DrainedAsync(int dead = 0)
    {
        await Eventually.TrueAsync(async () => await lab.CountAsync(Queue.Url) == 0, Patience);
        Assert.Equal(dead, await lab.CountAsync(Queue.DeadLetterUrl));
    }

    /// <summary>Asserts that the last items took effect once each.</summary>
    public async Task AssertOnceAsync(BatchId batch, int records)
    {
        var applied = await AppliedAsync(batch);
        Assert.Equal(Enumerable.Range(ConsumerLab.Items - records + 1, records).Select(key => (long)key), applied.Keys.Order());
        Assert.All(applied.Values, times => Assert.Equal(1, times));
    }

    /// <summary>Ends all processes; what they wrote held no links.</summary>
    public void Dispose()
    {
        foreach (var process in processes)
        {
            process.Dispose();
            Assert.DoesNotContain("X-Amz-", process.Log, StringComparison.Ordinal);
        }
        processes.Clear();
    }

    private async Task<Dictionary<long, int>> TimesAsync(string sql)
    {
        var times = new Dictionary<long, int>();
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync();
#pragma warning disable CA2100 // The tests' own text.
        await using var command = new NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
            times[reader.GetInt64(0)] = reader.GetInt32(1);
        return times;
    }
}
