namespace ClaimCheck.Service.Batches;

/// <summary>Content that is sent through the service as one sequence of bytes; everything but the bytes is known
/// beforehand.</summary>
/// <param name="Runs">The bytes.</param>
/// <param name="ETag">Strong, in quotes.</param>
/// <param name="Content">Its headers.</param>
/// <param name="Read">The registration that cuts it off when it may not be read.</param>
internal sealed record StreamedContent(IReadOnlyList<DataRun> Runs, string ETag, StagedContent Content, Readable Read)
{
    public long Length { get; } = Runs.Sum(run => run.Length);

    /// <summary>A whole batch.</summary>
    public static StreamedContent Of(ReadableBatch batch)
    {
        var layout = new DataLayout(batch);
        var row = batch.Row;
        var extension = (row.Format == "csv" ? ".csv" : ".ndjson") + (row.Compression == "gzip" ? ".gz" : "");
        var type = row.Compression == "gzip"
            ? "application/gzip"
            : row.Format == "csv" ? "text/csv; charset=utf-8"
            : "application/x-ndjson";
        return new(layout.Runs, layout.ETag, new(type, $"{row.Dataset}-{row.Batch}{extension}"), Readable.Of(row.Batch));
    }

    /// <summary>One file of a batch, or its index, as it is stored.</summary>
    public static StreamedContent Of(ReadableBatch batch, FileRow file, string name)
    {
        var (bytes, digest) = name == file.Name ? (file.Bytes, file.Sha256) : (file.IndexBytes, file.IndexSha256);
        var key = StagingKeys.File(batch.Row.Batch, file.Attempt, name);
        return Of(key, bytes, $"\"{Convert.ToHexStringLower(digest)}\"", Readable.Of(batch.Row.Batch));
    }

    /// <summary>One staged object, which never changes under its key.</summary>
    public static StreamedContent Of(string key, long bytes, string etag, Readable read) =>
        new([new DataRun(key, 0, bytes)], etag, StagedContent.Of(key[(key.LastIndexOf('/') + 1)..]), read);
}
