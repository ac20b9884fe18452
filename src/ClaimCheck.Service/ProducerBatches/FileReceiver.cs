namespace ClaimCheck.Service.ProducerBatches;

/// <summary>The outcome of receiving a file.</summary>
internal enum Reception
{
    Received,

    /// <summary>It is not the file that was announced.</summary>
    Other,

    /// <summary>The batch does not accept files.</summary>
    Closed,
}

/// <summary>Streams a file that comes through the service into the landing; it is valid only where it is the announced one. One
/// copy of a file is kept: leftovers are removed, and a file that has arrived is compared, not stored again.</summary>
internal sealed class FileReceiver(ProducerBatchStore store, FileCopies copies, MultipartUploads uploads, FileLocks turns)
{
    private const int Portion = 128 << 10;

    public async Task<(Reception Reception, string? Detail)> ReceiveAsync(
        BatchId batch, ProducerFile file, Stream body, long? length, CancellationToken cancellationToken)
    {
        if (length is { } announced && announced != file.Bytes)
            return (Reception.Other, $"It has {announced} bytes, but {file.Bytes} were announced.");

        using var turn = await turns.TakeAsync(batch.Value, file.Ordinal, cancellationToken);
        if (await store.FindOpenFileAsync(batch, file.Ordinal, cancellationToken) is not { } now)
            return (Reception.Closed, null);
        if (now.ReceivedKey is not null)
            return await CopyAsync(body, null, file, cancellationToken) is { } different
                ? (Reception.Other, different)
                : (Reception.Received, null);
        await copies.RemoveAsync(batch, file, cancellationToken); // left by earlier requests that died
        var (isStored, otherwise) = await StoreAsync(batch, file, body, cancellationToken);
        await copies.TryRemoveAsync(batch, file, cancellationToken);
        if (otherwise is not null)
            return (Reception.Other, otherwise);
        var isThere = isStored
            || await store.FindOpenFileAsync(batch, file.Ordinal, cancellationToken) is { ReceivedKey: not null };
        return (isThere ? Reception.Received : Reception.Closed, null);
    }

    private async Task<(bool Stored, string? Otherwise)> StoreAsync(
        BatchId batch, ProducerFile file, Stream body, CancellationToken cancellationToken)
    {
        // A key of its own: a request at another process must not interfere.
        var key = $"{file.LinkKey(batch)}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}";
        await using var writer = await uploads.OpenInboxAsync(batch, key, cancellationToken);
        if (writer is null)
            return (false, null);
        try
        {
            if (await CopyAsync(body, writer, file, cancellationToken) is { } otherwise)
                return (false, otherwise);
            await writer.CompleteAsync(cancellationToken);
        }
        catch (StagingException e) when (e.IsMissing)
        {
            return (false, null); // aborted: the batch has ended, or another process has the file
        }

        return (await store.ReceivedAsync(batch, file.Ordinal, key, cancellationToken), null);
    }

    private static async Task<string?> CopyAsync(
        Stream body, StagedWriter? writer, ProducerFile file, CancellationToken cancellationToken)
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(Portion);
        try
        {
            var total = 0L;
            while (await body.ReadAsync(buffer, cancellationToken) is var count and > 0)
            {
                total += count;
                if (total > file.Bytes)
                    return $"It has more than the {file.Bytes} bytes that were announced.";
                digest.AppendData(buffer.AsSpan(0, count));
                if (writer is not null)
                    await writer.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
            }

            return total < file.Bytes ? $"It has {total} bytes, but {file.Bytes} were announced."
                : digest.GetHashAndReset().AsSpan().SequenceEqual(file.Sha256) ? null
                : "Its SHA-256 is not the one that was announced.";
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
