using System.Text;

namespace ClaimCheck.Import.Running;

/// <summary>Which contents were imported, and by which run; for each feed by itself.</summary>
internal sealed class SeenContents(string state)
{
    /// <summary>Notes that a run imports a content.</summary>
    /// <returns>Null; or the run that has imported it, or does so now, where it may not be imported again.</returns>
    public async Task<RunDocument?> ClaimAsync(RunDocument run, string sha256, CancellationToken cancellationToken)
    {
        var folder = Path.Combine(state, "seen", run.Name);
        RunDirectory.CreatePrivate(folder);
        using var _ = await LockAsync(Path.Combine(folder, "lock"), cancellationToken);
        var path = Path.Combine(folder, sha256);
        var known = File.Exists(path) ? (await File.ReadAllTextAsync(path, cancellationToken)).Trim() : "";
        if (known == run.RunId)
            return null;
        // Of a file that failed nothing was sent (unless it changed meanwhile), and a run that was removed is forgotten.
        if (!run.Again && known.Length > 0 && await new RunDirectory(Path.Combine(state, "runs", known)).LoadAsync(cancellationToken) is { } other
            && (other.State != RunState.Failed || other.Failure?.Code == ImportCodes.FileChanged))
            return other;
        await using (var file = new FileStream(path + ".new", FileMode.Create, FileAccess.Write, FileShare.None))
        {
            await file.WriteAsync(Encoding.ASCII.GetBytes(run.RunId), cancellationToken);
            file.Flush(flushToDisk: true);
        }
        File.Move(path + ".new", path, overwrite: true);
        Durable.SyncFolder(folder);
        return null;
    }

    private static async Task<FileStream> LockAsync(string path, CancellationToken cancellationToken)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1);
            }
            catch (IOException) when (tries < 200)
            {
                await Task.Delay(50, cancellationToken); // held for a few writes at most
            }
        }
    }
}
