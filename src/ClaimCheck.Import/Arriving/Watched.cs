using Amazon.S3;

namespace ClaimCheck.Import.Arriving;

/// <summary>A source, and its connection.</summary>
internal sealed class Watched<T>(T source, AmazonS3Client? client) : IDisposable
    where T : IFileSource
{
    public T Source => source;

    public void Dispose() => client?.Dispose();
}

/// <summary>Finds the source that options or a run name.</summary>
internal static class Watched
{
    /// <exception cref="ImportException">The source does not exist.</exception>
    public static Watched<IWatchedSource> Of(ImportOptions options, TimeProvider time)
    {
        var text = options.Source
            ?? throw new ImportException(ImportCodes.InvalidConfiguration, "source is not set: it must name what is watched.");
        if (text.StartsWith(S3Link.Scheme, StringComparison.Ordinal))
        {
            if (!S3Link.TryParse(text, out var bucket, out var prefix))
                throw new ImportException(
                    ImportCodes.InvalidConfiguration, $"source is '{text}', but must be like s3://bucket/prefix/.");
            return InS3(options.Arrival, bucket, prefix);
        }
        var folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(text));
        return Directory.Exists(folder)
            ? new(new FolderSource(folder, options.Arrival, time), null)
            : throw new ImportException(ImportCodes.SourceUnavailable, $"The folder {folder} does not exist.");
    }

    /// <summary>The source that a run's file came from, even where another is configured now.</summary>
    public static Watched<IFileSource> Of(RunDocument run, ImportOptions options, TimeProvider time)
    {
        switch (run.Origin)
        {
            case RunOrigin.Folder:
                return new(new FolderSource(Path.GetDirectoryName(run.Source)!, options.Arrival, time), null);
            case RunOrigin.S3:
                if (!S3Link.TryParse(run.Source, out var bucket, out _))
                    throw new IOException(
                        $"The document of run {run.RunId} is damaged: its source is not an object of a bucket.");
                var watched = S3Link.Connect(options.Arrival);
                return new(new S3Source(watched, bucket, "", options.Arrival), watched);
            default:
                return new(NamedFile.Instance, null);
        }
    }

    private static Watched<IWatchedSource> InS3(ArrivalOptions options, string bucket, string prefix)
    {
        var client = S3Link.Connect(options);
        return new(new S3Source(client, bucket, prefix, options), client);
    }
}
