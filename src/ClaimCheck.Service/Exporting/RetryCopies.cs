namespace ClaimCheck.Service.Exporting;

/// <summary>Reads only the records of a retry: the original's query, with its criteria, restricted to a slice of keys at a time,
/// all in one snapshot. The restriction is outside the query, where the planner can push it down to the source's index.</summary>
internal sealed class RetryCopies(SourceSession session, RetryKeys rounds, ExportPlan plan, WantedKeys wanted)
{
    public async IAsyncEnumerable<LaneCopy> ReadAsync(
        string sql, string options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var original = plan.RetryOf ?? throw new InvalidOperationException($"{plan.ExportId} is not a retry.");
        var key = SourceQuery.Identifier(plan.Dataset.Key);
        await foreach (var slice in rounds.SlicesAsync(original, plan.Consumer, cancellationToken))
        {
            var keys = await session.CanonicalAsync(wanted.Begin(slice), wanted.Type, cancellationToken);
            if (keys.Count > 0)
            {
                // By value, for the index; and by text, because equal values may differ in it (1.0 and 1.00).
                var texts = SourceQuery.ArrayLiteral(keys);
                var narrowed = $"SELECT q.* FROM ({sql}\n) q WHERE q.{key} = ANY (CAST({texts} AS {wanted.Type}[])) AND "
                    + $"format('%s', q.{key}) = ANY (CAST({texts} AS text[]))";
                await using var copy = await session.CopyAsync(narrowed, options, cancellationToken);
                yield return new(copy, null);
            }

            await rounds.NoteGoneAsync(plan.BatchId, plan.Attempt, wanted.Left, cancellationToken);
        }
    }
}
