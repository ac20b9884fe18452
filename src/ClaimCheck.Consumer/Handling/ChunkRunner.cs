using System.Data.Common;
using ClaimCheck.Consumer.Databases;

namespace ClaimCheck.Consumer.Handling;

/// <summary>
/// Passes one chunk to a handler, in one transaction with its outcomes and the position behind it. What a handler that throws has
/// written is rolled back to a savepoint, and its failure committed instead.
/// </summary>
internal sealed partial class ChunkRunner<T>(
    IRecordHandler<T> handler, HeldBatch held, ChunkBuffer<T> buffer, RecordOptions options, ILogger logger)
{
    private const int MaxKey = 1024;
    private const string BeforeHandler = "claimcheck_chunk";

    /// <param name="tell">Whether the progress is reported to the service.</param>
    /// <param name="gone">Cancelled where nothing may be committed: the batch is revoked, or taken over by another
    /// process.</param>
    /// <param name="cancellationToken">The same, or a stop of the process.</param>
    public async Task RunAsync(bool tell, CancellationToken gone, CancellationToken cancellationToken)
    {
        var chunk = new RecordChunk<T>(buffer);
        try
        {
            await using var transaction = await held.BeginAsync(cancellationToken);
            await transaction.SaveAsync(BeforeHandler, cancellationToken);
            var counts = await TryAsync(chunk, transaction, tell, gone, cancellationToken);
            gone.ThrowIfCancellationRequested();
            await transaction.CommitAsync(gone);
            held.Committed(buffer.Next, counts, tell);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && e is not BatchLeaseLostException
            && (!held.IsConnected || InboxDatabase.Passes(e)))
        {
            throw InboxDatabase.Unavailable(e, buffer.Ready.BatchId);
        }
        finally
        {
            chunk.End();
        }
    }

    private async Task<RecordCounts> TryAsync(
        RecordChunk<T> chunk, NpgsqlTransaction transaction, bool tell, CancellationToken gone,
        CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            chunk.Begin(transaction, attempt);
            try
            {
                // Where no record fits its type, there is nothing to pass on.
                if (chunk.Count > 0)
                    await handler.HandleAsync(chunk, cancellationToken);
                gone.ThrowIfCancellationRequested();
                if (transaction.Connection is null)
                    throw new InvalidOperationException(
                        $"{handler.GetType().Name} ended the inbox's transaction, which is not its own.");
                return await CheckpointAsync(chunk, transaction, tell, gone);
            }
            catch (Exception e) when (
                !cancellationToken.IsCancellationRequested
                && e is not (BatchLeaseLostException or RunStoppedException or InboxUnavailableException)
                && held.IsConnected && transaction.Connection is not null)
            {
                await transaction.RollbackAsync(BeforeHandler, gone);
                if (e is DbException { IsTransient: true } && attempt < options.ChunkAttempts)
                    continue;
                var (failureClass, code) = options.Classify(e);
                Log.ChunkFailed(
                    logger, buffer.Ready.BatchId, chunk.Start, chunk.Count, failureClass, code, Kind(e), e.StackTrace);
                chunk.Outcomes.Clear();
                chunk.Outcomes.FailRest(chunk.Count, failureClass, code, $"The handler of the chunk threw {Kind(e)}.{Told(e)}");
                return await CheckpointAsync(chunk, transaction, tell, gone);
            }
        }
    }

    private async Task<RecordCounts> CheckpointAsync(
        RecordChunk<T> chunk, NpgsqlTransaction transaction, bool tell, CancellationToken cancellationToken)
    {
        var transient = chunk.Outcomes.CountOf(FailureClass.Transient);
        var failures = Failures(chunk);
        var counts = new RecordCounts(buffer.Taken - failures.Count, transient, failures.Count - transient);
        await held.CheckpointAsync(transaction, buffer.Next, counts, failures, tell, cancellationToken);
        return counts;
    }

    private List<FailedRecord> Failures(RecordChunk<T> chunk)
    {
        var failures = new List<FailedRecord>();
        foreach (var (index, outcome) in chunk.Outcomes.All)
            failures.Add(Failed(buffer.PlaceOf(index), outcome));
        foreach (var (place, message) in buffer.Mismatches)
            failures.Add(Failed(place, new(FailureClass.Terminal, ChunkBuffer<T>.Mismatch, message)));
        return failures;

        FailedRecord Failed(int place, Outcome outcome) =>
            // The service refuses longer keys: cut, the key matches no record in a retry, and the receipt says so.
            new(chunk.FirstOrdinal + place, ChunkOutcomes.Cut(buffer.KeyOf(place), MaxKey), outcome.Class, outcome.Code,
                outcome.Message);
    }

    // Its message may quote the data that it failed on.
    private static string Kind(Exception e) =>
        e is PostgresException said ? $"{nameof(PostgresException)} ({said.SqlState})" : e.GetType().Name;

    private static string Told(Exception e) =>
        e is PostgresException ? $" {(DatabaseFailure.Of(e) with { Said = null }).Text}" : "";

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "The handler of batch {BatchId} at {Position} threw {Kind}: its {Count} records are "
            + "failed ({FailureClass}, {Code}).\n{Trace}")]
        public static partial void ChunkFailed(
            ILogger logger, BatchId batchId, BatchPosition position, int count, string failureClass, string code, string kind,
            string? trace);
    }
}
