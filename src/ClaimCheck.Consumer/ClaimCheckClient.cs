namespace ClaimCheck.Consumer;

/// <summary>
/// A client of one ClaimCheck service. Thread-safe; create one and reuse it. Requests that fail for a transient reason are
/// retried (<see cref="ClaimCheckClientOptions.MaxAttempts"/>); a refusal is a <see cref="ClaimCheckException"/>.
/// The key is sent to the configured address only, and redirects are not followed. Dispose it to close its connections.
/// </summary>
public sealed partial class ClaimCheckClient : IDisposable
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(60);
    private readonly ClaimCheckClientOptions options;
    private readonly HttpClient http;

    /// <summary>A client for the service at an address that requires no key.</summary>
    /// <exception cref="ArgumentException">The address can't be used; the text says why.</exception>
    public ClaimCheckClient(Uri baseAddress)
        : this(new ClaimCheckClientOptions { BaseAddress = baseAddress })
    {
    }

    /// <summary>A client with options of its own. It connects with the first call.</summary>
    /// <exception cref="ArgumentException">An option can't be used; the text says why.</exception>
    public ClaimCheckClient(ClaimCheckClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        this.options = options;
        var address = options.BaseAddress.AbsoluteUri;
        BaseAddress = new Uri(address.EndsWith('/') ? address : address + "/");
        http = OutgoingHttp.Create(TimeSpan.FromSeconds(10), DecompressionMethods.All);
        http.BaseAddress = BaseAddress;
    }

    /// <summary>The service's address, with a slash at its end.</summary>
    public Uri BaseAddress { get; }

    /// <summary>Lists the datasets that can be exported.</summary>
    public async Task<Page<DatasetInfo>> GetDatasetsAsync(string? cursor = null, CancellationToken cancellationToken = default) =>
        await GetAsync<Page<DatasetInfo>>("v1/datasets" + Query(("cursor", cursor)), cancellationToken: cancellationToken);

    /// <summary>One dataset: its parameters, columns, formats.</summary>
    /// <exception cref="NotFoundException">The dataset does not exist.</exception>
    public Task<DatasetInfo> GetDatasetAsync(string name, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        // A path segment of dots would address another call.
        return name.All(c => c == '.')
            ? throw new NotFoundException("The dataset does not exist.", null)
            : GetAsync<DatasetInfo>($"v1/datasets/{Uri.EscapeDataString(name)}", cancellationToken: cancellationToken);
    }

    /// <summary>Requests an export.</summary>
    /// <param name="request">What to export.</param>
    /// <param name="idempotencyKey">
    /// The same key and request give the same export, however often they are sent; up to 255 visible characters. Without one a
    /// random key is used, which makes this call's own retries safe, but not a second call.
    /// </param>
    /// <param name="wait">How long the service may wait for the export to become ready or end before it answers; 60 seconds at
    /// most.</param>
    /// <param name="cancellationToken">Cancels the call, not the export.</param>
    /// <exception cref="RequestRejectedException">The service refused it;
    /// <see cref="RequestRejectedException.Errors"/> says why.</exception>
    public async Task<Export> CreateExportAsync(
        ExportRequest request, string? idempotencyKey = null, TimeSpan? wait = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (idempotencyKey is not null
            && (idempotencyKey.Length is 0 or > 255 || idempotencyKey.Any(c => c is <= ' ' or >= '\x7f' or '"' or '\\')))
        {
            throw new ArgumentException(
                $"The idempotency key has {idempotencyKey.Length} characters, but must be 1 to 255 visible ASCII characters "
                + "without quotes and backslashes: it is sent in a header.", nameof(idempotencyKey));
        }
        var call = new ServiceCall(HttpMethod.Post, "v1/exports")
        {
            Content = request,
            IdempotencyKey = idempotencyKey ?? Guid.CreateVersion7().ToString("N"),
            Wait = Checked(wait),
            Prefer = true,
        };
        return await call.SendAsync<Export>(http, options, cancellationToken);
    }

    /// <summary>Asks what an export would be, without making it (a dry run).</summary>
    /// <param name="request">What to export.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="RequestRejectedException">The service would refuse the export;
    /// <see cref="RequestRejectedException.Errors"/> says why.</exception>
    public async Task<ExportEstimate> EstimateExportAsync(ExportRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var call = new ServiceCall(HttpMethod.Post, "v1/exports?dryRun=true") { Content = request };
        return await call.SendAsync<ExportEstimate>(http, options, cancellationToken);
    }

    /// <summary>One export. With <paramref name="wait"/> the service answers once it is ready or ended, or that
    /// time has passed.</summary>
    /// <exception cref="NotFoundException">The export does not exist, or this caller may not see it.</exception>
    public Task<Export> GetExportAsync(ExportId exportId, TimeSpan? wait = null, CancellationToken cancellationToken = default) =>
        GetAsync<Export>($"v1/exports/{exportId}", null, Checked(wait), prefer: true, cancellationToken);

    /// <summary>Exports, newest first.</summary>
    /// <param name="state">Only those in this state (<see cref="ExportState"/>).</param>
    /// <param name="dataset">Only those of this dataset.</param>
    /// <param name="limit">The largest number of results, 1 to 1,000; 100 by default.</param>
    /// <param name="cursor">The <see cref="Page{T}.NextCursor"/> of the previous page.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    public Task<Page<Export>> ListExportsAsync(
        string? state = null, string? dataset = null, int? limit = null, string? cursor = null,
        CancellationToken cancellationToken = default) =>
        GetAsync<Page<Export>>(
            "v1/exports" + Query(("state", state), ("dataset", dataset), ("limit", limit?.ToString()), ("cursor", cursor)),
            cancellationToken: cancellationToken);

    /// <summary>Cancels an export, or revokes its batch where it is ready.</summary>
    /// <exception cref="NotFoundException">The export does not exist, or this caller may not see it.</exception>
    public Task<Revocation> CancelExportAsync(
        ExportId exportId, string? reason = null, CancellationToken cancellationToken = default) =>
        DeleteAsync($"v1/exports/{exportId}" + Query(("reason", reason)), null, cancellationToken);

    /// <summary>One batch: state, counts, expiry; even after its end.</summary>
    /// <exception cref="NotFoundException">The batch does not exist, or this caller may not see it.</exception>
    public Task<Batch> GetBatchAsync(BatchId batchId, CancellationToken cancellationToken = default) =>
        GetAsync<Batch>($"v1/batches/{batchId}", batchId, cancellationToken: cancellationToken);

    /// <summary>
    /// The manifest with fresh links, from the batch's claim URL at the configured address (not at one that an event names).
    /// </summary>
    /// <exception cref="BatchNotReadyException">The export is not ready yet.</exception>
    /// <exception cref="BatchEndedException">Revoked, expired, cancelled or failed: no links will be minted.</exception>
    /// <exception cref="NotFoundException">The batch does not exist, or this caller may not see it.</exception>
    /// <exception cref="IntegrityException">The answer is the manifest of another batch.</exception>
    public async Task<Manifest> GetManifestAsync(BatchId batchId, CancellationToken cancellationToken = default)
    {
        var manifest = await GetAsync<Manifest>($"v1/batches/{batchId}/manifest", batchId, cancellationToken: cancellationToken);
        return manifest.BatchId == batchId
            ? manifest
            : throw new IntegrityException($"The manifest is of {manifest.BatchId}, but {batchId} was asked for.", batchId);
    }

    /// <summary>
    /// Revokes a batch: from the answer on no link to it is minted. The service waits up to 10 seconds for the deletion to be
    /// verified; call again for the current report.
    /// </summary>
    /// <exception cref="NotFoundException">The batch does not exist, or this caller may not see it.</exception>
    public Task<Revocation> RevokeAsync(BatchId batchId, string? reason = null, CancellationToken cancellationToken = default) =>
        DeleteAsync($"v1/batches/{batchId}" + Query(("reason", reason)), batchId, cancellationToken);

    /// <summary>One page of the event feed, oldest first.</summary>
    /// <param name="after">The cursor of what was read last; null for the oldest event that is kept.</param>
    /// <param name="wait">How long the service may wait for an event where there is none; 60 seconds at most.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="CursorExpiredException">Events after the cursor were deleted at the end of their retention.</exception>
    public Task<Page<BulkEvent>> ReadEventsAsync(
        string? after = null, TimeSpan? wait = null, CancellationToken cancellationToken = default)
    {
        var seconds = Checked(wait) is { } time ? ((int)time.TotalSeconds).ToString() : null;
        return GetAsync<Page<BulkEvent>>(
            "v1/events" + Query(("after", after), ("wait", seconds)), null, wait, prefer: false, cancellationToken);
    }

    /// <summary>
    /// Follows the event feed until cancelled, waiting for new events. Outages of the service are waited out. Each event is
    /// returned at least once: store <see cref="FeedEvent.Cursor"/> after its effect to continue from there later.
    /// </summary>
    /// <param name="after">The cursor to continue from; null for the oldest event that is kept.</param>
    /// <param name="cancellationToken">Stops following, with an <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="CursorExpiredException">Events after the cursor were deleted at the end of their retention.</exception>
    public async IAsyncEnumerable<FeedEvent> FollowEventsAsync(
        string? after = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var cursor = after;
        for (var outage = 0; ;)
        {
            Page<BulkEvent>? page = null;
            try
            {
                page = await ReadEventsAsync(cursor, TimeSpan.FromSeconds(30), cancellationToken);
                outage = 0;
            }
            catch (ClaimCheckException e) when (e.IsTransient)
            {
                await Task.Delay(
                    Backoff.After(++outage, options.RetryDelay, ClaimCheckClientOptions.LongestRetryDelay), cancellationToken);
            }
            if (page is null)
                continue;
            var next = page.NextCursor ?? cursor;
            // Within a page the cursor is that of the page's beginning: continuing from there repeats events, but misses none.
            for (var i = 0; i < page.Items.Count; i++)
                yield return new FeedEvent(page.Items[i], i == page.Items.Count - 1 ? next : cursor);
            cursor = next;
        }
    }

    /// <summary>Closes the connections.</summary>
    public void Dispose() => http.Dispose();

    /// <summary>One export as it is, and when the service suggests to ask again.</summary>
    internal async Task<(Export Export, TimeSpan? RetryAfter)> LookAsync(ExportId exportId, CancellationToken cancellationToken)
    {
        var answer = await new ServiceCall(HttpMethod.Get, $"v1/exports/{exportId}")
            .AnswerAsync<Export>(http, options, cancellationToken);
        return (answer.Value, answer.RetryAfter);
    }

    private Task<T> GetAsync<T>(
        string path, BatchId? batch = null, TimeSpan? wait = null, bool prefer = false,
        CancellationToken cancellationToken = default)
        where T : class =>
        new ServiceCall(HttpMethod.Get, path) { BatchId = batch, Wait = wait, Prefer = prefer }
            .SendAsync<T>(http, options, cancellationToken);

    private Task<Page<T>> PageAsync<T>(
        string path, int? limit, string? cursor, BatchId? batch, CancellationToken cancellationToken) =>
        GetAsync<Page<T>>(
            path + Query(("limit", limit?.ToString()), ("cursor", cursor)), batch, cancellationToken: cancellationToken);

    private async Task<Revocation> DeleteAsync(string path, BatchId? batch, CancellationToken cancellationToken)
    {
        // Deleting is idempotent, so it may be retried like a GET.
        var report = await new ServiceCall(HttpMethod.Delete, path) { BatchId = batch }
            .SendAsync<RevocationReport>(http, options, cancellationToken);
        return new(report, report.VerifiedAt is not null);
    }

    private static TimeSpan? Checked(TimeSpan? wait) =>
        wait is null || (wait >= TimeSpan.Zero && wait <= LongestWait)
            ? wait
            : throw new ArgumentOutOfRangeException(nameof(wait), wait, "The service waits for 60 seconds at most.");

    private static string Query(params ReadOnlySpan<(string Name, string? Value)> parameters)
    {
        var text = "";
        foreach (var (name, value) in parameters)
        {
            if (value is not null)
                text += $"{(text.Length == 0 ? '?' : '&')}{name}={Uri.EscapeDataString(value)}";
        }
        return text;
    }
}

/// <summary>The answer to a revocation or a cancellation.</summary>
/// <param name="Report">What was deleted, and the proof by probing links.</param>
/// <param name="IsVerified">False while the deletion continues in the background: ask again for the current report.</param>
public sealed record Revocation(RevocationReport Report, bool IsVerified);

/// <summary>One event of the feed.</summary>
/// <param name="Event">The event.</param>
/// <param name="Cursor">Store it once the event has taken effect, and continue from it later; null at the feed's very
/// beginning.</param>
public sealed record FeedEvent(BulkEvent Event, string? Cursor);
