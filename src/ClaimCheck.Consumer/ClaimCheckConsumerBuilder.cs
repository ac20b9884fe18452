using Amazon.SQS;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace ClaimCheck.Consumer;

/// <summary>Registers a consumer with the generic host.</summary>
public static class ClaimCheckConsumerRegistration
{
    /// <summary>
    /// Adds a <see cref="ClaimCheckClient"/> and a <see cref="BatchReader"/>, and returns the builder for listeners. A process
    /// consumes from one service.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="configure">Sets the options; they are checked when the host starts.</param>
    public static ClaimCheckConsumerBuilder AddClaimCheckConsumer(
        this IServiceCollection services, Action<ClaimCheckConsumerOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        services.AddOptions<ClaimCheckConsumerOptions>().Configure(configure).ValidateOnStart();
        OptionsCheck.Add<ClaimCheckConsumerOptions>(services, (options, _) => options.Errors());
        OptionsCheck.Add<SqsListenerOptions>(services, (options, _) => options.Errors());
        OptionsCheck.Add<FeedListenerOptions>(services, (options, _) => options.Errors());
        services.TryAddSingleton(provider => new ClaimCheckClient(Options(provider).ClientOptions));
        services.TryAddSingleton(
            provider => new BatchReader(provider.GetRequiredService<ClaimCheckClient>(), Options(provider).ReaderOptions));
        services.TryAddSingleton(provider => Sqs.Connect(Options(provider).Aws));
        return new ClaimCheckConsumerBuilder(services);
    }

    internal static ClaimCheckConsumerOptions Options(IServiceProvider provider) =>
        provider.GetRequiredService<IOptions<ClaimCheckConsumerOptions>>().Value;
}

/// <summary>
/// Adds listeners; any number, with any handlers. Handlers are created by the container, one in a scope of its own for each
/// event.
/// </summary>
public sealed partial class ClaimCheckConsumerBuilder
{
    internal ClaimCheckConsumerBuilder(IServiceCollection services) => Services = services;

    /// <summary>The host's services.</summary>
    public IServiceCollection Services { get; }

    /// <summary>Passes the events of a queue to a handler.</summary>
    /// <remarks>
    /// A message is deleted once its event is handled, or nothing is left to handle (its batch has ended, its type is one of
    /// <c>claimcheck.*</c> that this version does not know, it is for another consumer). A message that failed comes again after
    /// <see cref="SqsListenerOptions.RetryDelay"/>; so does one that is not a ClaimCheck event, with an error in the log: the
    /// queue's redrive policy moves both to its dead letter queue after <c>maxReceiveCount</c> receives. Without such a policy
    /// they come again for as long as the queue keeps messages. Revocations are remembered in memory: after a restart the service
    /// is asked for them.
    /// </remarks>
    /// <typeparam name="THandler">The handler.</typeparam>
    /// <param name="queueUrl">The queue: subscribed to the service's topic, raw or enveloped, and with a redrive policy.</param>
    /// <param name="configure">Changes the options' defaults; they are checked when the host starts.</param>
    public ClaimCheckConsumerBuilder AddSqsListener<THandler>(string queueUrl, Action<SqsListenerOptions>? configure = null)
        where THandler : class, IBatchHandler
    {
        Services.TryAddScoped<THandler>();
        return AddSqs(queueUrl, provider => provider.GetRequiredService<THandler>(), configure);
    }

    /// <summary>
    /// Passes the events of the event feed to a handler, at least once, and the events of one batch in their order.
    /// </summary>
    /// <remarks>
    /// Other batches continue while one is retried, up to <see cref="FeedListenerOptions.MaxAhead"/> events; after
    /// <see cref="FeedListenerOptions.MaxAttempts"/> failed tries an event is skipped, with an error in the log. A revocation
    /// overtakes the other events of the batch it other events of its batch. An event that contradicts itself is skipped, with an
    /// error in the log. </remarks>
    /// <typeparam name="THandler">The handler.</typeparam>
    /// <param name="cursors">The store of the feed's cursor, for this listener only; for example a <see
    /// cref="FileCursorStore"/>.</param>
    /// <param name="configure">Changes the options' defaults; they are checked when the host starts.</param>
    public ClaimCheckConsumerBuilder AddFeedListener<THandler>(
        ICursorStore cursors, Action<FeedListenerOptions>? configure = null)
        where THandler : class, IBatchHandler
    {
        ArgumentNullException.ThrowIfNull(cursors);
        Services.TryAddScoped<THandler>();
        return AddFeed(_ => cursors, provider => provider.GetRequiredService<THandler>(), configure);
    }

    private ClaimCheckConsumerBuilder AddSqs(
        string queueUrl, Func<IServiceProvider, IBatchHandler> make, Action<SqsListenerOptions>? configure)
    {
        var name = Name<SqsListenerOptions>(options =>
        {
            options.QueueUrl = queueUrl;
            configure?.Invoke(options);
        });
        Services.AddSingleton<IHostedService>(provider =>
        {
            var options = provider.GetRequiredService<IOptionsMonitor<SqsListenerOptions>>().Get(name);
            return new SqsListener(
                new ListenedQueue(provider.GetRequiredService<IAmazonSQS>, options.QueueUrl), options, Dispatcher(
                    provider, make, options.MaxConcurrentBatches),
                new ConsumerName(ClaimCheckConsumerRegistration.Options(provider).Consumer),
                provider.GetRequiredService<ILogger<SqsListener>>());
        });
        return this;
    }

    private ClaimCheckConsumerBuilder AddFeed(
        Func<IServiceProvider, ICursorStore> cursors,
        Func<IServiceProvider, IBatchHandler> make,
        Action<FeedListenerOptions>? configure)
    {
        var name = Name<FeedListenerOptions>(options => configure?.Invoke(options));
        Services.AddSingleton<IHostedService>(provider =>
        {
            var options = provider.GetRequiredService<IOptionsMonitor<FeedListenerOptions>>().Get(name);
            var logger = provider.GetRequiredService<ILogger<FeedListener>>();
            return new FeedListener(
                new FeedReader(provider.GetRequiredService<ClaimCheckClient>(), cursors(provider), options, logger), options,
                Dispatcher(provider, make, options.MaxConcurrentBatches),
                provider.GetRequiredService<IHostApplicationLifetime>(), logger);
        });
        return this;
    }

    private string Name<TOptions>(Action<TOptions> configure)
        where TOptions : class
    {
        var name = $"listener {Services.Count}";
        Services.AddOptions<TOptions>(name).Configure(configure).ValidateOnStart();
        return name;
    }

    private static BatchDispatcher Dispatcher(
        IServiceProvider provider, Func<IServiceProvider, IBatchHandler> make, int maxConcurrentBatches)
    {
        var reader = provider.GetRequiredService<BatchReader>();
        var interval = ClaimCheckConsumerRegistration.Options(provider).StateCheckInterval;
        return new BatchDispatcher(
            new HandlerScopes(provider.GetRequiredService<IServiceScopeFactory>(), make), reader,
            new StateCheck(provider.GetRequiredService<ClaimCheckClient>(), reader, interval, TimeProvider.System),
            maxConcurrentBatches,
            provider.GetRequiredService<ILoggerFactory>().CreateLogger("ClaimCheck.Consumer.Listening.BatchDispatcher"));
    }
}
