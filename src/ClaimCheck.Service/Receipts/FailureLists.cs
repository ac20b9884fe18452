namespace ClaimCheck.Service.Receipts;

/// <summary>A consumer's failed records, in an order that is stable from page to page.</summary>
internal sealed class FailureLists(NpgsqlDataSource catalog)
{
    private const int AtOnce = 5000;

    /// <param name="consumer">The consumer whose failures are listed.</param>
    /// <param name="failureClass">Only this class, or null for both.</param>
    /// <param name="after">The digest that the previous page ended with.</param>
    /// <param name="limit">How many at most.</param>
    public async Task<IReadOnlyList<ListedFailure>> PageAsync(
        BatchId batch, string consumer, string? failureClass, byte[] after, int limit, CancellationToken cancellationToken)
    {
        // By each class's own index: every page costs the same, however many have succeeded in retries.
        var ofClass = (string name) => $"""
            (SELECT digest, key, class, code, message
               FROM record_failures
              WHERE batch_id = @Id AND consumer = @consumer AND class = '{name}' AND digest > @after
              ORDER BY digest
              LIMIT @limit)
            """;
        return await catalog.ListAsync<ListedFailure>(
            failureClass switch
            {
                FailureClass.Transient => ofClass(FailureClass.Transient),
                FailureClass.Terminal => ofClass(FailureClass.Terminal),
                _ => $"{ofClass(FailureClass.Transient)} UNION ALL {ofClass(FailureClass.Terminal)} ORDER BY digest LIMIT @limit",
            },
            new { Id = batch.Value, consumer, after, limit },
            cancellationToken);
    }

    /// <summary>All of them, some thousand in memory at a time.</summary>
    public async IAsyncEnumerable<RecordFailure> AllAsync(
        BatchId batch, string consumer, string? failureClass, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var after = Array.Empty<byte>();
        while (true)
        {
            var page = await PageAsync(batch, consumer, failureClass, after, AtOnce, cancellationToken);
            foreach (var failure in page)
                yield return failure.ToContract();
            if (page.Count < AtOnce)
                yield break;
            after = page[^1].Digest;
        }
    }
}

/// <summary>A row of <c>record_failures</c>.</summary>
internal sealed record ListedFailure(byte[] Digest, string Key, string Class, string Code, string? Message)
{
    public RecordFailure ToContract() => new(Key, Class, Code, Message);

    /// <summary>Class and code only: a key is data.</summary>
    public override string ToString() => $"{Class} {Code}";
}
