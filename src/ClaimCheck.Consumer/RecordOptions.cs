namespace ClaimCheck.Consumer;

/// <summary>How records are passed to an <see cref="IRecordHandler{T}"/>. Checked when the host starts.</summary>
public sealed class RecordOptions
{
    /// <summary>The code of records whose handler threw what <see cref="Fail{TException}"/> does not name.</summary>
    public const string HandlerFailed = "handler_failed";

    private readonly Dictionary<Type, (string Class, string Code)> exceptions = [];

    /// <summary>The most records of a chunk, and so of a transaction; 1,000 by default, 1 to 100,000. A chunk does not go beyond
    /// its block (1 to 4 MiB).</summary>
    public int ChunkSize { get; set; } = 1000;

    /// <summary>
    /// How often a chunk is passed in a row where the handler fails with a transient error of its database (a deadlock, a
    /// serialization failure); 3 by default, 1 to 100.
    /// </summary>
    public int ChunkAttempts { get; set; } = 3;

    /// <summary>How often a batch's progress is reported to the service; 10 seconds by default, 1 second to a day.</summary>
    public TimeSpan ReceiptInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Whether a retry of the transient failures is requested, once the batch has ended; true by default. The service decides how
    /// often and how soon.
    /// </summary>
    public bool RetryTransient { get; set; } = true;

    /// <summary>
    /// Sets the failure of a chunk's records where the handler throws this exception, or one derived from it; the nearest type
    /// counts.
    /// </summary>
    /// <typeparam name="TException">The exception.</typeparam>
    /// <param name="code">A stable code of your own, 1 to 100 characters.</param>
    /// <param name="isTransient">Whether the records may succeed if tried again; true by default.</param>
    public RecordOptions Fail<TException>(string code, bool isTransient = true)
        where TException : Exception
    {
        exceptions[typeof(TException)] = (isTransient ? FailureClass.Transient : FailureClass.Terminal, ChunkOutcomes.Code(code));
        return this;
    }

    internal (string Class, string Code) Classify(Exception exception)
    {
        for (var type = exception.GetType(); type is not null; type = type.BaseType)
        {
            if (exceptions.TryGetValue(type, out var found))
                return found;
        }
        return (FailureClass.Transient, HandlerFailed);
    }

    internal IEnumerable<string> Errors()
    {
        if (ChunkSize is < 1 or > 100_000)
            yield return Wrong(
                nameof(ChunkSize), $"{ChunkSize}", "must be 1 to 100000", "nothing would be passed on, or memory would run out");
        if (ChunkAttempts is < 1 or > 100)
            yield return Wrong(
                nameof(ChunkAttempts), $"{ChunkAttempts}", "must be 1 to 100", "a chunk would be tried never, or for ever");
        if (ReceiptInterval < TimeSpan.FromSeconds(1) || ReceiptInterval > TimeSpan.FromDays(1))
            yield return Wrong(nameof(ReceiptInterval), $"{ReceiptInterval}", "must be 1 second to a day",
                "the service would be called all the time, or take the consumer for dead");
    }

    private static string Wrong(string name, string value, string rule, string consequence) =>
        $"{nameof(RecordOptions)}.{name} is {value}, but {rule}: {consequence}.";
}
