namespace ClaimCheck.Adapter.Tables;

/// <summary>
/// The settings that a value's meaning as text depends on, as the service's sources are read with. They are set in the
/// transaction that loads: settings of the database, the role or a pooler must not change a record.
/// </summary>
internal static class TextSettings
{
    // Money is an integer of the locale's smallest unit, written in the locale's way; exports write it so where that is a
    // hundredth.
    private const string Sql = """
        SELECT set_config('TimeZone', 'UTC', true), set_config('DateStyle', 'ISO', true),
               set_config('IntervalStyle', 'iso_8601', true),
               set_config('standard_conforming_strings', 'on', true), set_config('array_nulls', 'on', true),
               set_config('xmloption', 'content', true),
               set_config('lc_monetary',
                          CASE WHEN cash_send(1::numeric::money) = int8send(100) THEN 'C'
                               ELSE current_setting('lc_monetary') END, true)
        """;

    public static async Task SetAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Sql, connection, transaction);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
