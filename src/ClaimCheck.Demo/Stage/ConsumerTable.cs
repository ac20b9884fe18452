using Npgsql;

namespace ClaimCheck.Demo.Stage;

/// <summary>
/// An empty table in a schema of the consumer's own; on the service's server, so that nothing more has to be started.
/// </summary>
/// <param name="Database">Its connection string.</param>
internal sealed record ConsumerTable(string Database)
{
    public const string Name = "billing_orders";
    private const string Schema = "consumer";

    public static async Task<ConsumerTable> CreateAsync(ServiceProcess service, CancellationToken cancellationToken)
    {
        var server =
            new NpgsqlConnectionStringBuilder(await service.SampleConnectionAsync(cancellationToken)) { SearchPath = Schema };
        await using var source = NpgsqlDataSource.Create(server);
        await using var command = source.CreateCommand(
            $"""
            CREATE SCHEMA {Schema};
            CREATE TABLE {Schema}.{Name} (id bigint PRIMARY KEY, customer text, status text, amount numeric,
                                          currency text, note text, created_at timestamptz)
            """);
        await command.ExecuteNonQueryAsync(cancellationToken);
        return new(server.ConnectionString);
    }

    /// <summary>Count and sum over the table, computed as at the source.</summary>
    public Task<(long Count, string Sum)> SumAsync(CancellationToken cancellationToken) =>
        Order.SumAsync(Database, Name, cancellationToken);
}
