namespace ClaimCheck.Consumer.Inbox;

/// <summary>Stores the cursor of the event feed beside what was applied of it.</summary>
internal sealed partial class InboxCursorStore(
    InboxDatabase database, string consumer, ILogger<InboxCursorStore> logger) : ICursorStore
{
    public async Task<string?> LoadAsync(CancellationToken cancellationToken)
    {
        for (var failures = 0; ;)
        {
            try
            {
                return await ReadAsync(cancellationToken);
            }
            catch (InboxUnavailableException e)
            {
                // Without it the listener can't begin, but an outage does not justify stopping the host.
                var pause = Backoff.After(++failures, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));
                Log.NotRead(logger, pause, e.Message);
                await Task.Delay(pause, cancellationToken);
            }
        }
    }

    private Task<string?> ReadAsync(CancellationToken cancellationToken) => database.TransactAsync(
        async transaction =>
        {
            const string sql = "SELECT cursor FROM claimcheck.inbox_cursors WHERE consumer = @consumer";
            await using var command = transaction.Command(sql, ("consumer", consumer));
            return (string?)await command.ExecuteScalarAsync(cancellationToken);
        }, cancellationToken);

    public Task SaveAsync(string cursor, CancellationToken cancellationToken) => database.TransactAsync(
        async transaction =>
        {
            const string sql = """
                INSERT INTO claimcheck.inbox_cursors (consumer, cursor)
                VALUES (@consumer, @cursor)
                ON CONFLICT (consumer) DO UPDATE SET cursor = excluded.cursor, updated_at = now()
                """;
            await using var command = transaction.Command(sql, ("consumer", consumer), ("cursor", cursor));
            return await command.ExecuteNonQueryAsync(cancellationToken);
        }, cancellationToken);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "The cursor of the event feed could not be read, trying again in {Pause}: {Reason}")]
        public static partial void NotRead(ILogger logger, TimeSpan pause, string reason);
    }
}
