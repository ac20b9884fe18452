namespace ClaimCheck.Adapter.Deliveries;

/// <summary>One delivery in this process: its document, which only changes after it is on disk, and its worker.</summary>
[SuppressMessage(
    "Design", "CA1001", Justification = "A SemaphoreSlim has nothing to dispose of unless its wait handle is asked for.")]
internal sealed class Delivery(DeliveryDocument document, StateDirectory state, bool isNew)
{
    private readonly SemaphoreSlim changing = new(1);
    private readonly Lock guard = new();
    // completed by the next change
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task sinceStep = Task.CompletedTask;
    private CancellationTokenSource? step;
    private int waiting;

    public DeliveryDocument Document { get; private set; } = document;

    /// <summary>
    /// Whether this process began it; a delivery of an earlier process is looked at once before events are waited for.
    /// </summary>
    public bool IsNew { get; } = isNew;

    /// <summary>What this process remembers of its looks for the batch, and of its tries.</summary>
    public Looks Looks { get; } = new();

    /// <summary>The service's refusal for a caller that waited; the delivery is then deleted.</summary>
    public DeliveryFailure? Refusal { get; private set; }

    private bool IsForgotten => Refusal is not null;

    /// <summary>Makes a transition, where the document's state allows it, and stores it first.</summary>
    /// <param name="step">Returns null where it does not apply.</param>
    /// <param name="cancellationToken">Cancels the wait for other transitions; one that is being written is completed.</param>
    /// <returns>False where it did not apply.</returns>
    /// <exception cref="IOException">It could not be stored, and was not made.</exception>
    public async Task<bool> ChangeAsync(Func<DeliveryDocument, DeliveryDocument?> step, CancellationToken cancellationToken)
    {
        await changing.WaitAsync(cancellationToken);
        try
        {
            if (IsForgotten || step(Document) is not { } next)
                return false;
            // Why a step of the previous state failed does not matter in the next one.
            if (next.State != Document.State)
                next = next with { LastFailure = null };
            await state.SaveAsync(next, CancellationToken.None);
            Document = next;
        }
        finally
        {
            changing.Release();
        }

        Wake();
        return true;
    }

    /// <summary>
    /// Records what changes no state and wakes nobody: how tries fail. It counts even where the disk is full, which may be what
    /// it reports.
    /// </summary>
    public async Task NoteAsync(Func<DeliveryDocument, DeliveryDocument?> note, CancellationToken cancellationToken)
    {
        await changing.WaitAsync(cancellationToken);
        try
        {
            if (IsForgotten || note(Document) is not { } next)
                return;
            Document = next;
            await state.SaveAsync(next, CancellationToken.None);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The next one is written.
        }
        finally
        {
            changing.Release();
        }
    }

    /// <summary>
    /// A caller waits for the answer to its request, until <see cref="EndAwait"/>: a refusal is returned to it, and nothing is
    /// kept.
    /// </summary>
    public void Await()
    {
        lock (guard)
            waiting++;
    }

    public void EndAwait()
    {
        lock (guard)
            waiting--;
    }

    /// <summary>The service refused the request. Where a caller waits for the answer, it is told, and nothing is kept.</summary>
    /// <param name="failure">The refusal.</param>
    /// <param name="forget">Removes the delivery.</param>
    /// <returns>False where nobody waits.</returns>
    public bool TryRefuse(DeliveryFailure failure, Action forget)
    {
        lock (guard)
        {
            if (waiting == 0)
                return false;
            forget();
            Refusal = failure;
        }

        Wake();
        return true;
    }

    /// <summary>Cancels what is being waited for, and the step under way where the state has changed.</summary>
    public void Wake()
    {
        CancellationTokenSource? underWay;
        TaskCompletionSource waitedFor;
        lock (guard)
        {
            (waitedFor, changed) = (changed, new(TaskCreationOptions.RunContinuationsAsynchronously));
            underWay = step;
        }

        waitedFor.SetResult();

        // Outside the lock: the token's callbacks run here.
        try
        {
            underWay?.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The step has ended meanwhile.
        }
    }

    /// <summary>A step begins: its token is cancelled when the document changes meanwhile. The worker disposes it.</summary>
    public CancellationTokenSource BeginStep(CancellationToken stoppingToken)
    {
        lock (guard)
        {
            sinceStep = changed.Task;
            return step = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        }
    }

    /// <summary>Waits until it has left a state.</summary>
    /// <returns>False where it still is after <paramref name="atMost"/>.</returns>
    public async Task<bool> LeavesAsync(DeliveryState state, TimeSpan atMost, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(atMost);
        while (true)
        {
            Task change;
            lock (guard)
            {
                if (Document.State != state || IsForgotten)
                    return true;
                change = changed.Task;
            }

            await change.WaitAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
            if (limit.IsCancellationRequested)
                return Document.State != state;
        }
    }

    /// <summary>Waits for a time, or until the document has changed since the step began.</summary>
    public async Task WaitAsync(TimeSpan pause, TimeProvider time, CancellationToken cancellationToken)
    {
        if (pause <= TimeSpan.Zero || sinceStep.IsCompleted)
            return;
        await sinceStep.WaitAsync(pause, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
    }
}
