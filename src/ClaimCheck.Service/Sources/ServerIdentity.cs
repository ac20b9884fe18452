namespace ClaimCheck.Service.Sources;

/// <summary>Which server a session is on. A balancer or a pooler may lead two connections to two servers.</summary>
/// <param name="System">The identifier that the cluster was initialised with; null where the role may not read it.</param>
/// <param name="IsStandby">Distinguishes a standby from its primary, which have the same identifier.</param>
/// <param name="Start">When it was started: distinguishes two standbys.</param>
internal sealed record ServerIdentity(long? System, bool IsStandby, DateTimeOffset Start)
{
    public static async Task<ServerIdentity> ReadAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        // A function that may not be executed would end the transaction.
        await using var asked = new NpgsqlCommand(
            "SELECT has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')", connection);
        var mayRead = await asked.ExecuteScalarAsync(cancellationToken) is true;
        await using var command = new NpgsqlCommand(
            $"SELECT {(mayRead ? "(SELECT system_identifier FROM pg_catalog.pg_control_system())" : "NULL::bigint")}, "
            + "pg_is_in_recovery(), pg_postmaster_start_time()",
            connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new(
            await reader.IsDBNullAsync(0, cancellationToken) ? null : reader.GetInt64(0),
            reader.GetBoolean(1),
            reader.GetFieldValue<DateTimeOffset>(2));
    }
}
