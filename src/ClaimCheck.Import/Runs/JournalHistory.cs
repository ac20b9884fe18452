namespace ClaimCheck.Import.Runs;

/// <summary>The content of a journal: the progress of each batch, and the sums.</summary>
internal sealed class JournalHistory
{
    private readonly List<BatchProgress> batches = [];
    private readonly Lock changing = new();

    /// <summary>The length of the journal, without a line that a crash cut off.</summary>
    public long Length { get; private set; }

    public long RejectsLength { get; private set; }

    public RunTally Tally { get; private set; } = new();

    /// <summary>When the first and the last entry were written, in milliseconds since 1970.</summary>
    public long? FirstAt { get; private set; }

    public long? LastAt { get; private set; }

    public BatchProgress this[int batch]
    {
        get
        {
            lock (changing)
                return batch <= batches.Count ? batches[batch - 1] : new();
        }
    }

    /// <summary>When the next waiting batch is due, in milliseconds since 1970; null where none waits.</summary>
    public long? NextDue
    {
        get
        {
            lock (changing)
                return batches.Where(batch => batch is { IsRead: true, IsDone: false }).Min(batch => (long?)batch.Due);
        }
    }

    /// <summary>The last batch that has records to send.</summary>
    public int LastOpen
    {
        get
        {
            lock (changing)
                return batches.FindLastIndex(batch => batch is { IsRead: true, IsDone: false }) + 1;
        }
    }

    /// <exception cref="IOException">A line within the journal is damaged.</exception>
    public static async Task<JournalHistory> ReadAsync(string path, CancellationToken cancellationToken)
    {
        var history = new JournalHistory();
        if (!File.Exists(path))
            return history;
        await using var file = new FileStream(
            path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 64 << 10, useAsync: false);
        var buffer = new byte[64 << 10];
        var (end, start) = (0, 0);
        while (true)
        {
            while (buffer.AsSpan(start, end - start).IndexOf((byte)'\n') is var length and >= 0)
            {
                history.Take(buffer.AsSpan(start, length), path);
                history.Length += length + 1;
                start += length + 1;
            }
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            (end, start) = (end - start, 0);
            if (end == buffer.Length)
                Array.Resize(ref buffer, buffer.Length * 2);
            var read = await file.ReadAsync(buffer.AsMemory(end), cancellationToken);
            if (read == 0)
                return history;
            end += read;
        }
    }

    public void Take(JournalEntry entry)
    {
        lock (changing)
            Apply(entry);
    }

    private void Apply(JournalEntry entry)
    {
        while (batches.Count < entry.Batch)
            batches.Add(new());
        var batch = batches[entry.Batch - 1];
        if (entry.Covers is { } covers)
        {
            batch = batch with { IsRead = true, Covers = covers, Sendable = covers - (entry.Invalid ?? 0), Round = 0 };
            Tally = Tally with { Read = Tally.Read + covers, Invalid = Tally.Invalid + (entry.Invalid ?? 0) };
            if (batch.Sendable == 0)
                batch = batch with { IsDone = true };
        }
        if (entry.Job is { } job)
            batch = batch with { Job = job };
        if (entry.Round is { } round)
        {
            var left = entry.Left is null ? [] : IndexSet.Parse(entry.Left);
            Tally = Tally with
            {
                Succeeded = Tally.Succeeded + (entry.Succeeded ?? 0),
                Failed = Tally.Failed + (entry.Failed ?? 0),
                Retrying = Tally.Retrying - batch.Retrying + left.Length,
            };
            batch = batch with
            {
                Round = round,
                Retrying = left.Length,
                Left = left.Length == batch.Sendable ? null : left,
                IsDone = left.Length == 0,
                Due = entry.Due ?? 0,
                Answers = entry.Answers ?? batch.Answers,
                Job = entry.Job,
            };
        }
        batches[entry.Batch - 1] = batch;
        RejectsLength = Math.Max(RejectsLength, entry.Rejects);
        if (entry.At > 0)
        {
            FirstAt ??= entry.At;
            LastAt = entry.At;
        }
    }

    private void Take(ReadOnlySpan<byte> line, string path)
    {
        try
        {
            Apply(JsonSerializer.Deserialize<JournalEntry>(line, Journal.Json) ?? throw new FormatException("It is null."));
        }
        catch (Exception e) when (e is JsonException or FormatException or OverflowException or ArgumentException)
        {
            throw new IOException(
                $"The run's journal {path} is damaged behind byte {Length}: what was sent is not known for sure.", e);
        }
    }
}

/// <summary>The progress of a batch.</summary>
internal readonly record struct BatchProgress
{
    public bool IsRead { get; init; }

    public bool IsDone { get; init; }

    /// <summary>Records of the file that it covers.</summary>
    public int Covers { get; init; }

    public int Sendable { get; init; }

    /// <summary>Rounds that have ended.</summary>
    public int Round { get; init; }

    /// <summary>Which are to be sent; null: all.</summary>
    public int[]? Left { get; init; }

    /// <summary>How many have failed at least once and are to be sent again.</summary>
    public int Retrying { get; init; }

    public long Due { get; init; }

    public int Answers { get; init; }

    /// <summary>The job that has them, if there is one.</summary>
    public string? Job { get; init; }
}

/// <summary>Sums over a run's records.</summary>
internal sealed record RunTally
{
    public long Read { get; init; }

    public long Succeeded { get; init; }

    public long Failed { get; init; }

    public long Invalid { get; init; }

    public long Retrying { get; init; }

    public long Ended => Succeeded + Failed + Invalid;
}
