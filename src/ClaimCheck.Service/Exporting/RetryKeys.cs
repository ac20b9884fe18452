namespace ClaimCheck.Service.Exporting;

/// <summary>The records of a round of retries: their keys in slices, and which of them are gone from the source.</summary>
internal sealed class RetryKeys(NpgsqlDataSource catalog)
{
    private const int MostKeys = 10_000;
    private const int MostCharacters = 1 << 20;

    /// <summary>The transient failures of a consumer, a slice at a time: few enough for one statement, and for memory.</summary>
    public async IAsyncEnumerable<IReadOnlyList<string>> SlicesAsync(
        BatchId original, string consumer, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var after = Array.Empty<byte>();
        while (true)
        {
            var slice = new List<string>();
            var characters = 0;
            // Uses the index record_failures_transient. The connection is returned before the slice is processed.
            await using (var connection = await catalog.OpenConnectionAsync(cancellationToken))
            await using (var command = new NpgsqlCommand(
                """
                SELECT digest, key
                  FROM record_failures
                 WHERE batch_id = $1 AND consumer = $2 AND class = 'transient' AND digest > $3
                 ORDER BY digest
                 LIMIT $4
                """,
                connection))
            {
                command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = original.Value });
                command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = consumer });
                command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = after });
                command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = MostKeys });
                await using var reader = await command.ExecuteReaderAsync(cancellationToken);
                while (characters < MostCharacters && await reader.ReadAsync(cancellationToken))
                {
                    after = reader.GetFieldValue<byte[]>(0);
                    slice.Add(reader.GetString(1));
                    characters += slice[^1].Length;
                }
            }

            if (slice.Count == 0)
                yield break;
            yield return slice;
        }
    }

    /// <summary>Records the keys that an attempt did not find. They count once that attempt is ready.</summary>
    public async Task NoteGoneAsync(
        BatchId retry, string attempt, IReadOnlyCollection<string> keys, CancellationToken cancellationToken)
    {
        if (keys.Count == 0)
            return;
        await catalog.ExecuteAsync(
            "INSERT INTO gone_record_keys (batch_id, attempt, digest) SELECT @Id, @attempt, unnest(@Digests) "
            + "ON CONFLICT DO NOTHING",
            new { Id = retry.Value, attempt, Digests = keys.Select(KeyDigest.Of).ToArray() },
            cancellationToken);
    }
}
