using System.Text.Json.Serialization;

namespace ClaimCheck.Demo.Consuming;

/// <summary>The messages of the consumer's process, one line of JSON each. They never contain a link.</summary>
/// <param name="Said">One of <see cref="Words"/>.</param>
internal sealed record ConsumerLine(string Said)
{
    private static readonly JsonSerializerOptions Json = new(ClaimCheckJson.Options)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    public int? Process { get; init; }

    public EventId? EventId { get; init; }

    public BatchId? BatchId { get; init; }

    /// <summary>From the event's time to its handler.</summary>
    public double? AfterMilliseconds { get; init; }

    public int? Attempt { get; init; }

    public long? Records { get; init; }

    public string? Sum { get; init; }

    public double? Seconds { get; init; }

    public long? Memory { get; init; }

    public string? Reason { get; init; }

    public static ConsumerLine? Parse(string text) => JsonSerializer.Deserialize<ConsumerLine>(text, Json);

    public override string ToString() => JsonSerializer.Serialize(this, Json);

    public static class Words
    {
        public const string Listening = "listening";
        public const string Received = "received";
        public const string Reading = "reading";
        public const string Read = "read";
        public const string Failed = "failed";
        public const string Revoked = "revoked";
    }
}
