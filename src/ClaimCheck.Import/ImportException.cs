namespace ClaimCheck.Import;

/// <summary>An import can't be done as requested. The message never quotes a record.</summary>
/// <param name="code">Stable, for scripts: one of <see cref="ImportCodes"/> or <see cref="RecordCodes"/>.</param>
/// <param name="message">What is wrong, and what to do.</param>
/// <param name="inner">The cause.</param>
internal sealed class ImportException(string code, string message, Exception? inner = null) : Exception(message, inner)
{
    public string Code => code;
}

/// <summary>Why imports, files and records fail, beside <see cref="RecordCodes"/>.</summary>
internal static class ImportCodes
{
    // Faults of the request.
    public const string InvalidConfiguration = "invalid_configuration";
    public const string RunNotFound = "run_not_found";
    public const string RunBusy = "run_busy";
    public const string RunEnded = "run_ended";
    public const string NothingToRetry = "nothing_to_retry";
    public const string SourceUnavailable = "source_unavailable";

    // Faults of a file: its run fails, and nothing of it was sent.
    public const string AlreadyImported = "already_imported";
    public const string FileChanged = "file_changed";
    public const string FileOpen = "file_open";
    public const string FileMissing = "file_missing";
    public const string FileTooLarge = "file_too_large";
    public const string UnpacksTooFar = "unpacks_too_far";
    public const string NoHeader = "no_header";
    public const string MissingColumn = "missing_column";
    public const string TooManyRecords = "too_many_records";
    public const string UnknownFormat = "unknown_format";

    // Faults of a record that was not sent.
    public const string RecordTooLong = "record_too_long";
    public const string RequiredFieldMissing = "required_field_missing";
    public const string WrongType = "wrong_type";

    // Faults of a record that was sent, where the endpoint gave no code.
    public const string Unreachable = "endpoint_unreachable";
    public const string TimedOut = "endpoint_timed_out";
    public const string MalformedAnswer = "malformed_answer";
    public const string NotAnswered = "not_answered";
    public const string JobGone = "job_gone";
    public const string JobUnfinished = "job_unfinished";
}
