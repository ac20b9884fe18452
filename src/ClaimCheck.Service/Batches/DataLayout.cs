using ClaimCheck.Records.Blocks;

namespace ClaimCheck.Service.Batches;

/// <summary>A range of what is sent: bytes of a stored file, or bytes that are known already.</summary>
internal sealed record DataRun(string? Key, long Offset, long Length, ReadOnlyMemory<byte> Known = default);

/// <summary>A batch as one sequence of bytes with one ETag, all of it computed from the catalog: the files one after the other,
/// the column names once. Where each file is one gzip member, so is the sequence: one header, all blocks, one end.</summary>
internal sealed class DataLayout
{
    public DataLayout(ReadableBatch batch)
    {
        var runs = new List<DataRun>(batch.Files.Count + 1);
        var isOneMember = batch.Files.Count > 0 && batch.Files[0].Framing == BlockFraming.Deflate;
        var trailerBytes = isOneMember ? GzipMember.TrailerBytes : 0;
        foreach (var (file, at) in batch.Files.Select((file, at) => (file, at)))
        {
            var skip = at == 0 ? 0 : file.HeaderBytes;
            runs.Add(new(StagingKeys.File(batch.Row.Batch, file.Attempt, file.Name), skip, file.Bytes - skip - trailerBytes));
        }

        if (isOneMember)
            runs.Add(new(null, 0, trailerBytes, Trailer(batch.Files)));
        Runs = runs;
        ETag = $"\"{Digest(batch.Files, isOneMember)}\"";
    }

    public IReadOnlyList<DataRun> Runs { get; }

    /// <summary>Strong, in quotes.</summary>
    public string ETag { get; }

    private static byte[] Trailer(IReadOnlyList<FileRow> files)
    {
        var plain = files.Aggregate(files[0].PlainHeader, (sum, file) => sum.Then(file.PlainRecords));
        return GzipMember.Trailer(plain.Crc32, plain.Length);
    }

    private static string Digest(IReadOnlyList<FileRow> files, bool isOneMember)
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in files)
            digest.AppendData(file.Sha256);
        // Version 0.1, which may still run beside this one, would concatenate the same files differently.
        if (isOneMember)
            digest.AppendData("deflate"u8);
        return Convert.ToHexStringLower(digest.GetHashAndReset());
    }
}
