using Npgsql;
using Polly;
using Polly.Retry;

namespace ClaimCheck.Service.Catalog;

/// <summary>Which failures of the catalog pass by themselves, and how often they are tried again.</summary>
internal static class CatalogErrors
{
    /// <summary>True for a lost connection, a restart, a full pool, a deadlock, a transaction that stood still for too long: trying again may succeed.</summary>
    public static bool IsTransient(Exception exception) => exception switch
    {
        PostgresException { SqlState: ['0', '8', ..] or ['5', '7', ..] or ['5', '3', ..] or ['4', '0', ..] or "25P03" } => true,
        PostgresException postgres => postgres.IsTransient,
        NpgsqlException => true,
        TimeoutException => true,
        _ => false,
    };

    /// <summary>
    /// True for what no outage explains: it comes of the one item that was worked on, and would again. That item is put off, with an error in
    /// the log, and those behind it go on.
    /// </summary>
    public static bool IsOfOneItem(Exception exception) => !IsTransient(exception) && exception is not OperationCanceledException;

    /// <summary>
    /// For work that must not be lost to a restart of the catalog: about a minute of tries, with jitter. What runs in it must
    /// bear being run twice, since a commit whose answer was lost may have happened.
    /// </summary>
    public static ResiliencePipeline Patient { get; } = new ResiliencePipelineBuilder()
        .AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = new PredicateBuilder().Handle<Exception>(IsTransient),
            MaxRetryAttempts = 12,
            BackoffType = DelayBackoffType.Exponential,
            Delay = TimeSpan.FromMilliseconds(200),
            MaxDelay = TimeSpan.FromSeconds(8),
            UseJitter = true,
        })
        .Build();
}
