using System.Buffers;

namespace ClaimCheck.Contracts;

/// <summary>Names one export: <c>exp_</c> and a UUIDv7 as 32 lower-case hex digits.</summary>
/// <param name="Value">The UUID itself.</param>
[JsonConverter(typeof(ExportIdConverter))]
public readonly record struct ExportId(Guid Value)
{
    /// <summary>A new id; later ids sort after earlier ones, to the millisecond.</summary>
    public static ExportId New() => new(Guid.CreateVersion7());

    /// <summary>Reads the wire form.</summary>
    /// <returns>False when <paramref name="text"/> is not exactly the wire form.</returns>
    public static bool TryParse([NotNullWhen(true)] string? text, out ExportId id)
    {
        var parsed = PrefixedId.TryParse("exp_", text, out var value);
        id = new(value);
        return parsed;
    }

    /// <summary>The wire form.</summary>
    public override string ToString() => PrefixedId.Format("exp_", Value);

    private sealed class ExportIdConverter : JsonConverter<ExportId>
    {
        public override ExportId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            TryParse(reader.GetString(), out var id) ? id : throw new JsonException("Not an export id.");

        public override void Write(Utf8JsonWriter writer, ExportId value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.ToString());
    }
}

/// <summary>Names one batch, the thing that can be revoked: <c>bat_</c> and a UUIDv7 as 32 lower-case hex digits.</summary>
/// <param name="Value">The UUID itself.</param>
[JsonConverter(typeof(BatchIdConverter))]
public readonly record struct BatchId(Guid Value)
{
    /// <summary>A new id; later ids sort after earlier ones, to the millisecond.</summary>
    public static BatchId New() => new(Guid.CreateVersion7());

    /// <summary>Reads the wire form.</summary>
    /// <returns>False when <paramref name="text"/> is not exactly the wire form.</returns>
    public static bool TryParse([NotNullWhen(true)] string? text, out BatchId id)
    {
        var parsed = PrefixedId.TryParse("bat_", text, out var value);
        id = new(value);
        return parsed;
    }

    /// <summary>The wire form.</summary>
    public override string ToString() => PrefixedId.Format("bat_", Value);

    private sealed class BatchIdConverter : JsonConverter<BatchId>
    {
        public override BatchId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            TryParse(reader.GetString(), out var id) ? id : throw new JsonException("Not a batch id.");

        public override void Write(Utf8JsonWriter writer, BatchId value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.ToString());
    }
}

/// <summary>Names one event, the same over all its deliveries: <c>evt_</c> and a UUIDv7 as 32 lower-case hex digits.</summary>
/// <param name="Value">The UUID itself.</param>
[JsonConverter(typeof(EventIdConverter))]
public readonly record struct EventId(Guid Value)
{
    /// <summary>A new id; later ids sort after earlier ones, to the millisecond.</summary>
    public static EventId New() => new(Guid.CreateVersion7());

    /// <summary>Reads the wire form.</summary>
    /// <returns>False when <paramref name="text"/> is not exactly the wire form.</returns>
    public static bool TryParse([NotNullWhen(true)] string? text, out EventId id)
    {
        var parsed = PrefixedId.TryParse("evt_", text, out var value);
        id = new(value);
        return parsed;
    }

    /// <summary>The wire form.</summary>
    public override string ToString() => PrefixedId.Format("evt_", Value);

    private sealed class EventIdConverter : JsonConverter<EventId>
    {
        public override EventId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            TryParse(reader.GetString(), out var id) ? id : throw new JsonException("Not an event id.");

        public override void Write(Utf8JsonWriter writer, EventId value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.ToString());
    }
}

/// <summary>Names one subscription: <c>sub_</c> and a UUIDv7 as 32 lower-case hex digits.</summary>
/// <param name="Value">The UUID itself.</param>
[JsonConverter(typeof(SubscriptionIdConverter))]
public readonly record struct SubscriptionId(Guid Value)
{
    /// <summary>A new id; later ids sort after earlier ones, to the millisecond.</summary>
    public static SubscriptionId New() => new(Guid.CreateVersion7());

    /// <summary>Reads the wire form.</summary>
    /// <returns>False when <paramref name="text"/> is not exactly the wire form.</returns>
    public static bool TryParse([NotNullWhen(true)] string? text, out SubscriptionId id)
    {
        var parsed = PrefixedId.TryParse("sub_", text, out var value);
        id = new(value);
        return parsed;
    }

    /// <summary>The wire form.</summary>
    public override string ToString() => PrefixedId.Format("sub_", Value);

    private sealed class SubscriptionIdConverter : JsonConverter<SubscriptionId>
    {
        public override SubscriptionId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            TryParse(reader.GetString(), out var id) ? id : throw new JsonException("Not a subscription id.");

        public override void Write(Utf8JsonWriter writer, SubscriptionId value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.ToString());
    }
}

internal static class PrefixedId
{
    private static readonly SearchValues<char> LowerHex = SearchValues.Create("0123456789abcdef");

    public static string Format(string prefix, Guid value) => prefix + value.ToString("N");

    public static bool TryParse(string prefix, string? text, out Guid value)
    {
        value = default;
        return text is not null
            && text.Length == prefix.Length + 32
            && text.StartsWith(prefix, StringComparison.Ordinal)
            && !text.AsSpan(prefix.Length).ContainsAnyExcept(LowerHex)
            && Guid.TryParseExact(text.AsSpan(prefix.Length), "N", out value);
    }
}
