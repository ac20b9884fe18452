using ClaimCheck.Contracts;
using ClaimCheck.Service.Catalog;
using Dapper;
using Npgsql;

namespace ClaimCheck.Service.Publishing.Subscriptions;

/// <summary>Goes on with subscriptions that SNS has not taken, or not let go of, yet: at start, and whenever a try is due.</summary>
internal sealed partial class SubscriptionSettler(
    NpgsqlDataSource catalog, TopicSubscriptions topics, ILogger<SubscriptionSettler> logger) : BackgroundService
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(2);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                foreach (var id in await DueAsync(stoppingToken))
                    await topics.SettleAsync(new SubscriptionId(id), deleteIfRefused: false, stoppingToken);
            }
            catch (Exception e) when (CatalogErrors.IsTransient(e))
            {
                Log.Interrupted(logger, e.Message);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }

            await Task.Delay(LookAgain, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<IEnumerable<Guid>> DueAsync(CancellationToken cancellationToken)
    {
        await using var connection = await catalog.OpenConnectionAsync(cancellationToken);
        // The index is subscriptions_to_settle.
        return await connection.QueryAsync<Guid>(new CommandDefinition(
            """
            SELECT id
              FROM subscriptions
             WHERE next_try_at <= now() AND (work_until IS NULL OR work_until <= now()) AND state IN ('pending', 'deleting')
             ORDER BY next_try_at
             LIMIT 100
            """,
            cancellationToken: cancellationToken));
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Settling subscriptions was interrupted ({Reason}); it is tried again.")]
        public static partial void Interrupted(ILogger logger, string reason);
    }
}
