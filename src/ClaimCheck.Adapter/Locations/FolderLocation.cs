using ClaimCheck.Records.Disk;

namespace ClaimCheck.Adapter.Locations;

/// <summary>A folder of this machine, or a mounted one: NFS, SMB, a volume.</summary>
internal sealed class FolderLocation(LocationOptions options, TimeProvider time) : ISharedLocation
{
    private const int NoSpace = 28; // ENOSPC
    private const int OverQuota = 122; // EDQUOT
    private const int DiskFull = unchecked((int)0x80070070); // Windows

    private readonly string root = Path.TrimEndingDirectorySeparator(options.Path!);

    public string Name => $"the folder {root}";

    public bool CanList => true;

    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        // A missing mount would be created as a plain folder, and fill the wrong disk.
        if (!Directory.Exists(root))
            throw new LocationException(LocationFailure.Away, $"{Name} is not there. Create or mount it.");
        await LocationProbe.RunAsync(this, cancellationToken);
    }

    public Task WriteAsync(
        string path, Func<CancellationToken, Task<Stream>> open, long bytes, ReadOnlyMemory<byte> sha256,
        CancellationToken cancellationToken) =>
        GuardAsync($"store {path}", async () =>
        {
            var target = PathOf(path);
            var temporary = PathOf(path, LocationPath.Temporary(path));
            if (!Directory.Exists(root))
                throw new DirectoryNotFoundException($"{root} is not there");
            var folder = Path.GetDirectoryName(target)!;
            Directory.CreateDirectory(folder);
            try
            {
                await using (var file = new FileStream(
                    temporary, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 1, FileOptions.Asynchronous))
                {
                    await using var source = await open(cancellationToken);
                    await Digests.CopyAsync(
                        source, piece => file.WriteAsync(piece, cancellationToken), path, bytes, sha256, cancellationToken);
                    // A name must not promise what a power failure could still destroy.
                    file.Flush(flushToDisk: true);
                }
                if (new FileInfo(temporary).Length != bytes)
                    throw Digests.Differs(Name, path);
                Durable.Put(temporary, target);
            }
            catch
            {
                TryDelete(temporary);
                throw;
            }
            return true;
        });

    public Task<Holding> HoldsAsync(string path, long bytes, ReadOnlyMemory<byte> sha256, CancellationToken cancellationToken) =>
        GuardAsync($"read {path}", async () =>
        {
            var file = new FileInfo(PathOf(path));
            if (!file.Exists || file.Length != bytes || !PlainFile.Is(file.FullName))
                return Holding.Other;
            await using var stored = new FileStream(file.FullName, FileMode.Open, FileAccess.Read,
                FileShare.ReadWrite | FileShare.Delete, 1 << 20, FileOptions.Asynchronous | FileOptions.SequentialScan);
            return (await SHA256.HashDataAsync(stored, cancellationToken)).AsSpan().SequenceEqual(sha256.Span)
                ? Holding.Same
                : Holding.Other;
        });

    public Task<byte[]?> ReadAsync(string path, CancellationToken cancellationToken) => GuardAsync($"read {path}", async () =>
    {
        try
        {
            var file = PathOf(path);
            // Opening a pipe blocks until a writer comes, which may be never.
            if (File.Exists(file) && !PlainFile.Is(file))
                throw new LocationException(LocationFailure.Refused, $"{Name} has {path}, but it is not a regular file.");
            await using var content = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete,
                bufferSize: 1, FileOptions.Asynchronous);
            return await LocationLimits.ReadAsync(content, Name, path, cancellationToken);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    });

    public Task<IReadOnlyList<StoredFile>> ListAsync(string folder, CancellationToken cancellationToken) =>
        GuardAsync($"list {folder}", () =>
        {
            IReadOnlyList<StoredFile> found = [];
            var directory = new DirectoryInfo(FolderOf(folder));
            if (directory.Exists)
            {
                found =
                [
                    .. directory.EnumerateFileSystemInfos("*", new EnumerationOptions
                    {
                        AttributesToSkip = FileAttributes.ReparsePoint,
                        ReturnSpecialDirectories = false,
                    })
                        .Select(entry => new StoredFile(
                            entry.Name, (entry as FileInfo)?.Length ?? 0, new DateTimeOffset(entry.LastWriteTimeUtc),
                            entry is DirectoryInfo))
                        .Take(LocationLimits.Entries + 1),
                ];
                LocationLimits.Check(found.Count, Name, folder);
            }
            return Task.FromResult(found);
        });

    public Task DeleteAsync(string folder, IReadOnlyCollection<string> names, CancellationToken cancellationToken) =>
        GuardAsync($"delete from {folder}", () =>
        {
            var files = names.Select(name => PathOf(LocationPath.Join(folder, name))).ToList();
            var directory = FolderOf(folder);
            if (!Directory.Exists(directory))
                return Task.FromResult(true);
            foreach (var file in files)
            {
                cancellationToken.ThrowIfCancellationRequested();
                File.Delete(file);
            }
            Durable.SyncFolder(directory);
            return Task.FromResult(true);
        });

    public Task DeleteFolderAsync(string folder, CancellationToken cancellationToken) =>
        GuardAsync($"delete {folder}", async () =>
        {
            var directory = FolderOf(LocationPath.Checked(folder));
            if (!Directory.Exists(directory))
                return true;
            var entries = await ListAsync(folder, cancellationToken);
            foreach (var entry in entries.Where(entry => !entry.IsFolder))
                File.Delete(Path.Combine(directory, entry.Name));
            if (!Directory.EnumerateFileSystemEntries(directory).Any())
                Directory.Delete(directory);
            return true;
        });

    public Task CleanAsync(string folder, TimeSpan lease, CancellationToken cancellationToken) =>
        LocationPath.CleanAsync(this, folder, time.GetUtcNow() - lease, cancellationToken);

    public Task<string?> LinkAsync(string path, TimeSpan lifetime, CancellationToken cancellationToken) =>
        Task.FromResult<string?>(
            options.PublicUrl is { } address
                ? $"{address.TrimEnd('/')}/{LocationPath.Escaped(LocationPath.Checked(path))}"
                : new Uri(PathOf(path)).AbsoluteUri);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private string FolderOf(string folder) => folder.Length == 0 ? root : PathOf(folder);

    // A symbolic link that somebody put into the shared folder would redirect the data.
    private string PathOf(string path, string? sibling = null)
    {
        var names = LocationPath.Checked(path).Split('/');
        var current = root;
        for (var i = 0; i < names.Length; i++)
        {
            current = Path.Combine(current, names[i]);
            if (i < names.Length - 1 && new DirectoryInfo(current) is { LinkTarget: not null })
                throw new LocationException(
                    LocationFailure.Denied, $"{Name} holds a symbolic link on the way to {path}: it is not followed. Remove it.");
        }
        return sibling is null ? current : Path.Combine(root, sibling);
    }

    private async Task<T> GuardAsync<T>(string doing, Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (IOException e) when (e.HResult is NoSpace or OverQuota or DiskFull)
        {
            throw new LocationException(
                LocationFailure.Full, $"{Name} could not {doing}: the disk is full. Free some space.", inner: e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new LocationException(LocationFailure.Denied,
                $"{Name} could not {doing}: {e.Message.TrimEnd('.')}. Grant this process the right.", inner: e);
        }
        catch (IOException e)
        {
            throw new LocationException(LocationFailure.Away, $"{Name} could not {doing}: {e.Message}", inner: e);
        }
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Left to the clean-up; the original failure matters more.
        }
    }
}
