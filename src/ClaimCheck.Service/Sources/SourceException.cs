namespace ClaimCheck.Service.Sources;

/// <summary>An export can't go on. The code is stable; the text holds no data of records and no link.</summary>
internal sealed class SourceException(string code, string detail, bool isTransient, Exception? inner = null)
    : Exception(detail, inner)
{
    public string Code { get; } = code;

    /// <summary>True where another try may succeed.</summary>
    public bool IsTransient { get; } = isTransient;

    /// <summary>For a value that the source can't send: the SQLSTATE that it said so with.</summary>
    public string? SourceLimit { get; init; }
}
