namespace ClaimCheck.Cli;

/// <summary>Why a command failed, for people and scripts.</summary>
/// <param name="ExitCode">One of <see cref="ExitCodes"/>.</param>
/// <param name="Code">The service's problem code, or one of the tool's own.</param>
/// <param name="Text">One line that says what to do.</param>
internal sealed record Failure(int ExitCode, string Code, string Text)
{
    /// <summary>The faults by option.</summary>
    public IReadOnlyList<string> Details { get; init; } = [];

    public Problem? Problem { get; init; }

    public static Failure Of(Exception exception) => exception switch
    {
        UsageException e => new(ExitCodes.Usage, "usage", e.Message),
        ClaimCheckException e => Of(e),
        ImportException e => new(OfImport(e.Code), e.Code, e.Message),
        TimeoutException e => new(ExitCodes.Unavailable, "timeout", e.Message),
        IOException or UnauthorizedAccessException => new(ExitCodes.Failed, "io_error", exception.Message),
        ArgumentException => new(ExitCodes.Usage, "usage", exception.Message.Split(" (Parameter ")[0]),
        // The type, but not the message: it might quote anything.
        _ => new(ExitCodes.Failed, "internal_error", $"An unexpected {exception.GetType().Name}: this is a defect of the tool.")
        {
            Details = [.. (exception.StackTrace ?? "").Split(
                '\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)],
        },
    };

    /// <summary>The problem as the service wrote it, or one in its form, and the exit code.</summary>
    public JsonObject ToJson()
    {
        var json = Problem is null
            ? new JsonObject { ["type"] = "about:blank", ["title"] = Text, ["code"] = Code }
            : JsonSerializer.SerializeToNode(Problem, ClaimCheckJson.Options)!.AsObject();
        json["exitCode"] = ExitCode;
        return json;
    }

    private static int OfImport(string code) => code switch
    {
        ImportCodes.InvalidConfiguration => ExitCodes.Usage,
        ImportCodes.RunNotFound => ExitCodes.NotFound,
        ImportCodes.RunBusy or ImportCodes.FileOpen or ImportCodes.SourceUnavailable => ExitCodes.Unavailable,
        _ => ExitCodes.Failed,
    };

    private static Failure Of(ClaimCheckException e) => e switch
    {
        NotFoundException => Make(e, ExitCodes.NotFound, " Check the id and the service's address (--url)."),
        AccessDeniedException { Code: ProblemCodes.MisdirectedRequest or ProblemCodes.ForeignOrigin } =>
            Make(e, ExitCodes.Refused, " Check --url."),
        AccessDeniedException => Make(e, ExitCodes.Refused, " Give a valid key: --key-file, CLAIMCHECK_KEY or a profile."),
        BatchEndedException => Make(e, ExitCodes.Ended),
        BatchNotReadyException => Make(e, ExitCodes.Unavailable, " Wait for it with 'claimcheck watch', or use --wait."),
        ServiceUnavailableException { Code: NetworkFailure.Untrusted } => Make(e, ExitCodes.Integrity),
        ServiceUnavailableException { Code: NetworkFailure.Unreachable } =>
            Make(e, ExitCodes.Unavailable, " Is it running, and is --url right?"),
        ServiceUnavailableException
        {
            Code: ProblemCodes.DefinitionInvalid or ProblemCodes.SourceRowSecurity or ProblemCodes.SourceSettingsChanged,
        } =>
            Make(e, ExitCodes.Unavailable, " The service's operator has to fix that."),
        ServiceUnavailableException => Make(e, ExitCodes.Unavailable, " Try again later."),
        DownloadFailedException => Make(e, ExitCodes.Unavailable, " The same command continues from here."),
        IntegrityException => Make(e, ExitCodes.Integrity),
        UntrustedLinkException => Make(e, ExitCodes.Integrity, " If the host is yours, use --link-host."),
        CursorExpiredException =>
            Make(e, ExitCodes.Failed, " Events were missed; leave --after out to begin with the oldest that is kept."),
        RequestRejectedException { Code: ProblemCodes.IdempotencyKeyReused } =>
            Make(e, ExitCodes.Failed, " Use another --idempotency-key, or repeat the same request."),
        RequestRejectedException rejected => Make(e, ExitCodes.Usage) with { Details = [.. rejected.Errors.SelectMany(Lines)] },
        _ => Make(e, ExitCodes.Failed),
    };

    private static Failure Make(ClaimCheckException e, int exitCode, string advice = "") =>
        new(exitCode, e.Code, (e.Message.EndsWith('.') ? e.Message : e.Message + ".") + advice) { Problem = e.Problem };

    private static IEnumerable<string> Lines(KeyValuePair<string, string[]> error) =>
        error.Value.Select(text => $"{OptionOf(error.Key)}: {text}");

    // The service names fields; the user wrote options.
    private static string OptionOf(string field) => field switch
    {
        "maxFileBytes" => "--max-file-bytes",
        "linkLifetime" => "--link-lifetime",
        "retention" or "format" or "compression" or "state" or "limit" or "cursor" or "after" or "reason" => $"--{field}",
        _ when field.StartsWith("criteria.", StringComparison.Ordinal) => $"--where {field["criteria.".Length..]}",
        _ => field,
    };
}

/// <summary>The command line or the profile is invalid.</summary>
internal sealed class UsageException(string message) : Exception(message);
