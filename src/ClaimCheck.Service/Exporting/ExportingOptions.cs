namespace ClaimCheck.Service.Exporting;

/// <summary><c>ClaimCheck:Exporting</c>: how sources are read.</summary>
internal sealed class ExportingOptions
{
    public const string Section = "ClaimCheck:Exporting";

    /// <summary>How long the one statement that reads an export's rows may take, uploading included.</summary>
    public TimeSpan StatementTimeout { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How long it may wait for a lock, which only a change of the tables' shape takes.</summary>
    public TimeSpan LockTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>What is wrong with the values, each with its consequence; nothing where all is well.</summary>
    public IEnumerable<string> Faults()
    {
        if (!IsTimeout(StatementTimeout))
        {
            yield return $"{Section}:StatementTimeout is {StatementTimeout}, but must be between 1 second and 24 days: " +
                         "every export would fail, or none ever end.";
        }

        if (!IsTimeout(LockTimeout))
        {
            yield return $"{Section}:LockTimeout is {LockTimeout}, but must be between 1 second and 24 days: " +
                         "an export could wait for a lock for ever.";
        }
    }

    // Postgres counts milliseconds in 31 bits, and takes 0 for no limit.
    private static bool IsTimeout(TimeSpan value) => value >= TimeSpan.FromSeconds(1) && value <= TimeSpan.FromDays(24);
}
