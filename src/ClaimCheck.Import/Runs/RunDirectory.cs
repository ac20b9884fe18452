namespace ClaimCheck.Import.Runs;

/// <summary>The directory of one run: its document, journal, rejects, lock. Only its owner can look into it.</summary>
internal sealed class RunDirectory(string path)
{
    public string Path => path;

    public string RunId => System.IO.Path.GetFileName(path);

    public string Journal => System.IO.Path.Combine(path, "journal.ndjson");

    public string Rejects => System.IO.Path.Combine(path, "failed.ndjson");

    /// <summary>A copy of the file, where it could not stay where it was.</summary>
    public string Copy => System.IO.Path.Combine(path, "input");

    public string Cancel => System.IO.Path.Combine(path, "cancel");

    public bool Exists => File.Exists(Document);

    private string Document => System.IO.Path.Combine(path, "run.json");

    private string LockFile => System.IO.Path.Combine(path, "lock");

    public void Create()
    {
        Durable.CreatePrivateFolder(path);
        // Only here: taking the lock never creates a file in a directory that is being deleted.
        using var made = new FileStream(LockFile, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite, bufferSize: 1);
    }

    /// <returns>Null where the run does not exist, or not yet.</returns>
    public async Task<RunDocument?> LoadAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var file = File.OpenRead(Document);
            return await JsonSerializer.DeserializeAsync<RunDocument>(file, ClaimCheckJson.Options, cancellationToken);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (JsonException e)
        {
            throw new IOException($"The run's document {Document} is damaged: {e.Message}", e);
        }
    }

    /// <summary>Replaces the document as a whole: after a crash it is the old one or the new one.</summary>
    public Task SaveAsync(RunDocument document) =>
        Durable.ReplaceAsync(
            Document, JsonSerializer.SerializeToUtf8Bytes(document, ClaimCheckJson.Options), CancellationToken.None);

    /// <summary>The rejects as far as the journal confirms them.</summary>
    public async IAsyncEnumerable<string> RejectLinesAsync(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (!File.Exists(Rejects))
            yield break;
        var length = (await JournalHistory.ReadAsync(Journal, cancellationToken)).RejectsLength;
        await using var file = new FileStream(Rejects, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var reader = new StreamReader(file);
        for (long read = 0; read < length && await reader.ReadLineAsync(cancellationToken) is { } line;)
        {
            read += System.Text.Encoding.UTF8.GetByteCount(line) + 1;
            yield return line;
        }
    }

    /// <summary>Locks the run for this process, until it is disposed or the process dies.</summary>
    /// <returns>Null where another process has it, or has given it up and deleted it.</returns>
    public async Task<IDisposable?> TryLockAsync(CancellationToken cancellationToken)
    {
        // A process that checks whether a run is active holds the lock for a moment.
        for (var tries = 0; ; tries++)
        {
            if (TryLock() is { } held)
                return held;
            if (tries == 4 || !File.Exists(LockFile))
                return null;
            await Task.Delay(50, cancellationToken);
        }
    }

    /// <summary>A process works on the run.</summary>
    public bool IsActive
    {
        get
        {
            using var held = TryLock();
            return held is null && File.Exists(LockFile);
        }
    }

    private FileStream? TryLock()
    {
        try
        {
            return new FileStream(LockFile, FileMode.Open, FileAccess.ReadWrite, FileShare.None, bufferSize: 1);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
