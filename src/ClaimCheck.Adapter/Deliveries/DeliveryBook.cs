using System.Threading.Channels;

namespace ClaimCheck.Adapter.Deliveries;

/// <summary>All deliveries that the adapter keeps.</summary>
[SuppressMessage(
    "Design", "CA1001", Justification = "A SemaphoreSlim has nothing to dispose of unless its wait handle is asked for.")]
internal sealed class DeliveryBook(CheckedAdapterOptions options, StateDirectory state, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, Delivery> all = new(StringComparer.Ordinal);
    private readonly Channel<Delivery> begun = Channel.CreateUnbounded<Delivery>(
        new UnboundedChannelOptions { SingleReader = true });
    private readonly SemaphoreSlim beginning = new(1);

    /// <summary>Deliveries to work on, in the order in which they began.</summary>
    public ChannelReader<Delivery> Begun => begun.Reader;

    /// <summary>Newest first.</summary>
    public IEnumerable<Delivery> All =>
        all.Values.OrderByDescending(each => each.Document.CreatedAt)
            .ThenByDescending(each => each.Document.Id, StringComparer.Ordinal);

    public Delivery? Find(string id) => all.GetValueOrDefault(id);

    public IEnumerable<Delivery> OfBatch(BatchId batchId) => all.Values.Where(each => each.Document.BatchId == batchId);

    public IEnumerable<Delivery> OfRoute(string route) => All.Where(each => each.Document.Route == route);

    /// <summary>The same consumer, route and origin are the same delivery, here and at the service.</summary>
    public string IdOf(Route route, string origin) =>
        "dlv_" + Convert.ToHexStringLower(
            SHA256.HashData(Encoding.UTF8.GetBytes($"{options.Consumer}\n{route.Name}\n{origin}")).AsSpan(0, 16));

    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        foreach (var document in await state.LoadDeliveriesAsync(cancellationToken))
            Add(new(document, state, isNew: false));
    }

    /// <summary>A delivery of what the route requests; on disk when this returns.</summary>
    /// <param name="route">Its route.</param>
    /// <param name="origin">What triggered it.</param>
    /// <param name="request">The request to the service.</param>
    /// <param name="caller">The name of the key that requested it, or null.</param>
    /// <param name="cancellationToken">Cancels the wait for others.</param>
    /// <returns>The delivery, and whether it is a new one. With a caller, its answer is awaited.</returns>
    public Task<(Delivery Delivery, bool IsNew)> BeginAsync(
        Route route, string origin, ExportRequest request, string? caller, CancellationToken cancellationToken) =>
        BeginAsync(New(route, origin, DeliveryState.Requested) with { Caller = caller, Request = request }, caller is not null,
            cancellationToken);

    /// <summary>A delivery of a ready batch that another client requested.</summary>
    public Task<(Delivery Delivery, bool IsNew)> BeginAsync(
        Route route, BulkReadyData ready, CancellationToken cancellationToken) =>
        BeginAsync(New(route, $"batch {ready.BatchId}", DeliveryState.Delivering) with
        {
            Dataset = ready.Dataset,
            ExportId = ready.ExportId,
            BatchId = ready.BatchId,
        }, isAwaited: false, cancellationToken);

    /// <summary>A delivery of the transient failures of another batch, exported again.</summary>
    public Task<(Delivery Delivery, bool IsNew)> BeginRetryAsync(
        Route route, BatchId failed, ExportId exportId, BatchId batchId, CancellationToken cancellationToken) =>
        BeginAsync(New(route, $"retry {batchId}", DeliveryState.Waiting) with
        {
            ExportId = exportId,
            BatchId = batchId,
            RetryOf = failed,
        }, isAwaited: false, cancellationToken);

    /// <summary>Deletes a delivery.</summary>
    public void Forget(Delivery delivery)
    {
        state.Delete(delivery.Document.Id);
        all.TryRemove(delivery.Document.Id, out _);
    }

    private DeliveryDocument New(Route route, string origin, DeliveryState state) => new()
    {
        Id = IdOf(route, origin),
        Route = route.Name,
        Origin = origin,
        Dataset = route.Dataset,
        CreatedAt = time.GetUtcNow(),
        State = state,
    };

    private async Task<(Delivery Delivery, bool IsNew)> BeginAsync(
        DeliveryDocument document, bool isAwaited, CancellationToken cancellationToken)
    {
        await beginning.WaitAsync(cancellationToken);
        try
        {
            var known = Find(document.Id);
            var (delivery, isNew) = (known ?? new Delivery(document, state, isNew: true), known is null);
            if (isNew)
                await state.SaveAsync(document, CancellationToken.None);
            if (isAwaited)
                delivery.Await();
            if (isNew)
                Add(delivery);
            return (delivery, isNew);
        }
        finally
        {
            beginning.Release();
        }
    }

    private void Add(Delivery delivery)
    {
        all[delivery.Document.Id] = delivery;
        begun.Writer.TryWrite(delivery);
    }
}
