namespace ClaimCheck.Service.Sources;

/// <summary>An export can't continue. The code is stable; the text contains no data of records and no link.</summary>
internal sealed class SourceException(string code, string detail, bool isTransient, Exception? inner = null)
    : Exception(detail, inner)
{
    public string Code { get; } = code;

    /// <summary>True where another try may succeed.</summary>
    public bool IsTransient { get; } = isTransient;

    /// <summary>The SQLSTATE with which the source refused to send a value.</summary>
    public string? SourceLimit { get; init; }
}
