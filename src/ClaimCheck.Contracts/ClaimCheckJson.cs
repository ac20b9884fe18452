using System.Text.Encodings.Web;

namespace ClaimCheck.Contracts;

/// <summary>How ClaimCheck's JSON is written and read: camelCase, times in RFC 3339 UTC, nulls written out.</summary>
public static class ClaimCheckJson
{
    /// <summary>The options every part of ClaimCheck uses. Read-only.</summary>
    public static JsonSerializerOptions Options { get; } = Create();

    /// <summary>Configures <paramref name="options"/> to read and write as ClaimCheck does.</summary>
    public static void Configure(JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.PropertyNamingPolicy = JsonNamingPolicy.CamelCase;
        options.DictionaryKeyPolicy = null;
        options.DefaultIgnoreCondition = JsonIgnoreCondition.Never;
        // Bodies are application/json, never inlined into HTML: quotes and '&' of links stay readable.
        options.Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
        options.Converters.Add(new UtcTimeConverter());
        options.NumberHandling = JsonNumberHandling.Strict;
    }

    private static JsonSerializerOptions Create()
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.General);
        Configure(options);
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }

    // RFC 3339 with "Z": 2026-01-01T00:00:00.123456Z, trailing zeros dropped.
    private sealed class UtcTimeConverter : JsonConverter<DateTimeOffset>
    {
        public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.GetDateTimeOffset();

        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'"));
    }
}
