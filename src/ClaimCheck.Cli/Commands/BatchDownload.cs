namespace ClaimCheck.Cli.Commands;

/// <summary>Saves a batch to a directory, and reports the progress.</summary>
internal static class BatchDownload
{
    /// <returns>The result, as JSON.</returns>
    public static async Task<JsonObject> RunAsync(
        Session session, BatchId batch, string directory, CancellationToken cancellationToken)
    {
        try
        {
            var manifest = await session.Client.GetManifestAsync(batch, cancellationToken);
            using var downloader = new BatchDownloader(
                session.Client, new BatchReaderOptions { AllowedLinkHosts = session.LinkHosts });
            var saved = await new LiveProgress(session.Screen).ShowAsync(
                $"{batch}",
                show => downloader.DownloadAsync(manifest, directory, new ProgressSight(show), cancellationToken));
            Show(session.Screen, saved);
            return new JsonObject
            {
                ["batchId"] = $"{batch}",
                ["directory"] = Path.GetFullPath(directory),
                ["files"] = new JsonArray([.. saved.Manifest.Files.Select(file => (JsonNode)file.Name)]),
                ["records"] = saved.Manifest.Records,
                ["bytes"] = saved.Manifest.Bytes,
                ["bytesFetched"] = saved.BytesFetched,
                ["bytesKept"] = saved.BytesKept,
            };
        }
        catch (BatchEndedException)
        {
            // Where the batch's end was known before the download began, parts of an earlier one may be there.
            BatchDownloader.Discard(batch, directory);
            session.Screen.Note(File.Exists(Path.Combine(directory, "manifest.json"))
                ? $"{directory} still has an earlier, complete download: delete it if the batch was revoked."
                : $"Nothing of {batch} is kept in {directory}.");
            throw;
        }
        catch (OperationCanceledException)
        {
            session.Screen.Note(
                $"Interrupted. The same command continues from here: 'claimcheck download {batch} --out {directory}'.");
            throw;
        }
    }

    private static void Show(Screen screen, DownloadedBatch saved)
    {
        var files = saved.Manifest.Files.Count;
        var kept = saved.BytesKept > 0 ? $" ({Amounts.Size(saved.BytesKept)} were there already)" : "";
        screen.Line(
            $"{saved.Manifest.BatchId}: {Amounts.Count(saved.Manifest.Records)} records in {files} "
            + $"file{(files == 1 ? "" : "s")}, {Amounts.Size(saved.Manifest.Bytes)}{kept}, all verified, in {saved.Directory}");
    }

    // Not Progress<T>: that one reports later, from other threads.
    private sealed class ProgressSight(Action<Sight> show) : IProgress<DownloadProgress>
    {
        public void Report(DownloadProgress value) =>
            show(new($"file {Math.Min(value.FilesDone + 1, value.Files)} of {value.Files}", value.RecordsDone, value.Records,
                value.BytesDone));
    }
}
