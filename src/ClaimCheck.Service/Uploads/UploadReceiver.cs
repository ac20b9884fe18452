using System.Buffers;
using System.Security.Cryptography;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Staging;

namespace ClaimCheck.Service.Uploads;

/// <summary>How the reception of a file went.</summary>
internal enum Reception
{
    Received,

    /// <summary>It is not the file that was announced.</summary>
    Other,

    /// <summary>The batch takes no files any more.</summary>
    Closed,
}

/// <summary>Streams a file that comes through the service into the inbox; it counts only where it is the one that was announced.</summary>
internal sealed class UploadReceiver(UploadStore store, UploadLedger uploads)
{
    private const int Portion = 128 << 10;

    public async Task<(Reception Reception, string? Detail)> ReceiveAsync(
        BatchId batch, UploadFileRow file, Stream body, long? length, CancellationToken cancellationToken)
    {
        if (length is { } announced && announced != file.Bytes)
            return (Reception.Other, $"It has {announced} bytes, but {file.Bytes} were announced.");

        // A key of its own: what another request for the same file stores must not get in between.
        var key = $"{file.LinkKey(batch)}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}";
        var writer = await uploads.OpenInboxAsync(batch, key, cancellationToken);
        if (writer is null)
            return (Reception.Closed, null);
        await using (writer)
        {
            if (await CopyAsync(body, writer, file, cancellationToken) is { } otherwise)
                return (Reception.Other, otherwise);
            await writer.CompleteAsync(cancellationToken);
        }

        return await store.ReceivedAsync(batch, file.Ordinal, key, cancellationToken) ? (Reception.Received, null) : (Reception.Closed, null);
    }

    private static async Task<string?> CopyAsync(Stream body, StagedWriter writer, UploadFileRow file, CancellationToken cancellationToken)
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
