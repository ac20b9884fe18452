using Npgsql;

namespace ClaimCheck.Service.Exporting;

/// <summary>The bytes of one <c>COPY … TO STDOUT</c>. Cancelling it cancels the statement at the server.</summary>
internal sealed class CopyReader : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly NpgsqlCopyTextReader reader;
    private readonly NpgsqlReadAhead? readAhead;
    private readonly CancellationToken cancellationToken;
    private readonly CancellationTokenSource abandon = new();
    private readonly CancellationTokenRegistration registration;
    private Task cancelling = Task.CompletedTask;
    private volatile bool isEnded;

    private CopyReader(NpgsqlCopyTextReader reader, CancellationToken cancellationToken)
    {
        this.reader = reader;
        this.cancellationToken = cancellationToken;
        readAhead = NpgsqlReadAhead.TryOpen(reader.BaseStream);
        // Cancelling a read would merely cut the connection, and leave the server sorting. Ask it to stop, and cut if it does not.
        registration = cancellationToken.Register(() =>
        {
            abandon.CancelAfter(Patience);
            cancelling = CancelAtServerAsync();
        });
    }

    public static Task<CopyReader> OpenAsync(NpgsqlConnection connection, string copy, CancellationToken cancellationToken) =>
        SourceErrors.GuardAsync(
            async () => new CopyReader(await connection.BeginTextExportAsync(copy, cancellationToken), cancellationToken),
            cancellationToken);

    /// <summary>Fills the space, or as much of it as is worth handing on; 0 is the end.</summary>
    public async ValueTask<int> ReadAsync(Memory<byte> space)
    {
        var total = 0;
        try
        {
            // A row a call is too little to work on: go on until three quarters are full.
            while (!isEnded && total < space.Length - (space.Length >> 2))
            {
                var count = await reader.BaseStream.ReadAsync(space[total..], abandon.Token);
                isEnded = count == 0;
                total += count;
                if (!isEnded && readAhead is not null)
                    total += readAhead.Take(space.Span[total..]);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            isEnded = true;
            throw new OperationCanceledException(cancellationToken);
        }
        catch (Exception e) when (SourceErrors.IsSourceError(e))
        {
            isEnded = true; // Npgsql has ended the copy, or lost the connection
            throw SourceErrors.Translate(e, cancellationToken);
        }

        cancellationToken.ThrowIfCancellationRequested();
        return total;
    }

    public async ValueTask DisposeAsync()
    {
        await registration.DisposeAsync();
        try
        {
            await cancelling;
            // Disposed halfway Npgsql would read on to the last row.
            if (!isEnded)
            {
                reader.BaseStream.ReadTimeout = (int)Patience.TotalMilliseconds;
                await CancelAtServerAsync();
            }

            await reader.DisposeAsync();
        }
        catch (Exception e) when (SourceErrors.IsSourceError(e) || e is OperationCanceledException)
        {
            // The error that ended the copy was thrown by the read; here the connection is only left.
        }

        abandon.Dispose();
    }

    private async Task CancelAtServerAsync()
    {
        try
        {
            if (!isEnded)
                await reader.CancelAsync();
        }
        catch (Exception e) when (SourceErrors.IsSourceError(e) || e is InvalidOperationException or NullReferenceException)
        {
            // Unreachable, or over this very moment (Npgsql then has no connection to name): the read finds out by itself.
        }
    }
}
