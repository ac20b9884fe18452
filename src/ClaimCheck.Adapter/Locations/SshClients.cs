using ConnectionInfo = Renci.SshNet.ConnectionInfo;

namespace ClaimCheck.Adapter.Locations;

/// <summary>
/// One authenticated connection that the calls of a location share, so that a push costs one handshake. It is opened when needed,
/// and closed after a while without use, so that none is kept that a server or firewall has dropped.
/// </summary>
internal sealed class SshClients<T> : IAsyncDisposable
    where T : BaseClient
{
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim changing = new(1);
    private readonly SemaphoreSlim calls = new(8);
    private readonly SshAccess access;
    private readonly Func<ConnectionInfo, T> make;
    private readonly ITimer idle;
    private T? client;
    private int users;
    private bool isOver;

    public SshClients(SshAccess access, Func<ConnectionInfo, T> make, TimeProvider time)
    {
        (this.access, this.make) = (access, make);
        idle = time.CreateTimer(_ => _ = EndIfIdleAsync(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>
    /// Makes a call over the connection. A call that loses it closes it for the others too, and the next call opens a new one.
    /// </summary>
    /// <exception cref="LocationException">It could not be connected to.</exception>
    public async Task<TResult> UseAsync<TResult>(Func<T, Task<TResult>> call, CancellationToken cancellationToken)
    {
        await calls.WaitAsync(cancellationToken);
        try
        {
            var used = await EnterAsync(cancellationToken);
            try
            {
                return await call(used);
            }
            catch (Exception e) when (SshAccess.IsDisconnected(e))
            {
                await DropAsync(used);
                throw;
            }
            finally
            {
                Leave();
            }
        }
        finally
        {
            calls.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await changing.WaitAsync();
        try
        {
            isOver = true;
            await idle.DisposeAsync();
            await EndAsync();
        }
        finally
        {
            changing.Release();
        }
    }

    private async Task<T> EnterAsync(CancellationToken cancellationToken)
    {
        await changing.WaitAsync(cancellationToken);
        try
        {
            ObjectDisposedException.ThrowIf(isOver, this);
            if (client is not { IsConnected: true })
            {
                await EndAsync();
                client = await access.ConnectAsync(make, cancellationToken);
            }

            Interlocked.Increment(ref users);
            return client;
        }
        finally
        {
            changing.Release();
        }
    }

    private void Leave()
    {
        if (Interlocked.Decrement(ref users) == 0 && !isOver)
            idle.Change(Idle, Timeout.InfiniteTimeSpan);
    }

    private async Task DropAsync(T lost)
    {
        await changing.WaitAsync();
        try
        {
            if (ReferenceEquals(client, lost))
                await EndAsync();
        }
        finally
        {
            changing.Release();
        }
    }

    private async Task EndIfIdleAsync()
    {
        await changing.WaitAsync();
        try
        {
            if (Volatile.Read(ref users) == 0)
                await EndAsync();
        }
        finally
        {
            changing.Release();
        }
    }

    // Closing it waits for the server.
    private async Task EndAsync()
    {
        if (client is { } ended)
        {
            client = null;
            await Task.Run(ended.Dispose);
        }
    }
}
