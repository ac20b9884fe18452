namespace ClaimCheck.Import.Sending;

internal enum OutcomeClass
{
    Succeeded,

    /// <summary>It may succeed when sent again.</summary>
    Transient,

    /// <summary>It will never succeed.</summary>
    Terminal,
}

/// <summary>The endpoint's outcome of one record.</summary>
/// <param name="Class">What to do about it.</param>
/// <param name="Code">Why it failed.</param>
/// <param name="Message">The endpoint's words, which may quote the record: for the rejects only.</param>
internal sealed record RecordOutcome(OutcomeClass Class, string? Code = null, string? Message = null)
{
    private const int LongestCode = 100;
    private const int LongestMessage = 1000;

    public static readonly RecordOutcome Succeeded = new(OutcomeClass.Succeeded);

    public static RecordOutcome Failed(bool isTransient, string code, string? message = null) => new(
        isTransient ? OutcomeClass.Transient : OutcomeClass.Terminal,
        Cut(code, LongestCode),
        message is null ? null : Cut(message, LongestMessage));

    /// <summary>Without the message, which may quote the record.</summary>
    public override string ToString() => $"{Class} {Code}";

    private static string Cut(string text, int longest) => text.Length <= longest ? text : text[..longest];
}

/// <summary>The result of sending a batch.</summary>
internal abstract record SendResult
{
    /// <summary>The endpoint reported on each record; by its index in what was sent.</summary>
    public sealed record Answered(IReadOnlyList<RecordOutcome> Outcomes) : SendResult;

    /// <summary>Whether anything took effect is not known: the same must be sent again under the same key.</summary>
    /// <param name="Code">Why.</param>
    /// <param name="Message">In words.</param>
    /// <param name="RetryAfter">The delay that the endpoint asked for.</param>
    /// <param name="Job">The job that still has the batch: it is polled again, not sent again.</param>
    public sealed record Unanswered(string Code, string Message, TimeSpan? RetryAfter, string? Job = null) : SendResult;
}

/// <summary>A batch, or what is left of it, on its way.</summary>
/// <param name="IdempotencyKey">The same for the same records.</param>
/// <param name="Items">Each a JSON object.</param>
/// <param name="Job">The job that has them already.</param>
/// <param name="OnJob">Records the job, so that it survives a crash.</param>
internal sealed record Shipment(
    string IdempotencyKey, IReadOnlyList<ReadOnlyMemory<byte>> Items, string? Job, Func<string, Task> OnJob);

/// <summary>A way to send records and to learn the outcome of each.</summary>
internal interface ISendingContract
{
    Task<SendResult> SendAsync(Shipment shipment, CancellationToken cancellationToken);
}
