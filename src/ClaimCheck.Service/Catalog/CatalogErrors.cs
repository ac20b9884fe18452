using System.Net.Sockets;
using System.Security.Authentication;
using Polly;
using Polly.Retry;

namespace ClaimCheck.Service.Catalog;

/// <summary>Which failures of the catalog are transient, and how often they are tried again.</summary>
internal static class CatalogErrors
{
    /// <summary>True for a lost connection, a restart, a full pool, a deadlock, a transaction that was idle for too long, a
    /// password that is being rotated, a server that has become a standby: trying again may succeed.</summary>
    public static bool IsTransient(Exception exception) => exception switch
    {
        PostgresException postgres => postgres.IsTransient || DatabaseFailure.Of(postgres).Trouble
            is Trouble.Unreachable or Trouble.SignIn or Trouble.Exhausted or Trouble.Ended or Trouble.System or Trouble.Conflict
                or Trouble.TimedOut
            or Trouble.Cancelled or Trouble.ReadOnly,
        NpgsqlException or SocketException or AuthenticationException or TimeoutException => true,
        _ => false,
    };

    /// <summary>Why the service can't start, for its operator: with the server's own words, which may name hosts and
    /// users.</summary>
    public static string Explain(Exception exception)
    {
        var failure = DatabaseFailure.Of(exception);
        var said = failure.Said is not null
            ? ""
            : $" ({(exception as PostgresException)?.MessageText ?? exception.Message.TrimEnd('.')})";
        return $"The catalog can't be used: {failure.Text}{said} Check ConnectionStrings:Catalog, and that Postgres runs.";
    }

    /// <summary>True for what an outage does not explain: the one item that was worked on causes it, and would again. That item
    /// is postponed, with an error in the log, and the items behind it continue.</summary>
    public static bool IsOfOneItem(Exception exception) => !IsTransient(exception) && exception is not OperationCanceledException;

    /// <summary>For work that must not be lost when the catalog restarts: about a minute of tries, with jitter. The work must be
    /// safe to run twice, since a commit whose answer was lost may have happened.</summary>
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
