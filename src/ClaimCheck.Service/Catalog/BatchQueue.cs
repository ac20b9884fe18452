using System.Buffers.Binary;

namespace ClaimCheck.Service.Catalog;

/// <summary>The queue before a batch's row. A shared row lock is granted while an exclusive one waits, so that claims which
/// follow each other closely would block a revocation for as long as they come; advisory locks are granted in the order of the
/// requests. Released with the transaction.</summary>
internal static class BatchQueue
{
    /// <summary>Enters beside other shared holders, but behind a waiting revocation.</summary>
    public static Task ShareAsync(Transaction transaction, BatchId batch, CancellationToken cancellationToken) =>
        transaction.ExecuteAsync("SELECT pg_advisory_xact_lock_shared(@Key)", new { Key = KeyOf(batch) }, cancellationToken);

    /// <summary>Waits for the current shared holders, but not for later ones.</summary>
    public static Task EnterAsync(Transaction transaction, BatchId batch, CancellationToken cancellationToken) =>
        transaction.ExecuteAsync("SELECT pg_advisory_xact_lock(@Key)", new { Key = KeyOf(batch) }, cancellationToken);

    // The random half of the id. Its first bit is always set, which it is in none of AdvisoryLocks.
    private static long KeyOf(BatchId batch) =>
        BinaryPrimitives.ReadInt64BigEndian(batch.Value.ToByteArray(bigEndian: true).AsSpan(8));
}
