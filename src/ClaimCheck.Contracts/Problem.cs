namespace ClaimCheck.Contracts;

/// <summary>An error as RFC 9457 <c>application/problem+json</c>.</summary>
public sealed record Problem
{
    /// <summary>The address of a page that explains the code: <c>/problems/{code}</c> at the service, under its public address
    /// where one is set.</summary>
    public required string Type { get; init; }

    /// <summary>The title of the code.</summary>
    public required string Title { get; init; }

    /// <summary>The HTTP status.</summary>
    public required int Status { get; init; }

    /// <summary>A stable code; see <see cref="ProblemCodes"/>.</summary>
    public required string Code { get; init; }

    /// <summary>The details of this occurrence.</summary>
    public string? Detail { get; init; }

    /// <summary>The faults by field, where fields are at fault.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, string[]>? Errors { get; init; }
}

/// <summary>The stable codes of errors.</summary>
public static class ProblemCodes
{
#pragma warning disable CS1591 // Each code is explained once, by the catalogue that GET /problems serves.
    public const string MalformedJson = "malformed_json";
    public const string NestedTooDeep = "nested_too_deep";
    public const string InvalidRequest = "invalid_request";
    public const string InvalidCursor = "invalid_cursor";
    public const string InvalidLimit = "invalid_limit";
    public const string InvalidParameter = "invalid_parameter";
    public const string UnknownParameter = "unknown_parameter";
    public const string InvalidIdempotencyKey = "invalid_idempotency_key";
    public const string Unauthorized = "unauthorized";
    public const string ForeignOrigin = "foreign_origin";
    public const string LinkInvalid = "link_invalid";
    public const string LinkExpired = "link_expired";
    public const string NotFound = "not_found";
    public const string MethodNotAllowed = "method_not_allowed";
    public const string NotAcceptable = "not_acceptable";
    public const string NotReady = "not_ready";
    public const string IdempotencyKeyReused = "idempotency_key_reused";
    public const string SubscriptionExists = "subscription_exists";
    public const string SubscriptionDisabled = "subscription_disabled";
    public const string TopicNotConfigured = "topic_not_configured";
    public const string NotAWebhook = "not_a_webhook";
    public const string RunInProgress = "run_in_progress";
    public const string BatchNotOpen = "batch_not_open";
    public const string UploadIncomplete = "upload_incomplete";
    public const string UploadMismatch = "upload_mismatch";
    public const string LimitReached = "limit_reached";
    public const string FileReceived = "file_received";
    public const string MultipartNotOffered = "multipart_not_offered";
    public const string BatchRevoked = "batch_revoked";
    public const string BatchExpired = "batch_expired";
    public const string ExportCancelled = "export_cancelled";
    public const string ExportFailed = "export_failed";
    public const string CursorExpired = "cursor_expired";
    public const string JobRunning = "job_running";
    public const string RecordTooLarge = "record_too_large";
    public const string PreconditionFailed = "precondition_failed";
    public const string BodyTooLarge = "body_too_large";
    public const string UnsupportedMediaType = "unsupported_media_type";
    public const string RangeNotSatisfiable = "range_not_satisfiable";
    public const string MisdirectedRequest = "misdirected_request";
    public const string ValidationFailed = "validation_failed";
    public const string OtherConsumer = "other_consumer";
    public const string ReceiptEnded = "receipt_ended";
    public const string BatchNotRevoked = "batch_not_revoked";
    public const string NothingToRetry = "nothing_to_retry";
    public const string RetryTooEarly = "retry_too_early";
    public const string CountsDoNotAddUp = "counts_do_not_add_up";
    public const string TooManyFailures = "too_many_failures";
    public const string InternalError = "internal_error";
    public const string DefinitionInvalid = "definition_invalid";
    public const string SourceRowSecurity = "source_row_security";
    public const string SourceSettingsChanged = "source_settings_changed";
    public const string SourceUnavailable = "source_unavailable";
    public const string StagingUnavailable = "staging_unavailable";
    public const string TopicUnavailable = "topic_unavailable";
    public const string CatalogUnavailable = "catalog_unavailable";
    public const string ShuttingDown = "shutting_down";
#pragma warning restore CS1591
}
