namespace ClaimCheck.Records.Files;

/// <summary>Why a record can't be used: a code, and which field is at fault; never its value.</summary>
internal sealed record RecordFault(string Code, string Message);

/// <summary>A file can't be read as records. The text never quotes a record.</summary>
/// <param name="code">Stable: one of <see cref="RecordCodes"/>.</param>
/// <param name="message">What is wrong.</param>
/// <param name="inner">The cause.</param>
internal sealed class RecordFileException(string code, string message, Exception? inner = null) : Exception(message, inner)
{
    public string Code => code;
}

/// <summary>What can be wrong with a file of records, and with one of its records.</summary>
internal static class RecordCodes
{
    public const string UnreadableGzip = "unreadable_gzip";
    public const string WrongEncoding = "wrong_encoding";
    public const string BadHeader = "bad_header";
    public const string UnterminatedQuote = "unterminated_quote";

    public const string WrongFieldCount = "wrong_field_count";
    public const string BadQuoting = "bad_quoting";
    public const string MalformedJson = "malformed_json";
    public const string NestedTooDeep = "nested_too_deep";
    public const string NotAnObject = "not_an_object";
}
