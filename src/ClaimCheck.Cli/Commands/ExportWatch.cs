namespace ClaimCheck.Cli.Commands;

/// <summary>Follows an export until it is ready or has ended. An outage of the service is waited out for a while.</summary>
internal static class ExportWatch
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestOutage = TimeSpan.FromMinutes(2);

    /// <exception cref="TimeoutException">It is neither within <paramref name="timeout"/>.</exception>
    public static async Task<Export> UntilSettledAsync(
        Session session, ExportId id, TimeSpan? timeout, Action<Export>? seen, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (timeout is { } limit)
            deadline.CancelAfter(limit);
        try
        {
            return await new LiveProgress(session.Screen).ShowAsync($"{id}", async show =>
            {
                while (true)
                {
                    var export = await LookAsync(session, id, deadline.Token);
                    seen?.Invoke(export);
                    var (records, bytes, _, estimated) = export.Progress;
                    show(new(export.State, records, estimated, bytes, export.Progress.SecondsLeft));
                    if (ExportState.IsSettled(export.State))
                        return export;
                }
            });
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            session.Screen.Note($"Interrupted. {id} continues at the service: 'claimcheck watch {id}' follows it, 'claimcheck "
                + $"revoke {id}' cancels it.");
            throw;
        }
        catch (OperationCanceledException e)
        {
            throw new TimeoutException(
                $"{id} is not ready after {timeout}; it continues at the service. Follow it with 'claimcheck watch {id}'.", e);
        }
    }

    /// <summary>Reports how an export that is not ready ended; its facts or its document are printed already.</summary>
    public static int Conclude(Session session, Export export)
    {
        if (export.State == ExportState.Ready)
            return ExitCodes.Ok;
        var why = export.Failure is { } failure ? $" ({failure.Code}): {failure.Detail}" : ".";
        session.Screen.Note($"claimcheck: {export.ExportId} is {export.State}{why}");
        return ExitCodes.Ended;
    }

    private static async Task<Export> LookAsync(Session session, ExportId id, CancellationToken cancellationToken)
    {
        var since = Stopwatch.GetTimestamp();
        for (var isFirst = true; ; isFirst = false)
        {
            try
            {
                return await session.Client.GetExportAsync(id, Look, cancellationToken);
            }
            catch (ServiceUnavailableException e) when (Stopwatch.GetElapsedTime(since) < LongestOutage)
            {
                if (isFirst)
                    session.Screen.Hint($"{e.Message} Trying again for {LongestOutage.TotalMinutes:0} minutes.");
                await Task.Delay(Look, cancellationToken);
            }
        }
    }
}
