namespace ClaimCheck.Consumer;

/// <summary>
/// The consumer's inbox: what it has applied, in its own Postgres, so that effects, position and failures are committed together.
/// Checked when the host starts.
/// </summary>
public sealed class InboxOptions
{
    /// <summary>The Postgres (13 or newer) that holds the inbox, and that handlers write to. Required.</summary>
    public string ConnectionString { get; set; } = "";

    /// <summary>
    /// Whether the tables (schema <c>claimcheck</c>) are created where they are missing; true by default. If not, or where the
    /// role may not, the operator runs <see cref="InboxScript.Sql"/>.
    /// </summary>
    public bool CreateTables { get; set; } = true;

    /// <summary>
    /// How long ended and revoked batches are remembered; 30 days by default, 1 day to 10 years. It must exceed the time for
    /// which the queue and its dead letter queue keep messages: a duplicate that comes later would be applied again.
    /// </summary>
    public TimeSpan Remember { get; set; } = TimeSpan.FromDays(30);

    /// <summary>
    /// The lease: how long a batch stays with a silent process before another takes it over; 30 seconds by default, 1 second to
    /// an hour. The silent one can commit nothing more then. A receipt that it was about to send is sent by another after the
    /// same time.
    /// </summary>
    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The delay after a receipt could not be sent, doubled for each further time, with jitter; 1 second by default.
    /// </summary>
    public TimeSpan ReceiptRetryDelay { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest such delay; 5 minutes by default.</summary>
    public TimeSpan MaxReceiptRetryDelay { get; set; } = TimeSpan.FromMinutes(5);

    internal IEnumerable<string> Errors(string? consumer)
    {
        if (string.IsNullOrEmpty(consumer))
        {
            yield return
                $"{nameof(ClaimCheckConsumerOptions)}.{nameof(ClaimCheckConsumerOptions.Consumer)} is not set, but the inbox and "
                + "receipts are kept by the consumer's name: nobody could say who has applied what.";
        }
        if (ConnectionProblem() is { } problem)
            yield return $"{nameof(InboxOptions)}.{nameof(ConnectionString)} {problem}: records can't be applied "
                + "exactly once. Call UseInbox.";
        if (Remember < TimeSpan.FromDays(1) || Remember > TimeSpan.FromDays(3650))
            yield return Wrong(nameof(Remember), $"{Remember}", "must be 1 day to 10 years",
                "late duplicates would be applied again, or the tables never shrink");
        if (Lease < TimeSpan.FromSeconds(1) || Lease > TimeSpan.FromHours(1))
            yield return Wrong(nameof(Lease), $"{Lease}", "must be 1 second to an hour",
                "a busy process would lose its batch, or a dead one keep it");
        if (ReceiptRetryDelay < TimeSpan.FromMilliseconds(10) || MaxReceiptRetryDelay < ReceiptRetryDelay
            || MaxReceiptRetryDelay > TimeSpan.FromDays(1))
        {
            yield return Wrong(nameof(ReceiptRetryDelay), $"{ReceiptRetryDelay}",
                $"must be 10 milliseconds to {nameof(MaxReceiptRetryDelay)} ({MaxReceiptRetryDelay}), and that at most a day",
                "the service would be called all the time, or get no receipts");
        }
    }

    // The parser's own message may quote the string, which contains a password.
    private string? ConnectionProblem()
    {
        if (string.IsNullOrWhiteSpace(ConnectionString))
            return "is not set";
        try
        {
            return new NpgsqlConnectionStringBuilder(ConnectionString).Host is null ? "names no host" : null;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or KeyNotFoundException)
        {
            return "is not a connection string of Npgsql";
        }
    }

    private static string Wrong(string name, string value, string rule, string consequence) =>
        $"{nameof(InboxOptions)}.{name} is {value}, but {rule}: {consequence}.";
}
