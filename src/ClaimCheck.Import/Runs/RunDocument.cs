namespace ClaimCheck.Import.Runs;

internal static class RunState
{
    /// <summary>The file is taken and inspected; nothing is sent yet.</summary>
    public const string Preparing = "preparing";

    public const string Running = "running";
    public const string Completed = "completed";
    public const string Failed = "failed";
    public const string Cancelled = "cancelled";

    public static bool IsEnd(string state) => state is Completed or Failed or Cancelled;
}

/// <summary>Where a run's file came from, which decides where it is moved.</summary>
internal static class RunOrigin
{
    /// <summary>Named by the user: it stays where it is.</summary>
    public const string File = "file";

    /// <summary>From a watched folder: it was moved, and moves on to <c>done/</c> or <c>failed/</c>.</summary>
    public const string Folder = "folder";

    /// <summary>An object that was copied here; its marker in the bucket has the outcome.</summary>
    public const string S3 = "s3";

    /// <summary>Rejects of another run; the documents use an older word.</summary>
    public const string Rejects = "bucket";
}

/// <summary>Why a run failed.</summary>
internal sealed record RunFailure(string Code, string Detail);

/// <summary>What is stored of a run, and shown to everyone.</summary>
internal record RunFacts
{
    /// <summary>The file's name, without its folder.</summary>
    public required string File { get; init; }

    /// <summary><c>preparing</c>, <c>running</c>, <c>completed</c> (also with failed records), <c>failed</c> (the file itself) or
    /// <c>cancelled</c>.</summary>
    public required string State { get; init; }

    public string? Sha256 { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    public RunFailure? Failure { get; init; }

    public string? RetryOf { get; init; }

    /// <summary>The runs that retry what failed here, by class.</summary>
    public Dictionary<string, string> Retries { get; init; } = new(StringComparer.Ordinal);
}

/// <summary>A run as it is stored: what it is, and how it ended. Its progress is in its journal.</summary>
internal sealed record RunDocument : RunFacts
{
    public required string RunId { get; init; }

    /// <summary>The import's name.</summary>
    public required string Name { get; init; }

    /// <summary>Where it was found: a path or <c>s3://…</c>; for a retry its original run.</summary>
    public required string Source { get; init; }

    public required string Origin { get; init; }

    /// <summary>Where its bytes are now.</summary>
    public required string Input { get; init; }

    public required RunLimits Limits { get; init; }

    /// <summary>The configuration file, where there is one; retries read it again.</summary>
    public string? Configuration { get; init; }

    /// <summary>Content that was imported before is imported once more.</summary>
    public bool Again { get; init; }

    /// <summary>In S3: the marker that reserves the object.</summary>
    public string? Marker { get; init; }

    public string? Format { get; init; }

    public bool IsGzip { get; init; }

    public long? Bytes { get; init; }

    public long? Records { get; init; }

    /// <summary>Its last record has no line end: if the file grows, that record was incomplete.</summary>
    public bool? EndsOpen { get; init; }

    /// <summary>The run has ended and its file is in its final place.</summary>
    public bool IsSettled { get; init; }
}
