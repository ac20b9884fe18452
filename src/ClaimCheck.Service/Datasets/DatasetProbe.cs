using ClaimCheck.Service.Exporting;

namespace ClaimCheck.Service.Datasets;

/// <summary>One dataset's availability: asked for when someone wants to know, at most once every few seconds.</summary>
internal sealed partial class DatasetProbe(Dataset dataset, SourceDatabases sources, TimeProvider clock, ILogger logger)
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(5);

    private readonly Lock gate = new();
    private Task<SourceAnswer>? latest;
    private long answeredAt;
    private IReadOnlyList<ResultColumn>? columns;
    private string? reported;

    public Dataset Dataset => dataset;

    public async Task<DatasetAvailability> ProbeAsync(CancellationToken cancellationToken) =>
        await AnswerAsync(cancellationToken) switch
        {
            SourceAnswer.Described described => new DatasetAvailability(true, described.Columns),
            SourceAnswer.Unreachable unreachable => new DatasetAvailability(false, Volatile.Read(ref columns), unreachable.Reason),
            SourceAnswer.Faulty faulty => new DatasetAvailability(false, Volatile.Read(ref columns), faulty.Reason),
            var other => throw new InvalidOperationException($"{other} is no answer."),
        };

    /// <summary>The source's answer, a few seconds old at most. Callers share one question; none of them can cancel it for the others.</summary>
    public Task<SourceAnswer> AnswerAsync(CancellationToken cancellationToken)
    {
        lock (gate)
        {
            if (latest is null || (latest.IsCompleted && clock.GetElapsedTime(Interlocked.Read(ref answeredAt)) >= Fresh))
                latest = AskAsync();
            return latest.WaitAsync(cancellationToken);
        }
    }

    private async Task<SourceAnswer> AskAsync()
    {
        try
        {
            var answer = await SourceCheck.AskAsync(sources, dataset, CancellationToken.None);
            Report(answer);
            return answer;
        }
        finally
        {
            Interlocked.Exchange(ref answeredAt, clock.GetTimestamp());
        }
    }

    // Once for each change, not for each question.
    private void Report(SourceAnswer answer)
    {
        var reason = answer switch
        {
            SourceAnswer.Unreachable unreachable => unreachable.Reason,
            SourceAnswer.Faulty faulty => faulty.Reason,
            _ => null,
        };
        if (answer is SourceAnswer.Described described)
            Volatile.Write(ref columns, described.Columns);
        if (reason is not null && reason != reported)
            Log.Unavailable(logger, dataset.Name, dataset.Source, reason);
        if (reason is null && reported is not null)
            Log.AvailableAgain(logger, dataset.Name, dataset.Source);
        reported = reason;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Dataset {Dataset} is unavailable until its source {Source} answers: {Reason}.")]
        public static partial void Unavailable(ILogger logger, string dataset, string source, string reason);

        [LoggerMessage(LogLevel.Information, "Dataset {Dataset} is available: its source {Source} answers.")]
        public static partial void AvailableAgain(ILogger logger, string dataset, string source);
    }
}
