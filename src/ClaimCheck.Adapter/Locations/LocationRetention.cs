namespace ClaimCheck.Adapter.Locations;

/// <summary>
/// Removes batches from a location once its own retention is over, counted from the push. A folder counts as a batch's only where
/// its <c>.claimcheck</c> says so, and only the files that it names are deleted, and the markers: files of others stay.
/// </summary>
internal sealed partial class LocationRetention(TimeProvider time, ILogger<LocationRetention> logger)
{
    /// <summary>Checks a location once.</summary>
    /// <param name="location">The location; one that can't be listed is left alone.</param>
    /// <param name="depth">The depth of the folders (<see cref="FolderTemplate.Depth"/>).</param>
    /// <param name="retention">How long batches stay; null: for ever, and only leftovers of dead writers are removed.</param>
    /// <param name="lease">How old those must be.</param>
    /// <param name="cancellationToken">Cancels it between two folders.</param>
    /// <returns>How many batches were removed.</returns>
    /// <exception cref="LocationException">The location can't be listed now.</exception>
    public async Task<int> SweepAsync(
        ISharedLocation location, int depth, TimeSpan? retention, TimeSpan lease, CancellationToken cancellationToken)
    {
        if (!location.CanList)
            return 0;
        var removed = 0;
        await SweepAsync("", depth);
        return removed;

        // False where the folder is gone.
        async Task<bool> SweepAsync(string folder, int left)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (left == 0)
            {
                try
                {
                    var entries = await location.ListAsync(folder, cancellationToken);
                    return !await ExpireAsync(location, folder, entries, retention, lease, cancellationToken);
                }
                catch (LocationException e)
                {
                    // One folder must not delay the others.
                    Log.Kept(logger, folder, location.Name, e.Message);
                    return true;
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    Log.Broken(logger, Defect.Of(e), folder, location.Name);
                    return true;
                }
            }
            var found = await location.ListAsync(folder, cancellationToken);
            var inside = found.Where(entry => entry.IsFolder && LocationPath.IsName(entry.Name)).ToList();
            var gone = 0;
            foreach (var entry in inside)
            {
                if (!await SweepAsync(LocationPath.Join(folder, entry.Name), left - 1))
                {
                    gone++;
                    removed += left == 1 ? 1 : 0;
                }
            }
            // A day's folder whose last batch was removed just now; an empty one that somebody else created is theirs.
            if (folder.Length == 0 || gone == 0 || gone < found.Count)
                return true;
            await location.DeleteFolderAsync(folder, cancellationToken);
            return false;
        }
    }

    private async Task<bool> ExpireAsync(
        ISharedLocation location, string folder, IReadOnlyList<StoredFile> entries, TimeSpan? retention, TimeSpan lease,
        CancellationToken cancellationToken)
    {
        if (!entries.Any(entry => entry.Name == PushedFolder.Record)
            || PushedFolder.Read(
                await location.ReadAsync(LocationPath.Join(folder, PushedFolder.Record), cancellationToken)) is not { } record)
        {
            return false;
        }
        await location.CleanAsync(folder, lease, cancellationToken);
        if (retention is null || record.PushedAt > time.GetUtcNow() - retention.Value)
            return false;
        await location.DeleteAsync(folder, [PushedFolder.Success], cancellationToken);
        await location.DeleteAsync(folder, [PushedFolder.Manifest, .. record.Files], cancellationToken);
        await location.CleanAsync(folder, TimeSpan.Zero, cancellationToken);
        // The record last: without it the rest would not be recognised.
        await location.DeleteAsync(folder, [PushedFolder.Revoked], cancellationToken);
        await location.DeleteAsync(folder, [PushedFolder.Record], cancellationToken);
        Log.Expired(logger, record.BatchId, location.Name, folder);
        if ((await location.ListAsync(folder, cancellationToken)).Count > 0)
            return false;
        await location.DeleteFolderAsync(folder, cancellationToken);
        return true;
    }

    private static partial class Log
    {
        [LoggerMessage(
            LogLevel.Information, "Batch {BatchId} is removed from {Location}, {Folder}: the location's retention is over.")]
        public static partial void Expired(ILogger logger, BatchId batchId, string location, string folder);

        [LoggerMessage(LogLevel.Error, "{Folder} at {Location} can't be checked, and stays for now; others continue.")]
        public static partial void Broken(ILogger logger, Exception exception, string folder, string location);

        [LoggerMessage(LogLevel.Warning, "{Folder} at {Location} stays for now: {Reason}")]
        public static partial void Kept(ILogger logger, string folder, string location, string reason);
    }
}
