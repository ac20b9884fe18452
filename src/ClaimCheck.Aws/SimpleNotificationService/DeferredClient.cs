namespace ClaimCheck.Aws.SimpleNotificationService;

/// <summary>Creates the client at the first call: finding the region may query the instance, and may fail.</summary>
internal sealed class DeferredClient : IDisposable
{
    private readonly Lazy<WireClient> client;
    private volatile bool isDisposed;

    public DeferredClient(
        string version, AwsMessagingOptions options, Func<ReadOnlyMemory<byte>, IWebResponseData, WireError> readError)
    {
        options.Validate();
        client = new Lazy<WireClient>(
            // Without a region it is tried again at the next call.
            () => new WireClient(new WireConfig(version, options), options, readError), LazyThreadSafetyMode.PublicationOnly);
    }

    /// <exception cref="AwsMessagingException">It failed, even after retries.</exception>
    public async Task<T> CallAsync<T>(WireCall call, Func<ReadOnlyMemory<byte>, T> read, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            return await client.Value.CallAsync(call, read, cancellationToken);
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            // Whatever the cause.
            cancellationToken.ThrowIfCancellationRequested();
            throw;
        }
        catch (Exception e)
            when (e is AmazonClientException or AmazonServiceException or HttpRequestException or IOException or TimeoutException)
        {
            throw Failures.From(e, $"SNS {call.Operation}", call.On, call.HoldsMessages);
        }
    }

    public void Dispose()
    {
        isDisposed = true;
        if (client.IsValueCreated)
            client.Value.Dispose();
    }
}
