namespace ClaimCheck.Adapter.Locations;

/// <summary>
/// A folder of an SFTP server, through OpenSSH's own client. Its calls share one connection while they follow upon each other.
/// </summary>
internal sealed class SftpLocation(LocationOptions options, TimeProvider time, string? spool) : ISharedLocation
{
    private static readonly TimeSpan TidyTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan ChecksumRefusalLasts = TimeSpan.FromMinutes(10);

    private readonly SshClient client = new(options);
    // A relative name must not read as an option.
    private readonly string root = options.Path!.StartsWith('/') ? options.Path.TrimEnd('/') : "./" + options.Path.TrimEnd('/');
    private long noChecksumUntil;

    public string Name => $"sftp://{options.Host}:{options.Port}/{options.Path!.TrimStart('/')}";

    public bool CanList => true;

    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        await using var probe = await SpooledFile.CreateAsync(spool, "claimcheck"u8.ToArray(), cancellationToken);
        var there = SftpListing.Quoted(RemoteOf(LocationPath.Temporary("check")));
        var outcome = await client.SftpAsync(
            [$"ls -ln {SftpListing.Quoted(root.Length == 0 ? "/" : root)}", $"put {SftpListing.Quoted(probe.Path)} {there}", $"rm {there}"], cancellationToken);
        if (!outcome.IsSuccess)
            throw outcome.Explain($"{Name} could not be written to");
    }

    public async Task WriteAsync(
        string path, Func<CancellationToken, Task<Stream>> open, long bytes, ReadOnlyMemory<byte> sha256, CancellationToken cancellationToken)
    {
        LocationPath.Checked(path);
        await using var source = await open(cancellationToken);
        // sftp sends files only: what is none is put into one. What is one is verified before it is sent.
        await using var spooled = source is FileStream ? null : await SpooledFile.CreateAsync(spool, source, path, bytes, sha256, cancellationToken);
        if (source is FileStream file)
            await Digests.CopyAsync(file, static _ => ValueTask.CompletedTask, path, bytes, sha256, cancellationToken);
        var local = spooled?.Path ?? ((FileStream)source).Name;
        var temporary = LocationPath.Temporary(path);
        try
        {
            if (await SendAsync(local, path, temporary, cancellationToken) != bytes || !await HasChecksumAsync(temporary, sha256, cancellationToken))
                throw Digests.Differs(Name, path);
            await RenameAsync(temporary, path, cancellationToken);
        }
        catch
        {
            await TryRemoveAsync(temporary);
            throw;
        }
    }

    public async Task<bool> HoldsAsync(string path, long bytes, ReadOnlyMemory<byte> sha256, CancellationToken cancellationToken) =>
        await LengthAsync(path, cancellationToken) == bytes && await HasChecksumAsync(path, sha256, cancellationToken);

    public async Task<byte[]?> ReadAsync(string path, CancellationToken cancellationToken)
    {
        await using var copy = SpooledFile.Reserve(spool);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        // sftp has no limit of its own, and a listing may tell another length: the copy is watched while it grows.
        var get = client.SftpAsync([$"get {Remote(path)} {SftpListing.Quoted(copy.Path)}"], enough.Token);
        while (await Task.WhenAny(get, Task.Delay(Look, cancellationToken)) != get && !cancellationToken.IsCancellationRequested)
        {
            if (new FileInfo(copy.Path) is not { Exists: true, Length: > LocationLimits.FileBytes })
                continue;
            await enough.CancelAsync();
            await ((Task)get).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw LocationLimits.TooLong(Name, path);
        }
        var outcome = await get;
        if (outcome.IsSuccess)
        {
            await using var file = new FileStream(copy.Path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1, FileOptions.Asynchronous);
            return await LocationLimits.ReadAsync(file, Name, path, cancellationToken);
        }
        return outcome is { IsDisconnected: false, IsMissing: true } ? null : throw outcome.Explain($"{Name} could not read {path}");
    }

    public async Task<IReadOnlyList<StoredFile>> ListAsync(string folder, CancellationToken cancellationToken)
    {
        var outcome = await client.SftpAsync([$"ls -lan {Remote(folder)}"], cancellationToken);
        if (outcome.IsSuccess)
        {
            var found = SftpListing.Read(outcome.Output, time.GetUtcNow());
            LocationLimits.Check(found.Count, Name, folder);
            return found;
        }
        return outcome is { IsDisconnected: false, IsMissing: true } ? [] : throw outcome.Explain($"{Name} could not list {folder}");
    }

    public async Task DeleteAsync(string folder, IReadOnlyCollection<string> names, CancellationToken cancellationToken)
    {
        // What is not there makes rm fail: the listing tells whether that was it.
        var outcome = await client.SftpAsync(names.Select(name => $"-rm {Remote(LocationPath.Join(folder, name))}"), cancellationToken);
        if (!outcome.IsSuccess)
            throw outcome.Explain($"{Name} could not delete from {folder}");
        if (outcome.Errors.Length == 0)
            return;
        var left = (await ListAsync(folder, cancellationToken)).Select(file => file.Name).Intersect(names).ToList();
        if (left.Count > 0)
            throw (outcome with { ExitCode = 1 }).Explain($"{Name} could not delete {left[0]} from {folder}");
    }

    public async Task DeleteFolderAsync(string folder, CancellationToken cancellationToken)
    {
        LocationPath.Checked(folder);
        var entries = await ListAsync(folder, cancellationToken);
        var files = entries.Where(entry => !entry.IsFolder && LocationPath.IsName(entry.Name)).Select(entry => entry.Name).ToList();
        if (files.Count > 0)
            await DeleteAsync(folder, files, cancellationToken);
        var outcome = await client.SftpAsync([$"-rmdir {Remote(folder)}"], cancellationToken);
        if (!outcome.IsSuccess)
            throw outcome.Explain($"{Name} could not delete {folder}");
    }

    public async Task CleanAsync(string folder, TimeSpan lease, CancellationToken cancellationToken)
    {
        var abandoned = LocationPath.Abandoned(await ListAsync(folder, cancellationToken), time.GetUtcNow() - lease);
        if (abandoned.Count > 0)
            await DeleteAsync(folder, abandoned, cancellationToken);
    }

    public Task<string?> LinkAsync(string path, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        var escaped = LocationPath.Escaped(LocationPath.Checked(path));
        if (options.PublicUrl is { } address)
            return Task.FromResult<string?>($"{address.TrimEnd('/')}/{escaped}");
        // A path from the account's home begins with "/~/" in an sftp address.
        var folder = root.StartsWith("./", StringComparison.Ordinal) ? "/~" + root[1..].Replace("/.", "", StringComparison.Ordinal) : root;
        var host = options.Host!.Contains(':') ? $"[{options.Host}]" : options.Host;
        var port = options.Port == 22 ? "" : $":{options.Port}";
        return Task.FromResult<string?>($"sftp://{Uri.EscapeDataString(options.User!)}@{host}{port}{LocationPath.Escaped(folder).Replace("%7E", "~", StringComparison.Ordinal)}/{escaped}");
    }

    public ValueTask DisposeAsync() => client.DisposeAsync();

    private string RemoteOf(string path) => path.Length == 0 ? (root.Length == 0 ? "/" : root) : $"{root}/{LocationPath.Checked(path)}";

    private string Remote(string path) => SftpListing.Quoted(RemoteOf(path));

    // The length that arrived.
    private async Task<long?> SendAsync(string local, string path, string temporary, CancellationToken cancellationToken)
    {
        var names = path.Split('/');
        // -f: flushed to the server's disk, where it can.
        var commands = Enumerable.Range(1, names.Length - 1)
            .Select(i => $"-mkdir {Remote(string.Join('/', names[..i]))}")
            .Append($"put -f {SftpListing.Quoted(local)} {Remote(temporary)}")
            .Append($"ls -ln {Remote(temporary)}");
        var outcome = await client.SftpAsync(commands, cancellationToken);
        if (!outcome.IsSuccess)
            throw outcome.Explain($"{Name} could not store {path}");
        return LengthOf(temporary, outcome);
    }

    private async Task RenameAsync(string temporary, string path, CancellationToken cancellationToken)
    {
        var rename = $"rename {Remote(temporary)} {Remote(path)}";
        var outcome = await client.SftpAsync([rename], cancellationToken);
        // Without posix-rename@openssh.com a server renames onto no file that is there.
        if (outcome is { IsSuccess: false, IsDisconnected: false, IsMissing: false })
            outcome = await client.SftpAsync([$"-rm {Remote(path)}", rename], cancellationToken);
        if (!outcome.IsSuccess)
            throw outcome.Explain($"{Name} could not give {path} its name");
    }

    // Null where there is no such file.
    private async Task<long?> LengthAsync(string path, CancellationToken cancellationToken)
    {
        var outcome = await client.SftpAsync([$"ls -ln {Remote(path)}"], cancellationToken);
        if (outcome.IsSuccess)
            return LengthOf(path, outcome);
        return outcome is { IsDisconnected: false, IsMissing: true } ? null : throw outcome.Explain($"{Name} could not look for {path}");
    }

    private long? LengthOf(string path, SshOutcome listing)
    {
        var name = path[(path.LastIndexOf('/') + 1)..];
        return SftpListing.Read(listing.Output, time.GetUtcNow()).Find(file => file.Name == name && !file.IsFolder)?.Bytes;
    }

    // True too where the server does not tell, unless the operator insists.
    private async Task<bool> HasChecksumAsync(string path, ReadOnlyMemory<byte> sha256, CancellationToken cancellationToken)
    {
        var mustTell = options.Verify == "checksum";
        if (options.Verify == "length" || (!mustTell && time.GetUtcNow().UtcTicks < Volatile.Read(ref noChecksumUntil)))
            return true;
        var outcome = await client.RunThereAsync($"sha256sum < {SftpListing.ShellQuoted(RemoteOf(path))}", cancellationToken);
        var said = outcome.Output.Split(' ', 2)[0].Trim();
        if (outcome.IsSuccess && said.Length == 64 && said.All(char.IsAsciiHexDigit))
            return Convert.FromHexString(said).AsSpan().SequenceEqual(sha256.Span);
        if (outcome.IsDisconnected || mustTell)
            throw outcome.Explain($"{Name} could not take the checksum of {path}");
        Volatile.Write(ref noChecksumUntil, (time.GetUtcNow() + ChecksumRefusalLasts).UtcTicks);
        return true;
    }

    private async Task TryRemoveAsync(string temporary)
    {
        using var soon = new CancellationTokenSource(TidyTimeout);
        try
        {
            await client.SftpAsync([$"-rm {Remote(temporary)}"], soon.Token);
        }
        catch (Exception e) when (e is LocationException or OperationCanceledException or IOException)
        {
            // Left to the clean-up; the failure that led here matters more.
        }
    }
}
