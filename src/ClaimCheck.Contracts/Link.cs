namespace ClaimCheck.Contracts;

/// <summary>
/// A presigned URL. It is a capability: everybody who has it can read the object. It is written to JSON in full,
/// and to everything else (logs, traces, exception messages, string interpolation) as <c>[link]</c>.
/// </summary>
[JsonConverter(typeof(LinkConverter))]
[SuppressMessage("Design", "CA1056", Justification = "A System.Uri would normalise the signed form, and print it.")]
[SuppressMessage("Design", "CA1054", Justification = "As above.")]
public sealed class Link(string url) : IEquatable<Link>
{
    private readonly string url = url ?? throw new ArgumentNullException(nameof(url));

    /// <summary>The URL in the clear. Pass it to an HTTP client; never print it.</summary>
    public string Reveal() => url;

    /// <summary>Always <c>[link]</c>.</summary>
    public override string ToString() => "[link]";

    /// <inheritdoc/>
    public bool Equals(Link? other) => other is not null && other.url == url;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Link);

    /// <inheritdoc/>
    public override int GetHashCode() => url.GetHashCode(StringComparison.Ordinal);

    private sealed class LinkConverter : JsonConverter<Link>
    {
        public override Link? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.GetString() is { } url ? new Link(url) : null;

        public override void Write(Utf8JsonWriter writer, Link value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.Reveal());
    }
}
