namespace ClaimCheck.Import.Files;

/// <summary>Waits until nobody writes to a run's file, as far as that can be determined.</summary>
/// <param name="settle">How long a file has to be unchanged.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Logs where a file is waited for.</param>
/// <param name="runId">The run.</param>
/// <param name="isCancelled">Ends each wait.</param>
internal sealed partial class FileWatch(TimeSpan settle, TimeProvider time, ILogger logger, string runId, Func<bool> isCancelled)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);

    private bool isTold;

    /// <summary>The attributes that change when somebody writes.</summary>
    public static (long Bytes, DateTime WrittenAt) Stamp(string path)
    {
        var file = new FileInfo(path);
        return (file.Length, file.LastWriteTimeUtc);
    }

    /// <summary>Whether it is being written, or was since a moment.</summary>
    public static bool IsWritten(string path, (long Bytes, DateTime WrittenAt) since) =>
        Stamp(path) != since || Writers.Has(path) == true;

    public async Task UntilClosedAsync(string path, CancellationToken cancellationToken)
    {
        while (Writers.Has(path) == true && !isCancelled())
        {
            if (!isTold)
                Log.Open(logger, runId);
            isTold = true;
            await Task.Delay(Look, time, cancellationToken);
        }
    }

    /// <summary>Closed, and unchanged for as long as a file of the source has to be.</summary>
    public async Task UntilAtRestAsync(string path, CancellationToken cancellationToken)
    {
        while (!isCancelled())
        {
            await UntilClosedAsync(path, cancellationToken);
            var before = Stamp(path);
            await Task.Delay(settle, time, cancellationToken);
            if (!IsWritten(path, before))
                return;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Import {RunId} waits: its file is open for writing.")]
        public static partial void Open(ILogger logger, string runId);
    }
}
