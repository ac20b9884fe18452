using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using ClaimCheck.Service.Datasets;
using ClaimCheck.Service.Exporting;

namespace ClaimCheck.Service.BulkJobs;

/// <summary>
/// Values of items as the text that Postgres reads: of the same types, and in the same canonical forms, as those of datasets. From
/// JSON as it is; from CSV and from the records of a batch, where everything is text, also in the forms that an export writes.
/// </summary>
internal static class ItemValue
{
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <exception cref="FormatException">The value does not fit; the text is the rule, without the value.</exception>
    public static string Of(string type, ref Utf8JsonReader reader)
    {
        switch (type)
        {
            case "text" or "varchar" when reader.TokenType == JsonTokenType.String:
                return Text(ref reader);
            case "smallint" or "integer" or "bigint" when reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var whole) && Fits(type, whole):
                return whole.ToString(CultureInfo.InvariantCulture);
            case "boolean" when reader.TokenType is JsonTokenType.True or JsonTokenType.False:
                return reader.TokenType == JsonTokenType.True ? "true" : "false";
            default:
                return Of(type, JsonElement.ParseValue(ref reader));
        }
    }

    /// <exception cref="FormatException">The value does not fit; the text is the rule, without the value.</exception>
    public static string OfText(string type, string text)
    {
        if (text.Contains('\0', StringComparison.Ordinal))
            throw new FormatException("must be text without NUL characters");
        switch (type)
        {
            case "text" or "varchar":
                return text;
            case "boolean":
                return text switch { "t" or "true" => "true", "f" or "false" => "false", _ => throw new FormatException("must be true or false") };
            case "smallint" or "integer" or "bigint" when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) && Fits(type, whole):
                return whole.ToString(CultureInfo.InvariantCulture);
            case "real" or "double precision" or "numeric" when text is "NaN" or "Infinity" or "-Infinity":
                return text;
            case "smallint" or "integer" or "bigint" or "real" or "double precision" or "numeric":
                return Of(type, Parse(text, "must be a number"));
            case "json" or "jsonb":
                return Of(type, Parse(text, "must be JSON"));
            case "timestamptz" or "timestamp" or "date" when text is "infinity" or "-infinity":
                return text;
            case "timestamptz" when text is [.., '+' or '-', >= '0' and <= '9', >= '0' and <= '9']:
                return Of(type, JsonSerializer.SerializeToElement(text + ":00")); // as Postgres writes whole hours
        }

        if (!SourceTypes.IsArray(type))
            return Of(type, JsonSerializer.SerializeToElement(text));
        // {a,b} is Postgres' own form, which the target reads; [a,b] is JSON's.
        return text.StartsWith('{') ? text : Of(type, Parse(text, "must be an array"));
    }

    private static string Of(string type, JsonElement value)
    {
        var buffer = new ArrayBufferWriter<byte>(64);
        using (var writer = new Utf8JsonWriter(buffer, Readable))
            CanonicalValue.Write(writer, type, value, roundsTimes: false);
        return SourceTypes.IsJson(type)
            ? Encoding.UTF8.GetString(buffer.WrittenSpan)
            : SourceQuery.TextOf(JsonElement.Parse(buffer.WrittenSpan), type);
    }

    private static string Text(ref Utf8JsonReader reader)
    {
        try
        {
            var text = reader.GetString()!;
            return text.Contains('\0', StringComparison.Ordinal) ? throw new FormatException("must be text without NUL characters") : text;
        }
        catch (InvalidOperationException e)
        {
            throw new FormatException("must be well-formed Unicode text", e);
        }
    }

    private static bool Fits(string type, long value) => type switch
    {
        "smallint" => value is >= short.MinValue and <= short.MaxValue,
        "integer" => value is >= int.MinValue and <= int.MaxValue,
        _ => true,
    };

    private static JsonElement Parse(string text, string rule)
    {
        try
        {
            return JsonElement.Parse(text, new JsonDocumentOptions { MaxDepth = 32, AllowDuplicateProperties = false });
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw new FormatException(rule, e);
        }
    }
}
