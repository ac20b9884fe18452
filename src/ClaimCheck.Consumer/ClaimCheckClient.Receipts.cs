namespace ClaimCheck.Consumer;

/// <content>What consumers report on batches, and the retries of their failures.</content>
public sealed partial class ClaimCheckClient
{
    private const int MaxFailuresOfCall = 10_000;
    private const int MaxBytesOfCall = 1024 * 1024;

    /// <summary>The receipts of all consumers for a batch.</summary>
    /// <param name="batchId">The batch.</param>
    /// <param name="limit">The largest number of results, 1 to 1,000; 100 by default.</param>
    /// <param name="cursor">The <see cref="Page{T}.NextCursor"/> of the previous page.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="NotFoundException">The batch does not exist, or this caller may not see it.</exception>
    public Task<Page<Receipt>> GetReceiptsAsync(
        BatchId batchId, int? limit = null, string? cursor = null, CancellationToken cancellationToken = default) =>
        PageAsync<Receipt>($"v1/batches/{batchId}/receipts", limit, cursor, batchId, cancellationToken);

    /// <summary>The receipt of one consumer for a batch.</summary>
    /// <exception cref="NotFoundException">The batch or receipt does not exist, or this caller may not see it.</exception>
    public Task<Receipt> GetReceiptAsync(BatchId batchId, string consumer, CancellationToken cancellationToken = default) =>
        GetAsync<Receipt>(ReceiptOf(batchId, consumer), batchId, cancellationToken: cancellationToken);

    /// <summary>Replaces a consumer's receipt for a batch.</summary>
    /// <param name="batchId">The batch.</param>
    /// <param name="consumer">The consumer: the key's owner.</param>
    /// <param name="report">State and counts. In an end state they add up to the batch's records, and the failures posted
    /// before to the counts.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="RequestRejectedException">The counts do not add up, or the receipt is in an end state
    /// already.</exception>
    /// <exception cref="NotFoundException">The batch does not exist, or this caller may not see it.</exception>
    public Task<Receipt> PutReceiptAsync(
        BatchId batchId, string consumer, ReceiptReport report, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(report);
        return new ServiceCall(HttpMethod.Put, ReceiptOf(batchId, consumer)) { BatchId = batchId, Content = report }
            .SendAsync<Receipt>(http, options, cancellationToken);
    }

    /// <summary>
    /// Adds failed records to a receipt, merged by key: sending the same again changes nothing. They are streamed, in calls of at
    /// most 1 MiB or 10,000 failures, each of them retried by itself.
    /// </summary>
    /// <param name="batchId">The batch.</param>
    /// <param name="consumer">The consumer: the key's owner.</param>
    /// <param name="failures">The failures, any number. They are enumerated once.</param>
    /// <param name="cancellationToken">Cancels the calls; what was sent stays.</param>
    /// <returns>How many were sent.</returns>
    /// <exception cref="RequestRejectedException">A failure is invalid, or the receipt has ended.</exception>
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
            await new ServiceCall(HttpMethod.Post, path)
            {
                BatchId = batchId,
                Body = body.WrittenMemory,
                MediaType = "application/x-ndjson",
            }
                .SendAsync(http, options, cancellationToken);
            body.ResetWrittenCount();
            sent += count;
            count = 0;
        }
    }

    /// <summary>One page of the records that failed for a consumer.</summary>
    /// <param name="batchId">The batch.</param>
    /// <param name="consumer">The consumer.</param>
    /// <param name="limit">The largest number of results, 1 to 1,000; 100 by default.</param>
    /// <param name="cursor">The <see cref="Page{T}.NextCursor"/> of the previous page.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    public Task<Page<RecordFailure>> GetFailuresPageAsync(
        BatchId batchId, string consumer, int? limit = null, string? cursor = null,
        CancellationToken cancellationToken = default) =>
        PageAsync<RecordFailure>(ReceiptOf(batchId, consumer) + "/failures", limit, cursor, batchId, cancellationToken);

    /// <summary>All records that failed for a consumer, streamed page by page.</summary>
    /// <param name="batchId">The batch.</param>
    /// <param name="consumer">The consumer.</param>
    /// <param name="cancellationToken">Cancels it.</param>
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

    /// <summary>
    /// Requests a new export of a consumer's transient failures; while a round runs, that round is returned again.
    /// </summary>
    /// <param name="batchId">The batch that was exported originally, not a retry of it.</param>
    /// <param name="consumer">The consumer.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="RequestRejectedException">Code <c>nothing_to_retry</c>.</exception>
    /// <exception cref="RetryTooEarlyException">The previous round has ended too recently.</exception>
    /// <exception cref="BatchEndedException">Revoked or expired.</exception>
    public Task<Export> RetryAsync(BatchId batchId, string consumer, CancellationToken cancellationToken = default) =>
        PostAsync<Export>($"v1/batches/{batchId}/retries", batchId, new ConsumerRequest(Checked(consumer)), cancellationToken);

    /// <summary>Has the batch's BulkReady sent once more, to one consumer only.</summary>
    /// <param name="batchId">The batch.</param>
    /// <param name="consumer">The consumer.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="BatchEndedException">Revoked or expired.</exception>
    public Task<Redelivery> RedeliverAsync(BatchId batchId, string consumer, CancellationToken cancellationToken = default) =>
        PostAsync<Redelivery>(
            $"v1/batches/{batchId}/redeliveries", batchId, new ConsumerRequest(Checked(consumer)), cancellationToken);

    private static string ReceiptOf(BatchId batchId, string consumer) =>
        $"v1/batches/{batchId}/receipts/{Uri.EscapeDataString(Checked(consumer))}";

    // A path segment of dots would address another call.
    private static string Checked(string consumer)
    {
        ArgumentException.ThrowIfNullOrEmpty(consumer);
        return consumer.All(c => c == '.')
            ? throw new ArgumentException("A consumer's name can't consist of dots only.", nameof(consumer))
            : consumer;
    }

    private Task<T> PostAsync<T>(string path, BatchId? batch, object? body, CancellationToken cancellationToken)
        where T : class =>
        new ServiceCall(HttpMethod.Post, path) { BatchId = batch, Content = body }.SendAsync<T>(http, options, cancellationToken);
}
