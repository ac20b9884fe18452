using Renci.SshNet.Common;

namespace ClaimCheck.Adapter.Locations;

/// <summary>A folder of an SFTP server. Consecutive calls share one connection.</summary>
internal sealed class SftpLocation : ISharedLocation
{
    private static readonly TimeSpan TidyTimeout = TimeSpan.FromSeconds(30);

    private readonly LocationOptions options;
    private readonly TimeProvider time;
    private readonly SftpServer server;
    private readonly RemoteChecksum checksums;
    private readonly string root;

    public SftpLocation(LocationOptions options, TimeProvider time)
    {
        (this.options, this.time) = (options, time);
        var access = new SshAccess(options, time);
        (server, checksums) = (new SftpServer(options, access, time, Name), new RemoteChecksum(options, access, time));
        root = options.Path!.StartsWith('/') ? options.Path.TrimEnd('/') : "./" + options.Path.TrimEnd('/');
    }

    public string Name => $"sftp://{options.Host}:{options.Port}/{options.Path!.TrimStart('/')}";

    public bool CanList => true;

    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        // A missing folder is not created: it may be a missing mount, whose parent would be filled instead.
        await server.CallAsync("be used", sftp => sftp.GetAttributesAsync(Remote(""), cancellationToken), cancellationToken);
        await LocationProbe.RunAsync(this, cancellationToken);
    }

    public async Task WriteAsync(
        string path, Func<CancellationToken, Task<Stream>> open, long bytes, ReadOnlyMemory<byte> sha256,
        CancellationToken cancellationToken)
    {
        var temporary = LocationPath.Temporary(LocationPath.Checked(path));
        await server.MakeFolderAsync(root, path, cancellationToken);
        try
        {
            await server.SendAsync(path, Remote(temporary), open, bytes, sha256, cancellationToken);
            Digests.Prove(await HoldsAsync(temporary, bytes, sha256, cancellationToken), Name, path);

            await server.RenameAsync(path, Remote(temporary), Remote(path), cancellationToken);
        }
        catch
        {
            await TryRemoveAsync(temporary);
            throw;
        }
    }

    public async Task<Holding> HoldsAsync(
        string path, long bytes, ReadOnlyMemory<byte> sha256, CancellationToken cancellationToken)
    {
        var (isKnown, length) = await server.LengthAsync(path, Remote(path), cancellationToken);
        if (isKnown && length != bytes)
            return Holding.Other;
        if (isKnown && options.Verify == "length")
            return Holding.Same;
        if (await checksums.IsAsync(Remote(path), bytes, sha256, cancellationToken) is { } isSame)
            return isSame ? Holding.Same : Holding.Other;
        // Without a command that computes the checksum, the bytes themselves are compared.
        if (bytes > LocationLimits.ReadBackBytes && options.Verify != "checksum")
            return isKnown ? Holding.Same : Holding.Unclear;
        try
        {
            return await server.IsAsync(path, Remote(path), bytes, sha256, cancellationToken) ? Holding.Same : Holding.Other;
        }
        catch (LocationException e) when (e.InnerException is SftpPathNotFoundException)
        {
            return Holding.Other;
        }
        catch (LocationException e) when (e.InnerException is SftpException or NotSupportedException)
        {
            // It can't be read. Where the operator does not require more, its length is compared.
            return isKnown && options.Verify != "checksum" ? Holding.Same : Holding.Unclear;
        }
    }

    public async Task<byte[]?> ReadAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            return await server.CallAsync(
                $"read {path}",
                async sftp =>
                {
                    await using var content = await sftp.OpenAsync(
                        Remote(path), FileMode.Open, FileAccess.Read, cancellationToken);
                    return await LocationLimits.ReadAsync(content, Name, path, cancellationToken);
                },
                cancellationToken);
        }
        catch (LocationException e) when (e.InnerException is SftpPathNotFoundException)
        {
            return null;
        }
    }

    public async Task<IReadOnlyList<StoredFile>> ListAsync(string folder, CancellationToken cancellationToken)
    {
        try
        {
            return await server.CallAsync(
                $"list {folder}",
                async sftp =>
                {
                    var found = new List<StoredFile>();
                    await foreach (var entry in sftp.ListDirectoryAsync(Remote(folder), cancellationToken))
                    {
                        if (entry is { Name: not ("." or "..") } and ({ IsRegularFile: true } or { IsDirectory: true }))
                            found.Add(new StoredFile(entry.Name, entry.IsDirectory ? 0 : entry.Length,
                                new DateTimeOffset(entry.LastWriteTimeUtc), entry.IsDirectory));
                        LocationLimits.Check(found.Count, Name, folder);
                    }

                    return found;
                },
                cancellationToken);
        }
        catch (LocationException e) when (e.InnerException is SftpPathNotFoundException)
        {
            return [];
        }
    }

    public async Task DeleteAsync(string folder, IReadOnlyCollection<string> names, CancellationToken cancellationToken)
    {
        foreach (var path in names.Select(name => Remote(LocationPath.Join(folder, name))).ToList())
            await server.UnlessMissingAsync(
                $"delete {path} from {folder}", sftp => sftp.DeleteFileAsync(path, cancellationToken), cancellationToken);
    }

    public async Task DeleteFolderAsync(string folder, CancellationToken cancellationToken)
    {
        LocationPath.Checked(folder);
        var entries = await ListAsync(folder, cancellationToken);
        var files = entries.Where(entry => !entry.IsFolder && LocationPath.IsName(entry.Name))
            .Select(entry => entry.Name).ToList();
        if (files.Count > 0)
            await DeleteAsync(folder, files, cancellationToken);
        if (entries.Count == files.Count)
            await server.UnlessMissingAsync(
                $"delete {folder}", sftp => sftp.DeleteDirectoryAsync(Remote(folder), cancellationToken), cancellationToken);
    }

    public Task CleanAsync(string folder, TimeSpan lease, CancellationToken cancellationToken) =>
        LocationPath.CleanAsync(this, folder, time.GetUtcNow() - lease, cancellationToken);

    public Task<string?> LinkAsync(string path, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        var escaped = LocationPath.Escaped(LocationPath.Checked(path));
        if (options.PublicUrl is { } address)
            return Task.FromResult<string?>($"{address.TrimEnd('/')}/{escaped}");
        // A path from the account's home begins with "/~/" in an sftp address.
        var folder =
            root.StartsWith("./", StringComparison.Ordinal) ? "/~" + root[1..].Replace("/.", "", StringComparison.Ordinal) : root;
        var host = options.Host!.Contains(':') ? $"[{options.Host}]" : options.Host;
        var port = options.Port == 22 ? "" : $":{options.Port}";
        return Task.FromResult<string?>($"sftp://{Uri.EscapeDataString(options.User!)}@{host}{port}"
            + $"{LocationPath.Escaped(folder).Replace("%7E", "~", StringComparison.Ordinal)}/{escaped}");
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        await checksums.DisposeAsync();
    }

    private string Remote(string path) =>
        path.Length == 0 ? (root.Length == 0 ? "/" : root) : $"{root}/{LocationPath.Checked(path)}";

    private async Task TryRemoveAsync(string temporary)
    {
        using var soon = new CancellationTokenSource(TidyTimeout);
        try
        {
            await server.CallAsync("tidy up", sftp => sftp.DeleteFileAsync(Remote(temporary), soon.Token), soon.Token);
        }
        catch (Exception e) when (e is LocationException or OperationCanceledException)
        {
            // Left to the clean-up; the original failure matters more.
        }
    }
}
