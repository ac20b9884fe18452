namespace ClaimCheck.Service.Sources;

/// <summary>The settings that the text of a value depends on, with their values. They are set in the very transaction that reads
/// or writes: poolers refuse or drop what a connection string asks for, and may lend the session to others a moment
/// later.</summary>
internal static class SessionPins
{
    private const string DateStyle = "DateStyle";
    private const string Money = "lc_monetary";

    // The order of day and month stays the source's own (DateStyle): no text that is written here depends on it.
    private static readonly (string Name, string Value)[] Fixed =
    [
        ("TimeZone", "UTC"), (DateStyle, "ISO"), ("IntervalStyle", "iso_8601"), ("extra_float_digits", "1"),
        ("bytea_output", "hex"),
        ("client_encoding", "UTF8"), ("standard_conforming_strings", "on"), ("array_nulls", "on"),
        ("quote_all_identifiers", "off"),
        ("xmlbinary", "base64"), ("xmloption", "content"),
    ];

    // Money is an integer of the locale's smallest unit, written in the locale's way. Where that is a hundredth, the C locale is
    // used; where it is not, another locale would write another amount.
    private const string SetMoney =
        $"set_config('{Money}', CASE WHEN cash_send(1::numeric::money) = int8send(100) THEN 'C' ELSE "
        + $"current_setting('{Money}') END, true)";

    private static readonly string[] Names = [.. Fixed.Select(pin => pin.Name), Money];

    /// <summary>Sets them for the transaction: an expression list, behind SELECT or PERFORM.</summary>
    public static string Set { get; } = string.Join(", ", Fixed.Select(pin => $"set_config('{pin.Name}', '{pin.Value}', true)"))
        + ", " + SetMoney;

    /// <summary>Their present values: an expression of type <c>text[]</c>.</summary>
    public static string Read { get; } = $"ARRAY[{string.Join(", ", Names.Select(name => $"current_setting('{name}')"))}]";

    /// <summary>A statement without a result that sets them, to go first in a batch; it is part of the
    /// batch's transaction.</summary>
    public static string Block { get; } = $"DO $claimcheck$ BEGIN PERFORM {Set}; END $claimcheck$";

    /// <summary>A query that makes the server check every few seconds whether its client is still connected, and end the
    /// statement if not: otherwise a query would run on for nobody. Only where the server has that setting (14 and newer, on
    /// Linux) and its operator has not set it.</summary>
    /// <param name="isLocal">For the transaction; else for the session.</param>
    public static string NoticesTheEnd(bool isLocal) =>
        $"SELECT set_config(name, '5s', {(isLocal ? "true" : "false")}) FROM pg_catalog.pg_settings "
        + "WHERE name = 'client_connection_check_interval' AND setting = '0' AND version() LIKE '%linux%'";

    /// <summary>The first setting that is not what it was set to, or null.</summary>
    /// <param name="values">As <see cref="Read"/> answers.</param>
    public static string? Fault(IReadOnlyList<string> values) =>
        Fixed.Where(
            (pin, i) => pin.Name == DateStyle ? !values[i].StartsWith("ISO", StringComparison.Ordinal) : values[i] != pin.Value)
            .Select(pin => pin.Name)
            .FirstOrDefault();

    /// <summary>The first setting that has changed, or null.</summary>
    public static string? Change(IReadOnlyList<string> before, IReadOnlyList<string> after) =>
        Names.Where((_, i) => before[i] != after[i]).FirstOrDefault();
}
