using System.Diagnostics;

namespace ClaimCheck.Adapter.Locations;

/// <summary>
/// One authenticated connection that the client programs share (OpenSSH's ControlMaster), so that a push costs one handshake. It is made
/// when it is needed, and ended when it has not been for a while, so that none is held that a server or firewall could have forgotten.
/// </summary>
internal sealed class SshConnection : IAsyncDisposable
{
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(10);

    private readonly SemaphoreSlim changing = new(1);
    private readonly Timer idle;
    private string? folder;
    private Process? master;
    private Task<string> errors = Task.FromResult("");
    private int users;
    private bool isOver;

    public SshConnection() => idle = new Timer(_ => _ = EndIfIdleAsync());

    /// <summary>Where the programs find it.</summary>
    public string Path => System.IO.Path.Combine(folder!, "s");

    /// <summary>Sees to it that the connection stands, until <see cref="Leave"/>.</summary>
    /// <param name="start">Makes the program that holds it, for a socket's path.</param>
    /// <param name="patience">How long the connecting may take.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>How the program ended, where it did not come to stand; else null.</returns>
    public async Task<SshOutcome?> EnterAsync(Func<string, ProcessStartInfo> start, TimeSpan patience, CancellationToken cancellationToken)
    {
        await changing.WaitAsync(cancellationToken);
        try
        {
            ObjectDisposedException.ThrowIf(isOver, this);
            if (master is not { HasExited: false } || !File.Exists(Path))
            {
                await EndAsync();
                if (await BeginAsync(start, patience, cancellationToken) is { } failed)
                    return failed;
            }

            Interlocked.Increment(ref users);
            return null;
        }
        finally
        {
            changing.Release();
        }
    }

    public void Leave()
    {
        if (Interlocked.Decrement(ref users) == 0 && !isOver)
            idle.Change(Idle, Timeout.InfiniteTimeSpan);
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

    private async Task<SshOutcome?> BeginAsync(Func<string, ProcessStartInfo> start, TimeSpan patience, CancellationToken cancellationToken)
    {
        // Its own user's alone, and short: a socket's path has some hundred characters.
        folder = Directory.CreateTempSubdirectory("cc-ssh-").FullName;
        var begun = TimeProvider.System.GetTimestamp();
        master = SshClient.Start(start(Path));
        errors = SshClient.ReadAsync(master.StandardError, CancellationToken.None);
        try
        {
            while (!File.Exists(Path))
            {
                if (master.HasExited)
                {
                    var failed = new SshOutcome(master.ExitCode == 0 ? 255 : master.ExitCode, "", (await errors).Trim());
                    await EndAsync();
                    return failed;
                }

                if (TimeProvider.System.GetElapsedTime(begun) > patience)
                {
                    await EndAsync();
                    return new SshOutcome(255, "", $"no connection came to stand within {patience}");
                }

                await Task.Delay(Look, cancellationToken);
            }

            return null;
        }
        catch
        {
            await EndAsync();
            throw;
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

    private async Task EndAsync()
    {
        if (master is not null)
        {
            if (!master.HasExited)
                master.Kill();
            await master.WaitForExitAsync();
            await ((Task)errors).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            master.Dispose();
            master = null;
        }

        if (folder is not null)
            Directory.Delete(folder, recursive: true);
        folder = null;
    }
}
