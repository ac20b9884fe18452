namespace ClaimCheck.Import.Running;

/// <summary>
/// Removes the directories of an import's runs that were settled long ago, with their rejects. What they have imported is still
/// remembered. remembered. A run that is not settled is never removed.
/// </summary>
internal sealed partial class RunRetention(ImportRuns runs, RunContext context)
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);
    private long? swept;

    /// <summary>Checks all runs, unless it did so within the last hour.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        if (swept is { } last && context.Time.GetElapsedTime(last) < Interval)
            return;
        swept = context.Time.GetTimestamp();
        try
        {
            var moment = context.Time.GetUtcNow() - context.Options.Retention;
            runs.RemoveRests(moment);
            var removed = 0;
            foreach (var run in await runs.SettledBeforeAsync(context.Options.Name, moment, cancellationToken))
            {
                cancellationToken.ThrowIfCancellationRequested();
                removed += await RemoveAsync(run, cancellationToken) ? 1 : 0;
            }
            if (removed > 0)
                Log.Removed(context.Logger, removed, context.Options.Name, context.Options.Retention);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Another process removes the same ones, or the disk is at fault: imports do not depend on it.
            Log.NotRemoved(context.Logger, context.Options.Name, e.Message);
        }
    }

    private async Task<bool> RemoveAsync(RunDocument run, CancellationToken cancellationToken)
    {
        // Its original run names it, and would have it created again.
        if (run.RetryOf is { } parent && runs.Has(parent))
            return false;
        var directory = runs.DirectoryOf(run.RunId);
        using var held = await directory.TryLockAsync(cancellationToken);
        if (held is null)
            return false;
        await context.Seen.RetireAsync(run, cancellationToken);
        runs.Remove(directory);
        return true;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "{Count} runs of {Import} that were settled more than {Retention} ago are removed.")]
        public static partial void Removed(ILogger logger, int count, string import, TimeSpan retention);

        [LoggerMessage(LogLevel.Warning, "Runs of {Import} whose retention is over could not be removed at present. {Reason}")]
        public static partial void NotRemoved(ILogger logger, string import, string reason);
    }
}
