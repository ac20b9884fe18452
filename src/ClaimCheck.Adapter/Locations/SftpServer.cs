using Renci.SshNet.Common;
using Renci.SshNet.Sftp;

namespace ClaimCheck.Adapter.Locations;

/// <summary>
/// The calls of an SFTP server, each over the shared connection. Failures keep the library's exception as the inner one.
/// </summary>
internal sealed class SftpServer(LocationOptions options, SshAccess access, TimeProvider time, string name) : IAsyncDisposable
{
    private readonly SshClients<SftpClient> clients = new(
        access, info => new SftpClient(info) { OperationTimeout = options.StallTimeout }, time);

    public ValueTask DisposeAsync() => clients.DisposeAsync();

    // Null where the file is missing; not known where the server does not say.
    public async Task<(bool IsKnown, long? Length)> LengthAsync(string path, string remote, CancellationToken cancellationToken)
    {
        try
        {
            var found = await CallAsync(
                $"look for {path}", sftp => sftp.GetAttributesAsync(remote, cancellationToken), cancellationToken);
            return (true, found.IsRegularFile ? found.Size : null);
        }
        catch (LocationException e) when (e.InnerException is SftpPathNotFoundException)
        {
            return (true, null);
        }
        catch (LocationException e) when (e.InnerException is SftpException or NotSupportedException)
        {
            return (false, null);
        }
    }

    public Task<bool> IsAsync(
        string path, string remote, long bytes, ReadOnlyMemory<byte> sha256, CancellationToken cancellationToken) => CallAsync(
            $"read {path} back",
            async sftp =>
            {
                await using var content = await sftp.OpenAsync(remote, FileMode.Open, FileAccess.Read, cancellationToken);
                return await Digests.IsAsync(content, bytes, sha256, cancellationToken);
            },
            cancellationToken);

    public async Task MakeFolderAsync(string root, string path, CancellationToken cancellationToken)
    {
        var names = path.Split('/')[..^1];
        if (names.Length == 0 || await HasFolderAsync($"{root}/{string.Join('/', names)}", cancellationToken) == true)
            return;
        for (var i = 1; i <= names.Length; i++)
        {
            var folder = $"{root}/{string.Join('/', names[..i])}";
            try
            {
                await CallAsync(
                    $"make the folder {folder}", sftp => sftp.CreateDirectoryAsync(folder, cancellationToken), cancellationToken);
            }
            catch (LocationException e) when (e.InnerException is SftpException)
            {
                // The server reports the same for an existing one.
                if (await HasFolderAsync(folder, cancellationToken) == false)
                    throw;
            }
        }
    }

    // Null where the server does not say.
    private async Task<bool?> HasFolderAsync(string folder, CancellationToken cancellationToken)
    {
        try
        {
            return (await CallAsync($"look for {folder}", sftp => sftp.GetAttributesAsync(folder, cancellationToken),
                cancellationToken)) is { IsRegularFile: false };
        }
        catch (LocationException e) when (e.InnerException is SftpException failure)
        {
            return failure is SftpPathNotFoundException ? false : null;
        }
    }

    public async Task SendAsync(
        string path, string temporary, Func<CancellationToken, Task<Stream>> open, long bytes, ReadOnlyMemory<byte> sha256,
        CancellationToken cancellationToken)
    {
        using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await using var source = await open(cancellationToken);
        await using var measured = new MeasuredStream(source, path, bytes, sha256);
        var moved = new Moved(stall, options.StallTimeout);
        try
        {
            await CallAsync(
                $"store {path}",
                sftp =>
                {
                    moved.Report(default!);
                    return sftp.UploadFileAsync(measured, temporary, moved, stall.Token);
                },
                stall.Token);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new LocationException(
                LocationFailure.Away, $"{name} could not store {path}: nothing moved for {options.StallTimeout}.", inner: e);
        }
        catch (LocationException e)
            when (measured.BytesRead > 0 && e.InnerException is SftpException { StatusCode: StatusCode.Failure })
        {
            // SFTP version 3 has no status code for a full disk.
            throw new LocationException(
                LocationFailure.Full,
                $"{e.Message.TrimEnd('.')}, which is what a full disk or quota is called there. Free some space.",
                inner: e.InnerException);
        }
    }

    public async Task RenameAsync(string path, string from, string to, CancellationToken cancellationToken)
    {
        try
        {
            // posix-rename@openssh.com replaces a file in one step; the library offers it as a blocking call.
            await CallAsync(
                $"give {path} its name",
                sftp =>
                    Task.Run(() => sftp.RenameFile(from, to, isPosix: true), CancellationToken.None).WaitAsync(cancellationToken),
                cancellationToken);
        }
        catch (LocationException e) when (e.InnerException is NotSupportedException)
        {
            // Without it a server does not rename over an existing file.
            await UnlessMissingAsync($"replace {path}", sftp => sftp.DeleteFileAsync(to, cancellationToken), cancellationToken);
            await CallAsync(
                $"give {path} its name", sftp => sftp.RenameFileAsync(from, to, cancellationToken), cancellationToken);
        }
    }

    public async Task<TResult> CallAsync<TResult>(
        string doing, Func<SftpClient, Task<TResult>> call, CancellationToken cancellationToken)
    {
        try
        {
            return await clients.UseAsync(call, cancellationToken);
        }
        catch (Exception e) when (e is not (OperationCanceledException or LocationException))
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw access.Explain(e, $"{name} could not {doing}");
        }
    }

    public Task CallAsync(string doing, Func<SftpClient, Task> call, CancellationToken cancellationToken) => CallAsync(
        doing,
        async sftp =>
        {
            await call(sftp);
            return true;
        },
        cancellationToken);

    public async Task UnlessMissingAsync(string doing, Func<SftpClient, Task> call, CancellationToken cancellationToken)
    {
        try
        {
            await CallAsync(doing, call, cancellationToken);
        }
        catch (LocationException e) when (e.InnerException is SftpPathNotFoundException)
        {
            // It is gone.
        }
    }

    private sealed class Moved(CancellationTokenSource stall, TimeSpan timeout) : IProgress<UploadFileProgressReport>
    {
        public void Report(UploadFileProgressReport value)
        {
            try
            {
                stall.CancelAfter(timeout);
            }
            catch (ObjectDisposedException)
            {
                // The server's answer to what was sent before the upload failed; thrown from here it would end the connection.
            }
        }
    }
}
