using System.Globalization;

namespace ClaimCheck.Import.Reading;

/// <summary>A line of a run's rejects.</summary>
/// <param name="Line">The line of the record.</param>
/// <param name="Class">Of the failure.</param>
/// <param name="Code">Of the failure.</param>
/// <param name="Record">The record's position in the line.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct RejectLine(long? Line, string? Class, string? Code, Range? Record)
{
    public static RejectLine Read(string line) => Read(Encoding.UTF8.GetBytes(line));

    /// <exception cref="JsonException">It is not JSON.</exception>
    public static RejectLine Read(ReadOnlySpan<byte> line)
    {
        var members = new List<JsonMember>();
        JsonMembers.TryRead(line, JsonDepth.Enveloped, members);
        var failure = default(RejectLine);
        foreach (var member in members)
        {
            failure = (member.Name, member.Kind) switch
            {
                ("line", JsonTokenType.Number) when long.TryParse(
                    member.In(line), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) =>
                    failure with { Line = number },
                ("class", JsonTokenType.String) => failure with { Class = member.TextIn(line) },
                ("code", JsonTokenType.String) => failure with { Code = member.TextIn(line) },
                ("record", _) => failure with { Record = member.Start..(member.Start + member.Length) },
                _ => failure,
            };
        }

        return failure;
    }
}
