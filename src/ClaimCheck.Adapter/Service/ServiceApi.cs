namespace ClaimCheck.Adapter.Service;

/// <summary>
/// Calls of the service that are one try each, since the deliveries have their own delays: a state with its Retry-After, a
/// receipt, a look at staging.
/// </summary>
internal sealed class ServiceApi(CheckedAdapterOptions options) : IDisposable
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly ClaimCheckClient client = ClientOf(options);
    private readonly HttpClient staging = OutgoingHttp.Create(ConnectTimeout, timeout: Patience);

    /// <summary>A client that reports each failure at once.</summary>
    public static ClaimCheckClient ClientOf(CheckedAdapterOptions options) => new(new ClaimCheckClientOptions
    {
        BaseAddress = options.Service,
        ApiKey = options.ApiKey,
        Consumer = options.Consumer,
        MaxAttempts = 1,
    });

    /// <summary>An export, and when the service suggests to ask again.</summary>
    public Task<(Export Export, TimeSpan? RetryAfter)> GetExportAsync(ExportId exportId, CancellationToken cancellationToken) =>
        client.LookAsync(exportId, cancellationToken);

    /// <summary>Reports the outcome of a batch here.</summary>
    public Task PutReceiptAsync(BatchId batchId, ReceiptReport report, CancellationToken cancellationToken) =>
        client.PutReceiptAsync(batchId, options.Consumer, report, cancellationToken);

    /// <summary>Whether the target of a link exists yet.</summary>
    /// <returns>Null where the link does not work: it can't tell anything.</returns>
    public async Task<bool?> IsThereAsync(Link link, CancellationToken cancellationToken)
    {
        if (!Uri.TryCreate(link.Reveal(), UriKind.Absolute, out var address) || address is not { Scheme: "http" or "https" })
            return null;
        try
        {
            using var response = await staging.GetAsync(address, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            return response.StatusCode switch
            {
                HttpStatusCode.OK => true,
                // Expired; or not there yet, in a bucket that may not be listed: the status does not distinguish them.
                HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized or HttpStatusCode.BadRequest => null,
                _ => false,
            };
        }
        catch (Exception e) when (e is HttpRequestException or IOException
            || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return false; // the message may contain the link; and the state is asked for as well
        }
    }

    public void Dispose()
    {
        client.Dispose();
        staging.Dispose();
    }
}
