using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace ClaimCheck.Consumer;

/// <content>Listeners that apply records, and report the outcome of each.</content>
public sealed partial class ClaimCheckConsumerBuilder
{
    /// <summary>
    /// Keeps the inbox in a Postgres of the consumer's own: the one that its record handlers write to. A process has one;
    /// processes with the same consumer name share its state, and each batch is applied by one of them.
    /// </summary>
    /// <remarks>
    /// Requires <see cref="ClaimCheckConsumerOptions.Consumer"/>: batches and receipts are stored under that name.
    /// </remarks>
    /// <param name="connectionString">The connection string, in Npgsql's form.</param>
    /// <param name="configure">Changes the options' defaults; they are checked when the host starts.</param>
    public ClaimCheckConsumerBuilder UseInbox(string connectionString, Action<InboxOptions>? configure = null)
    {
        AddInbox();
        Services.Configure<InboxOptions>(options =>
        {
            options.ConnectionString = connectionString;
            configure?.Invoke(options);
        });
        return this;
    }

    /// <summary>Applies the records of batches that a queue announces, with the inbox of <see cref="UseInbox"/>, and
    /// sends receipts.</summary>
    /// <remarks>
    /// A message is deleted once its batch is applied, with or without failed records, or nothing is left to apply. A batch that
    /// can't be read or begun comes again, as with <see cref="AddSqsListener{THandler}"/>, and continues where it was left. While
    /// the inbox is unreachable, or another process works on the batch, its message is kept hidden and its receive count is not
    /// used up.
    /// </remarks>
    /// <typeparam name="T">A record type, or <see cref="Record"/>.</typeparam>
    /// <typeparam name="THandler">The handler.</typeparam>
    /// <param name="queueUrl">The queue: subscribed to the service's topic, with a redrive policy.</param>
    /// <param name="configure">Changes how records are passed to the handler; checked when the host starts.</param>
    /// <param name="listen">Changes how the queue is listened to; checked when the host starts.</param>
    public ClaimCheckConsumerBuilder AddSqsRecords<T, THandler>(
        string queueUrl, Action<RecordOptions>? configure = null, Action<SqsListenerOptions>? listen = null)
        where THandler : class, IRecordHandler<T> =>
        AddSqs(queueUrl, Records<T, THandler>(configure), listen);

    /// <summary>
    /// Applies the records of batches that the event feed announces, with the inbox of <see cref="UseInbox"/>, which also stores
    /// the feed's cursor, and sends receipts.
    /// </summary>
    /// <typeparam name="T">A record type, or <see cref="Record"/>.</typeparam>
    /// <typeparam name="THandler">The handler.</typeparam>
    /// <param name="configure">Changes how records are passed to the handler; checked when the host starts.</param>
    /// <param name="listen">Changes how the feed is listened to; checked when the host starts.</param>
    public ClaimCheckConsumerBuilder AddFeedRecords<T, THandler>(
        Action<RecordOptions>? configure = null, Action<FeedListenerOptions>? listen = null)
        where THandler : class, IRecordHandler<T> =>
        AddFeed(
            provider => new InboxCursorStore(
                provider.GetRequiredService<InboxDatabase>(),
                ConsumerOf(provider),
                provider.GetRequiredService<ILogger<InboxCursorStore>>()),
            Records<T, THandler>(configure), listen);

    private Func<IServiceProvider, IBatchHandler> Records<T, THandler>(Action<RecordOptions>? configure)
        where THandler : class, IRecordHandler<T>
    {
        AddInbox();
        var name = Name<RecordOptions>(options => configure?.Invoke(options));
        OptionsCheck.Add<RecordOptions>(Services, (options, _) => options.Errors());
        Services.TryAddScoped<THandler>();
        return provider => new RecordBatchHandler<T>(
            provider.GetRequiredService<THandler>(), provider.GetRequiredService<BatchInbox>(),
            provider.GetRequiredService<IOptionsMonitor<RecordOptions>>().Get(name),
            provider.GetRequiredService<ILoggerFactory>().CreateLogger("ClaimCheck.Consumer.Handling.RecordBatchHandler"));
    }

    private void AddInbox()
    {
        Services.AddOptions<InboxOptions>().ValidateOnStart();
        OptionsCheck.Add<InboxOptions>(
            Services, (options, provider) => options.Errors(ClaimCheckConsumerRegistration.Options(provider).Consumer));
        Services.TryAddSingleton(provider => new InboxDatabase(Inbox(provider)));
        Services.TryAddSingleton(provider => new ReceiptOutbox(
            provider.GetRequiredService<InboxDatabase>(), ConsumerOf(provider), Inbox(provider).Lease));
        Services.TryAddSingleton(provider => new BatchInbox(
            provider.GetRequiredService<InboxDatabase>(), provider.GetRequiredService<ReceiptOutbox>(), ConsumerOf(provider),
            Inbox(provider).Lease));
        Services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, ReceiptWorker>(provider => new ReceiptWorker(
            provider.GetRequiredService<ClaimCheckClient>(), provider.GetRequiredService<BatchInbox>(),
            Inbox(provider), provider.GetRequiredService<ILogger<ReceiptWorker>>())));
    }

    private static InboxOptions Inbox(IServiceProvider provider) => provider.GetRequiredService<IOptions<InboxOptions>>().Value;

    private static string ConsumerOf(IServiceProvider provider) => ClaimCheckConsumerRegistration.Options(provider).Consumer!;
}
