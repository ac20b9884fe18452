using System.Text.Json.Serialization;
using System.Threading.Channels;

namespace ClaimCheck.Import.Runs;

/// <summary>One line of a journal: a new fact about a batch.</summary>
internal sealed record JournalEntry
{
    [JsonPropertyName("b")]
    public required int Batch { get; init; }

    /// <summary>The batch was read: this many records of the file are in it, …</summary>
    [JsonPropertyName("covers")]
    public int? Covers { get; init; }

    /// <summary>… of which this many can't be sent.</summary>
    [JsonPropertyName("invalid")]
    public int? Invalid { get; init; }

    /// <summary>The batch was submitted as this job.</summary>
    [JsonPropertyName("job")]
    public string? Job { get; init; }

    /// <summary>A round has ended: which one, …</summary>
    [JsonPropertyName("round")]
    public int? Round { get; init; }

    /// <summary>… how many of its records succeeded, …</summary>
    [JsonPropertyName("ok")]
    public int? Succeeded { get; init; }

    /// <summary>… how many went to the rejects, …</summary>
    [JsonPropertyName("bad")]
    public int? Failed { get; init; }

    /// <summary>… which are left (<see cref="IndexSet"/>), …</summary>
    [JsonPropertyName("left")]
    public string? Left { get; init; }

    /// <summary>… when these are due, in milliseconds since 1970, …</summary>
    [JsonPropertyName("due")]
    public long? Due { get; init; }

    /// <summary>… and how many times it was answered so far: a new call needs a new Idempotency-Key.</summary>
    [JsonPropertyName("answers")]
    public int? Answers { get; init; }

    /// <summary>The length of the rejects file, including this entry's lines.</summary>
    [JsonPropertyName("bucket")]
    public long Rejects { get; init; }

    /// <summary>When it was written, in milliseconds since 1970.</summary>
    [JsonPropertyName("at")]
    public long At { get; init; }
}

/// <summary>
/// Writes new facts, and returns when they will survive a crash: first the failures, then the entry that counts them.
/// Many batches share one write to disk.
/// </summary>
internal sealed class Journal : IAsyncDisposable
{
    internal static readonly JsonSerializerOptions Json = new() { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    private readonly Channel<Pending> queue = Channel.CreateUnbounded<Pending>(new() { SingleReader = true });
    private readonly FileStream journal;
    private readonly FileStream rejects;
    private readonly Task writing;

    private Journal(FileStream journal, FileStream rejects)
    {
        this.journal = journal;
        this.rejects = rejects;
        writing = WriteAsync();
    }

    /// <summary>Opens a run's journal behind the part that was read; incomplete entries of a crash are cut off.</summary>
    public static Journal Open(RunDirectory run, JournalHistory history)
    {
        var entries = Open(run.Journal, history.Length);
        try
        {
            var failures = Open(run.Rejects, history.RejectsLength);
            Durable.SyncFolder(run.Path);
            return new Journal(entries, failures);
        }
        catch
        {
            entries.Dispose();
            throw;
        }
    }

    /// <param name="entry">The new fact.</param>
    /// <param name="failures">Whole lines for the rejects.</param>
    /// <exception cref="IOException">It could not be written: the run can't continue.</exception>
    public Task AppendAsync(JournalEntry entry, ReadOnlyMemory<byte> failures = default)
    {
        var pending = new Pending(entry, failures, new(TaskCreationOptions.RunContinuationsAsynchronously));
        return queue.Writer.TryWrite(pending)
            ? pending.Done.Task
            : Task.FromException(new IOException("The run's journal is closed: an earlier write failed, or the run has ended."));
    }

    public async ValueTask DisposeAsync()
    {
        queue.Writer.TryComplete();
        await writing;
        await journal.DisposeAsync();
        await rejects.DisposeAsync();
    }

    private static FileStream Open(string path, long length)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.Write,
            Share = FileShare.Read,
            BufferSize = 64 << 10,
        };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var file = new FileStream(path, options);
        file.SetLength(length);
        file.Seek(0, SeekOrigin.End);
        return file;
    }

    private async Task WriteAsync()
    {
        var group = new List<Pending>();
        while (await queue.Reader.WaitToReadAsync())
        {
            group.Clear();
            while (queue.Reader.TryRead(out var next))
                group.Add(next);
            try
            {
                Write(group);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // What is on disk is not known: the next process determines it.
                queue.Writer.TryComplete();
                while (queue.Reader.TryRead(out var next))
                    group.Add(next);
                foreach (var pending in group)
                {
                    pending.Done.TrySetException(e);
                    _ = pending.Done.Task.Exception; // an entry that nobody waits for is followed by one that somebody waits for
                }
                return;
            }
            foreach (var pending in group)
                pending.Done.SetResult();
        }
    }

    private void Write(List<Pending> group)
    {
        var length = rejects.Position;
        var lines = new List<byte[]>(group.Count);
        foreach (var pending in group)
        {
            rejects.Write(pending.Failures.Span);
            lines.Add(JsonSerializer.SerializeToUtf8Bytes(
                pending.Entry with { Rejects = rejects.Position }, Json));
        }
        if (rejects.Position > length)
            rejects.Flush(flushToDisk: true);
        foreach (var line in lines)
        {
            journal.Write(line);
            journal.WriteByte((byte)'\n');
        }
        journal.Flush(flushToDisk: true);
    }

    private sealed record Pending(JournalEntry Entry, ReadOnlyMemory<byte> Failures, TaskCompletionSource Done);
}
