using ClaimCheck.Consumer;
using Npgsql;

namespace ClaimCheck.EndToEnd.Tests.Consuming;

/// <summary>
/// Writes items to a table of its own, through the chunk's transaction. A table says which fail, how often and which terminally;
/// a row of another one, locked by a test, holds it at a place of the batch.
/// </summary>
internal sealed class ItemHandler(ConsumerSetup setup) : IRecordHandler<Item>
{
    public const string Tables = """
        CREATE TABLE fates (key bigint PRIMARY KEY, rounds int NOT NULL, terminal boolean NOT NULL);
        CREATE TABLE gates (place bigint PRIMARY KEY);
        CREATE TABLE seen (origin text, batch text, key bigint, times int NOT NULL DEFAULT 1, PRIMARY KEY (key, batch));
        CREATE TABLE applied (origin text, key bigint, times int NOT NULL DEFAULT 1, PRIMARY KEY (origin, key));
        CREATE TABLE discarded (batch text, applied bigint)
        """;

    public async Task HandleAsync(RecordChunk<Item> chunk, CancellationToken cancellationToken)
    {
        // As many batches as its rounds say have a transient failure of a record; after them the failure is
        // terminal, or it succeeds.
        const string sql = """
            WITH chunk AS (
                SELECT unnest(@keys) AS key
            ), outcomes AS (
                SELECT key,
                       CASE WHEN (SELECT count(*) FROM seen WHERE seen.key = chunk.key AND origin = @origin AND batch <> @batch) < rounds THEN 'transient'
                            WHEN terminal THEN 'terminal'
                        END AS class
                  FROM chunk
                  LEFT JOIN fates USING (key)
            ), noted AS (
                INSERT INTO seen (origin, batch, key)
                SELECT @origin, @batch, key FROM chunk
                ON CONFLICT (key, batch) DO UPDATE SET times = seen.times + 1
            ), effects AS (
                INSERT INTO applied (origin, key)
                SELECT @origin, key FROM outcomes WHERE class IS NULL
                ON CONFLICT (origin, key) DO UPDATE SET times = applied.times + 1
            )
            SELECT key, class FROM outcomes WHERE class IS NOT NULL
            """;
        await ExecuteAsync(chunk, "SELECT 1 FROM gates WHERE place = @value FOR SHARE", chunk.Start.Records, cancellationToken);
        if (setup.Pause > TimeSpan.Zero)
            await ExecuteAsync(chunk, "SELECT pg_sleep(@value)", setup.Pause.TotalSeconds, cancellationToken);
        await using var command = new NpgsqlCommand(sql, chunk.Connection, chunk.Transaction);
        var keys = new List<long>();
        foreach (var item in chunk)
            keys.Add(item.Value.Id);
        command.Parameters.AddWithValue("keys", keys);
        command.Parameters.AddWithValue("batch", chunk.BatchId.ToString());
        command.Parameters.AddWithValue("origin", (chunk.Ready.RetryOf ?? chunk.BatchId).ToString());
        var failed = new Dictionary<long, string>();
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
                failed[reader.GetInt64(0)] = reader.GetString(1);
        }
        foreach (var item in chunk)
        {
            switch (failed.GetValueOrDefault(item.Value.Id))
            {
                case "transient":
                    item.FailTransient("db_down");
                    break;
                case "terminal":
                    item.FailTerminal("unknown_item");
                    break;
            }
        }
    }

    public async Task OnRevokedAsync(BatchDiscard discard, CancellationToken cancellationToken)
    {
        const string sql = """
            WITH gone AS (DELETE FROM applied WHERE origin = @batch)
            INSERT INTO discarded (batch, applied) VALUES (@batch, @applied)
            """;
        await using var command = new NpgsqlCommand(sql, discard.Connection, discard.Transaction);
        command.Parameters.AddWithValue("batch", discard.BatchId.ToString());
        command.Parameters.AddWithValue("applied", discard.Applied.Records);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task ExecuteAsync(RecordChunk<Item> chunk, string sql, object value, CancellationToken cancellationToken)
    {
#pragma warning disable CA2100 // The literals above.
        await using var command = new NpgsqlCommand(sql, chunk.Connection, chunk.Transaction);
#pragma warning restore CA2100
        command.Parameters.AddWithValue("value", value);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
