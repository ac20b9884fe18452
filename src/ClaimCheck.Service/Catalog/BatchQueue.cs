using System.Buffers.Binary;
using ClaimCheck.Contracts;
using Dapper;

namespace ClaimCheck.Service.Catalog;

/// <summary>
/// The queue before a batch's row. A shared row lock is granted while an exclusive one waits, so that claims which follow each
/// other closely would hold a revocation up for as long as they come; advisory locks are granted in the order they are asked for.
/// Left with the transaction.
/// </summary>
internal static class BatchQueue
{
    /// <summary>Goes on beside others that share, but behind a revocation that waits.</summary>
    public static Task ShareAsync(Transaction transaction, BatchId batch, CancellationToken cancellationToken) =>
        transaction.Connection.ExecuteAsync(transaction.Command(
            "SELECT pg_advisory_xact_lock_shared(@Key)", new { Key = KeyOf(batch) }, cancellationToken));

    /// <summary>Waits for those that share now, and for none that come later.</summary>
    public static Task EnterAsync(Transaction transaction, BatchId batch, CancellationToken cancellationToken) =>
        transaction.Connection.ExecuteAsync(transaction.Command(
            "SELECT pg_advisory_xact_lock(@Key)", new { Key = KeyOf(batch) }, cancellationToken));

    // The random half of the id. Its first bit is always set, which it is in no other advisory lock of the catalog.
    private static long KeyOf(BatchId batch) => BinaryPrimitives.ReadInt64BigEndian(batch.Value.ToByteArray(bigEndian: true).AsSpan(8));
}
