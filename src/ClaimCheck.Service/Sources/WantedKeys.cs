namespace ClaimCheck.Service.Sources;

/// <summary>The keys of the slice that a retry reads, removed as their records pass; the remaining ones are gone from the
/// source.</summary>
/// <param name="column">The dataset's key.</param>
/// <param name="format">The format in which the consumer saw the keys.</param>
internal sealed class WantedKeys(ResultColumn column, string format)
{
    // From the database's text of a value to the key as the consumer gave it.
    private readonly Dictionary<string, string> left = new(StringComparer.Ordinal);
    private readonly List<string> unreadable = [];

    /// <summary>The key's type as a cast names it.</summary>
    public string Type => column.Type;

    /// <summary>Keys that no record had, as the consumer gave them.</summary>
    public IReadOnlyCollection<string> Left => [.. left.Values, .. unreadable];

    /// <summary>The next slice, as the database would write the keys.</summary>
    public IReadOnlyList<string> Begin(IReadOnlyList<string> keys)
    {
        left.Clear();
        unreadable.Clear();
        foreach (var key in keys)
        {
            // Two keys with the same value: the record is sent once, and the other key belongs to none.
            if (TextOf(key) is not { } text || !left.TryAdd(text, key))
                unreadable.Add(key);
        }

        return [.. left.Keys];
    }

    /// <summary>A record of the slice passes.</summary>
    /// <exception cref="SourceException">No such key is wanted: the query has two records with one key, or
    /// returns other records.</exception>
    public void Take(ReadOnlySpan<byte> key)
    {
        if (!left.Remove(Encoding.UTF8.GetString(key)))
            throw new SourceException("key_not_unique", "The query has two records of one key.", isTransient: false);
    }

    // JSON writes some types differently: converted back to the database's text.
    private string? TextOf(string key)
    {
        if (format != "ndjson")
            return key;
        return JsonKinds.Of(column.Value) switch
        {
            JsonKind.Boolean => key switch { "true" => "t", "false" => "f", _ => null },
            JsonKind.Timestamp => IsTime(key) ? Spaced(key) : IsCommon(key, "") ? null : key,
            JsonKind.TimestampWithZone =>
                IsTime(key) && key.EndsWith('Z') ? Spaced(key[..^1]) + "+00" : IsCommon(key, "+00") ? null : key,
            JsonKind.Bytes => Base64(key),
            JsonKind.Array => null,
            _ => key,
        };
    }

    // The database's own text of a time that JSON writes differently: no consumer has seen it like that.
    private static bool IsCommon(string key, string zone) =>
        ValueForms.IsTimestamp(Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(zone), out var isCommon) && isCommon;

    private static bool IsTime(string key) => key.Length >= 19 && key[10] == 'T';

    private static string Spaced(string time) => string.Concat(time.AsSpan(0, 10), " ", time.AsSpan(11));

    private static string? Base64(string key)
    {
        var bytes = new byte[key.Length];
        // Blanks and unused bits are accepted too: then it is not the text that a record has.
        return Convert.TryFromBase64String(key, bytes, out var length) && Convert.ToBase64String(bytes.AsSpan(0, length)) == key
            ? @"\x" + Convert.ToHexStringLower(bytes.AsSpan(0, length))
            : null;
    }
}
