namespace ClaimCheck.Service.Sources;

/// <summary>The bytes of one <c>COPY … TO STDOUT</c>. Cancelling it cancels the statement at the server.</summary>
internal sealed class CopyReader : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly CopyBypass? bypass;
    private readonly Func<CancellationToken, Task> cancelStatement;
    private readonly CancellationToken cancellationToken;
    private readonly CancellationTokenSource abandon = new();
    private readonly CancellationTokenRegistration registration;
    private NpgsqlCopyTextReader? reader;
    private Task? cancelling;
    private bool isEnded;
    private Exception? ending;

    private CopyReader(CopyBypass? bypass, Func<CancellationToken, Task> cancelStatement, CancellationToken cancellationToken)
    {
        this.bypass = bypass;
        this.cancelStatement = cancelStatement;
        this.cancellationToken = cancellationToken;
        // Cancelled by token, Npgsql would merely cut the connection, and leave the server sorting until it has a row to send.
        // So the server is asked to stop; if it does not, the connection is cut.
        registration = cancellationToken.Register(() => cancelling = CancelAsync());
    }

    /// <param name="connection">Must not be used otherwise until the reader is disposed.</param>
    /// <param name="bypass">What the connection's records go through, if anything.</param>
    /// <param name="copy">The statement.</param>
    /// <param name="cancelStatement">Cancels the connection's current statement at the server.</param>
    /// <param name="cancellationToken">Cancels the statement at the server, now or during any later read.</param>
    public static async Task<CopyReader> OpenAsync(
        NpgsqlConnection connection, CopyBypass? bypass, string copy, Func<CancellationToken, Task> cancelStatement,
        CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var copyReader = new CopyReader(bypass, cancelStatement, cancellationToken);
        try
        {
            // Answered with the first rows: sorting happens before that.
            copyReader.reader = await connection.BeginTextExportAsync(copy, copyReader.abandon.Token);
            return copyReader;
        }
        catch (Exception e) when (SourceErrors.IsSourceError(e) || e is OperationCanceledException)
        {
            copyReader.isEnded = true;
            await copyReader.DisposeAsync();
            throw SourceErrors.Translate(e, cancellationToken);
        }
    }

    /// <summary>Fills the space, or as much of it as is worth handing on; 0 is the end.</summary>
    public async ValueTask<int> ReadAsync(Memory<byte> space)
    {
        var total = 0;
        if (ending is not null)
            throw ending;
        try
        {
            // One row per call is too little to work on: continue until three quarters are full.
            while (!isEnded && total < space.Length - (space.Length >> 2))
            {
                var count = await ReadSomeAsync(space[total..]);
                isEnded = count == 0;
                total += count;
            }
        }
        catch (Exception e) when (SourceErrors.IsSourceError(e) || e is OperationCanceledException)
        {
            isEnded = true; // Npgsql has ended the copy, or cut the connection
            if (e is OperationCanceledException)
                bypass?.Dispose(); // which Npgsql did not do where it was not the one that was asked
            ending = SourceErrors.Translate(e, cancellationToken);
            // The records before it are passed on first: from their number follows which record the source failed at.
            if (total == 0)
                throw ending;
        }

        cancellationToken.ThrowIfCancellationRequested();
        return total;
    }

    // The driver tells after the last record whether the statement succeeded.
    private async ValueTask<int> ReadSomeAsync(Memory<byte> space) =>
        bypass is not null && await bypass.ReadAsync(space, abandon.Token) is var count and > 0 ? count
        : await reader!.BaseStream.ReadAsync(space, abandon.Token);

    public async ValueTask DisposeAsync()
    {
        await registration.DisposeAsync();
        // Disposed halfway, Npgsql would read on to the last row.
        if (!isEnded)
            cancelling ??= CancelAsync();
        if (cancelling is not null)
            await cancelling;
        try
        {
            bypass?.Discard();
            if (!isEnded)
                reader!.BaseStream.ReadTimeout = (int)Patience.TotalMilliseconds;
            if (reader is not null)
                await reader.DisposeAsync();
        }
        catch (Exception e) when (SourceErrors.IsSourceError(e) || e is OperationCanceledException)
        {
            // The failure that ended the copy was thrown by the read; here it is only cleaned up.
        }

        abandon.Dispose();
    }

    private async Task CancelAsync()
    {
        abandon.CancelAfter(Patience);
        try
        {
            await cancelStatement(abandon.Token);
        }
        catch (Exception e) when (SourceErrors.IsSourceError(e) || e is OperationCanceledException)
        {
            // The server can't be asked: then the connection is cut in a moment.
        }
    }
}
