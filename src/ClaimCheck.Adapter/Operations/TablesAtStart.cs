namespace ClaimCheck.Adapter.Operations;

/// <summary>Checks tables against their datasets when the adapter starts. What can't be reached then is checked when the first
/// batch comes.</summary>
internal static partial class TablesAtStart
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <exception cref="CanNotStartException">A table does not fit.</exception>
    public static async Task CheckAsync(CheckedAdapterOptions options, ILogger logger)
    {
        if (!options.Routes.Any(route => route.Destination is TableDestination))
            return;
        var errors = new OptionsErrors();
        using var client = ServiceApi.ClientOf(options);
        foreach (var route in options.Routes)
        {
            if (route.Destination is not TableDestination table)
                continue;
            using var limit = new CancellationTokenSource(Patience);
            try
            {
                await TableCheck.CheckAsync(table, route.Dataset, client, limit.Token);
            }
            catch (TableException e) when (!e.IsTransient)
            {
                errors.Add($"Adapter:Routes:{route.Name}:Destination: {e.Message}");
            }
            catch (Exception e) when (e is ClaimCheckException or OperationCanceledException)
            {
                Log.NotChecked(logger, route.Name, e is ClaimCheckException ? e.Message : $"Nothing answered within {Patience}.");
            }
        }

        errors.ThrowIfAny();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Whether the table of route {Route} fits its dataset is not known yet; it is checked "
            + "when its first batch comes. {Reason}")]
        public static partial void NotChecked(ILogger logger, string route, string reason);
    }
}
