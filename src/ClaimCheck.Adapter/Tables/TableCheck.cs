using System.Net.Sockets;
using ClaimCheck.Adapter.Routes;
using ClaimCheck.Adapter.Settings;
using ClaimCheck.Consumer;
using ClaimCheck.Consumer.Databases;
using ClaimCheck.Consumer.Inbox;
using ClaimCheck.Contracts;
using Npgsql;

namespace ClaimCheck.Adapter.Tables;

/// <summary>
/// Checks tables against their datasets when the adapter starts, and for <c>--check</c>. What can't be reached then is checked
/// when the first batch comes.
/// </summary>
internal static partial class TableCheck
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <exception cref="SettingsException">A table does not fit.</exception>
    public static async Task StartAsync(AdapterSettings settings, ILogger logger)
    {
        if (!settings.Routes.Any(route => route.Destination is TableDestination))
            return;
        var errors = new SettingsErrors();
        using var client = ClientOf(settings);
        foreach (var route in settings.Routes.Where(route => route.Destination is TableDestination))
        {
            using var limit = new CancellationTokenSource(Patience);
            try
            {
                await CheckAsync(route, client, limit.Token);
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

    /// <exception cref="ClaimCheckException">It does not fit, or can't be checked.</exception>
    public static async Task CheckAsync(Route route, ClaimCheckClient client, CancellationToken cancellationToken)
    {
        var table = (TableDestination)route.Destination;
        var dataset = await client.GetDatasetAsync(route.Dataset, cancellationToken);
        if (dataset is not { Columns: { } columns, Key: { } key })
            throw new ServiceUnavailableException("dataset_unavailable", $"The columns of {route.Dataset} are not known: its source was never reached.");
        try
        {
            await using var database = new InboxDatabase(TableDestinations.InboxOf(table));
            await using var connection = await database.OpenAsync(cancellationToken);
            await new TableSchema(table).PlanAsync(connection, columns, key, cancellationToken);
        }
        catch (Exception e) when (e is NpgsqlException or SocketException or InboxUnavailableException)
        {
            var failure = DatabaseFailure.Of(e is InboxUnavailableException ? e.InnerException! : e);
            throw new TableException(
                TableException.Refused, $"The database of table {table.Table} can't be used. {failure.Text}", null, failure.Passes, e);
        }
    }

    private static ClaimCheckClient ClientOf(AdapterSettings settings) => new(new ClaimCheckClientOptions
    {
        BaseAddress = settings.Service,
        ApiKey = settings.ApiKey,
        Consumer = settings.Consumer,
        MaxAttempts = 1,
    });

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Whether the table of route {Route} fits its dataset is not known yet; it is checked when its first batch comes. {Reason}")]
        public static partial void NotChecked(ILogger logger, string route, string reason);
    }
}
