namespace ClaimCheck.Service.Exporting;

/// <summary>What <see cref="LeaseRunner"/> needs to know of an item.</summary>
internal sealed record LeasedItem
{
    /// <summary>An export or a job, in the failure's text.</summary>
    public required string Kind { get; init; }

    /// <summary>It with its id, in the log.</summary>
    public required string Name { get; init; }

    /// <summary>Renews the lease, and records the progress; false when it is lost.</summary>
    public required Func<CancellationToken, Task<bool>> Renew { get; init; }

    /// <summary>Does the work, and writes its outcome. The first token is cancelled when the lease is lost, the second when the
    /// worker stops.</summary>
    public required Func<CancellationToken, CancellationToken, Task> Work { get; init; }

    /// <summary>What an exception of the work means, or null for what any work may throw.</summary>
    public Func<Exception, ExportFailure?> Explain { get; init; } = _ => null;

    /// <summary>How many tries have failed before.</summary>
    public required Func<CancellationToken, Task<int>> Tries { get; init; }

    /// <summary>Returns it to pending, with a delay; true counts as a failed try.</summary>
    public required Func<TimeSpan, bool, CancellationToken, Task> HandBack { get; init; }

    /// <summary>Writes that it has failed.</summary>
    public required Func<ExportFailure, Task> Fail { get; init; }
}
