using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using ClaimCheck.Contracts;

namespace ClaimCheck.Consumer;

/// <content>What consumers say of batches, and what becomes of their failures.</content>
public sealed partial class ClaimCheckClient
{
    private const int MaxFailuresOfCall = 10_000;
    private const int MaxBytesOfCall = 1024 * 1024;

    /// <summary>What all consumers said of a batch.</summary>
    /// <param name="batchId">The batch.</param>
    /// <param name="limit">At most so many, 1 to 1,000; 100 by default.</param>
    /// <param name="cursor">The <see cref="Page{T}.NextCursor"/> of the page before.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="NotFoundException">No such batch that this caller may see.</exception>
    public Task<Page<Receipt>> GetReceiptsAsync(
        BatchId batchId, int? limit = null, string? cursor = null, CancellationToken cancellationToken = default) =>
        GetAsync<Page<Receipt>>(
            $"v1/batches/{batchId}/receipts" + Query(("limit", limit?.ToString()), ("cursor", cursor)), batchId, cancellationToken: cancellationToken);

    /// <summary>What one consumer said of a batch.</summary>
    /// <exception cref="NotFoundException">No such batch or receipt that this caller may see.</exception>
    public Task<Receipt> GetReceiptAsync(BatchId batchId, string consumer, CancellationToken cancellationToken = default) =>
        GetAsync<Receipt>(ReceiptOf(batchId, consumer), batchId, cancellationToken: cancellationToken);

    /// <summary>Replaces what a consumer said of a batch.</summary>
    /// <param name="batchId">The batch.</param>
    /// <param name="consumer">The consumer: the key's owner.</param>
    /// <param name="report">State and counts. In an end state they add up to the batch's records, and the failures posted before to the counts.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="RequestRejectedException">The counts do not add up, or an end state stands already.</exception>
    /// <exception cref="NotFoundException">No such batch that this caller may see.</exception>
    public async Task<Receipt> PutReceiptAsync(
        BatchId batchId, string consumer, ReceiptReport report, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(report);
        var call = new ServiceCall(HttpMethod.Put, ReceiptOf(batchId, consumer))
        {
            BatchId = batchId,
            Body = JsonSerializer.SerializeToUtf8Bytes(report, ClaimCheckJson.Options),
        };
        return (await call.SendAsync<Receipt>(http, options, cancellationToken)).Value;
    }

    /// <summary>
    /// Adds failed records to a receipt, merged by key: to send the same again changes nothing. They are streamed, in calls of 1 MiB or
    /// 10,000 failures at most, each of them tried again by itself.
    /// </summary>
    /// <param name="batchId">The batch.</param>
    /// <param name="consumer">The consumer: the key's owner.</param>
    /// <param name="failures">The failures, any number. They are asked for once.</param>
    /// <param name="cancellationToken">Ends the calls; what was sent stays.</param>
    /// <returns>How many were sent.</returns>
    /// <exception cref="RequestRejectedException">A failure is not as it must be, or the receipt has ended.</exception>
    public async Task<long> PostFailuresAsync(
        BatchId batchId, string consumer, IAsyncEnumerable<RecordFailure> failures, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(failures);
        var path = ReceiptOf(batchId, consumer) + "/failures";
        var body = new ArrayBufferWriter<byte>(64 * 1024);
        using var json = new Utf8JsonWriter(body);
        var (sent, count) = (0L, 0);
        await foreach (var failure in failures.WithCancellation(cancellationToken))
        {
            JsonSerializer.Serialize(json, failure, ClaimCheckJson.Options);
            json.Reset();
            body.Write("\n"u8);
            if (++count < MaxFailuresOfCall && body.WrittenCount < MaxBytesOfCall)
                continue;
            await SendAsync();
        }
        if (count > 0)
            await SendAsync();
        return sent;

        async Task SendAsync()
        {
            await new ServiceCall(HttpMethod.Post, path) { BatchId = batchId, Body = body.WrittenMemory, MediaType = "application/x-ndjson" }
                .SendAsync(http, options, cancellationToken);
            body.ResetWrittenCount();
            sent += count;
            count = 0;
        }
    }

    /// <summary>One page of the records that failed for a consumer.</summary>
    /// <param name="batchId">The batch.</param>
    /// <param name="consumer">The consumer.</param>
    /// <param name="limit">At most so many, 1 to 1,000; 100 by default.</param>
    /// <param name="cursor">The <see cref="Page{T}.NextCursor"/> of the page before.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public Task<Page<RecordFailure>> GetFailuresPageAsync(
        BatchId batchId, string consumer, int? limit = null, string? cursor = null, CancellationToken cancellationToken = default) =>
        GetAsync<Page<RecordFailure>>(
            ReceiptOf(batchId, consumer) + "/failures" + Query(("limit", limit?.ToString()), ("cursor", cursor)), batchId,
            cancellationToken: cancellationToken);

    /// <summary>All records that failed for a consumer, streamed page by page.</summary>
    /// <param name="batchId">The batch.</param>
    /// <param name="consumer">The consumer.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async IAsyncEnumerable<RecordFailure> GetFailuresAsync(
        BatchId batchId, string consumer, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        string? cursor = null;
        do
        {
            var page = await GetFailuresPageAsync(batchId, consumer, 1000, cursor, cancellationToken);
            foreach (var failure in page.Items)
                yield return failure;
            cursor = page.NextCursor;
        }
        while (cursor is not null);
    }

    /// <summary>Asks for a new export of a consumer's transient failures; a round that already runs is answered again.</summary>
    /// <param name="batchId">The batch that was exported first, not a retry of it.</param>
    /// <param name="consumer">The consumer.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="RequestRejectedException">Code <c>nothing_to_retry</c>.</exception>
    /// <exception cref="RetryTooEarlyException">The round before was too short a while ago.</exception>
    /// <exception cref="BatchEndedException">Revoked or expired.</exception>
    public Task<Export> RetryAsync(BatchId batchId, string consumer, CancellationToken cancellationToken = default) =>
        PostAsync<Export>($"v1/batches/{batchId}/retries", batchId, new ConsumerRequest(Checked(consumer)), cancellationToken);

    /// <summary>Has the batch's BulkReady sent once more, to one consumer alone.</summary>
    /// <param name="batchId">The batch.</param>
    /// <param name="consumer">The consumer.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="BatchEndedException">Revoked or expired.</exception>
    public Task<Redelivery> RedeliverAsync(BatchId batchId, string consumer, CancellationToken cancellationToken = default) =>
        PostAsync<Redelivery>($"v1/batches/{batchId}/redeliveries", batchId, new ConsumerRequest(Checked(consumer)), cancellationToken);

    private static string ReceiptOf(BatchId batchId, string consumer) =>
        $"v1/batches/{batchId}/receipts/{Uri.EscapeDataString(Checked(consumer))}";

    // A path of dots alone would be another call.
    private static string Checked(string consumer)
    {
        ArgumentException.ThrowIfNullOrEmpty(consumer);
        return consumer.All(c => c == '.')
            ? throw new ArgumentException("A consumer's name can't be dots alone.", nameof(consumer))
            : consumer;
    }

    private async Task<T> PostAsync<T>(string path, BatchId? batch, object? body, CancellationToken cancellationToken)
        where T : class
    {
        var call = new ServiceCall(HttpMethod.Post, path)
        {
            BatchId = batch,
            Body = body is null ? null : JsonSerializer.SerializeToUtf8Bytes(body, body.GetType(), ClaimCheckJson.Options),
        };
        return (await call.SendAsync<T>(http, options, cancellationToken)).Value;
    }
}
