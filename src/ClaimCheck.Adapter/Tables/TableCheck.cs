using System.Net.Sockets;
using ClaimCheck.Consumer.Databases;
using ClaimCheck.Consumer.Inbox;

namespace ClaimCheck.Adapter.Tables;

/// <summary>Checks a table against its dataset.</summary>
internal static class TableCheck
{
    /// <exception cref="ClaimCheckException">It does not fit, or can't be checked.</exception>
    public static async Task CheckAsync(
        TableDestination table, string dataset, ClaimCheckClient client, CancellationToken cancellationToken)
    {
        if (await client.GetDatasetAsync(dataset, cancellationToken) is not { Columns: { } columns, Key: { } key })
            throw new ServiceUnavailableException(
                "dataset_unavailable", $"The columns of {dataset} are not known: its source was never reached.");
        try
        {
            await using var database = new InboxDatabase(TableInboxes.OptionsOf(table));
            await using var connection = await database.OpenAsync(cancellationToken);
            await new TableSchema(table).PlanAsync(connection, columns, key, cancellationToken);
        }
        catch (Exception e) when (e is NpgsqlException or SocketException or InboxUnavailableException)
        {
            var failure = DatabaseFailure.Of(e is InboxUnavailableException ? e.InnerException! : e);
            throw new TableException(
                TableException.Refused, $"The database of table {table.Table} can't be used. {failure.Text}", null,
                failure.Passes, e);
        }
    }
}
