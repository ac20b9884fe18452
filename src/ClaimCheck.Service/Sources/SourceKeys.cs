namespace ClaimCheck.Service.Sources;

/// <summary>Separates keys that a record can have from impossible ones: consumers report keys as text, and text that is not a
/// value of the key's type must not fail the statement for the others.</summary>
internal static class SourceKeys
{
    // Of the class "data exception" (https://www.postgresql.org/docs/current/errcodes-appendix.html): the text is not a value of
    // the type.
    private const string DataException = "22";

    /// <param name="connection">A connection in a transaction, for a savepoint.</param>
    /// <param name="keys">Texts without NUL characters.</param>
    /// <param name="type">As the database itself wrote it.</param>
    public static async Task<IReadOnlyList<string>> CanonicalAsync(
        NpgsqlConnection connection, IReadOnlyList<string> keys, string type, CancellationToken cancellationToken)
    {
        var likely = keys.Where(Likely(type)).ToArray();
        if (likely.Length == 0)
            return [];
        if (connection.PostgreSqlVersion.Major >= 16)
        {
            return await AskAsync(
                connection, "SELECT k FROM unnest($1) k WHERE CASE WHEN pg_input_is_valid(k, $2) THEN format('%s', CAST(k AS "
                    + $"{type})) = k ELSE false END",
                likely, type, cancellationToken);
        }

        var canonical = new List<string>(likely.Length);
        var halves = new Stack<ArraySegment<string>>([likely]);
        while (halves.TryPop(out var half))
        {
            if (await TryAsync(connection, half, type, cancellationToken) is { } found)
                canonical.AddRange(found);
            else if (half.Count > 1)
            {
                halves.Push(half[..(half.Count / 2)]);
                halves.Push(half[(half.Count / 2)..]);
            }
        }

        return canonical;
    }

    // Null where one of them is not a value of the type: then each half is tried, down to that key.
    private static async Task<IReadOnlyList<string>?> TryAsync(
        NpgsqlConnection connection, ArraySegment<string> keys, string type, CancellationToken cancellationToken)
    {
        await ExecuteAsync(connection, "SAVEPOINT keys", cancellationToken);
        try
        {
            var found = await AskAsync(
                connection, $"SELECT k FROM unnest($1) k WHERE format('%s', CAST(k AS {type})) = k", [.. keys], null,
                cancellationToken);
            await ExecuteAsync(connection, "RELEASE keys", cancellationToken);
            return found;
        }
        catch (PostgresException e) when (e.SqlState.StartsWith(DataException, StringComparison.Ordinal))
        {
            await ExecuteAsync(connection, "ROLLBACK TO keys; RELEASE keys", cancellationToken);
            return null;
        }
    }

    private static async Task<IReadOnlyList<string>> AskAsync(
        NpgsqlConnection connection, string sql, string[] keys, string? type, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = keys });
        if (type is not null)
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = type });
        var found = new List<string>(keys.Length);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            found.Add(reader.GetString(0));
        return found;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    // The usual types of keys are checked here, so that nonsense from a consumer costs the source nothing.
    private static Func<string, bool> Likely(string type) => type switch
    {
        "smallint" => key => short.TryParse(key, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _),
        "integer" => key => int.TryParse(key, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _),
        "bigint" => key => long.TryParse(key, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _),
        "uuid" => key => Guid.TryParseExact(key, "D", out _),
        _ => _ => true,
    };
}
