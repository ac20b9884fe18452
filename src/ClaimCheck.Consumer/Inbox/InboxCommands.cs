namespace ClaimCheck.Consumer.Inbox;

/// <summary>The inbox's statements, each with its parameters.</summary>
internal static class InboxCommands
{
#pragma warning disable CA2100 // All are constants of this project.
    public static NpgsqlCommand Command(
        this NpgsqlTransaction transaction, string sql, params ReadOnlySpan<(string Name, object? Value)> values) =>
        With(new NpgsqlCommand(sql, transaction.Connection, transaction), values);
#pragma warning restore CA2100

    /// <summary>One of a batch of commands.</summary>
    public static NpgsqlBatchCommand OfBatch(string sql, params ReadOnlySpan<(string Name, object? Value)> values)
    {
        var command = new NpgsqlBatchCommand(sql);
        Add(command.Parameters, values);
        return command;
    }

    private static NpgsqlCommand With(NpgsqlCommand command, ReadOnlySpan<(string Name, object? Value)> values)
    {
        Add(command.Parameters, values);
        return command;
    }

    // NULL is of the type of the column that it is for.
    private static void Add(NpgsqlParameterCollection parameters, ReadOnlySpan<(string Name, object? Value)> values)
    {
        foreach (var (name, value) in values)
            parameters.AddWithValue(name, value ?? DBNull.Value);
    }
}
