namespace ClaimCheck.Service.Staging;

/// <summary>Staging in a local folder. An upload is a file of its own, and completing it renames that file into place: once the
/// file is deleted, the rename fails, so that nothing can be completed after an abort.</summary>
internal sealed class FolderStaging(
    FolderPaths paths, FolderAccess access, StagedFileLinks links, PublicAddress address) : IStaging
{
    public Task<StagedMultipartUpload> BeginAsync(string key, StagedContent content, CancellationToken cancellationToken)
    {
        var upload = new StagedMultipartUpload(key, Guid.NewGuid().ToString("N"));
        return DoAsync($"begin {key}", () =>
        {
            Directory.CreateDirectory(paths.Uploads);
            // Here, and not when completing: an eraser that removed it meanwhile must win.
            MakeFolder(Path.GetDirectoryName(paths.Of(key))!);
            File.OpenHandle(paths.Of(upload), FileMode.CreateNew, FileAccess.Write).Dispose();
            access.OfFile(paths.Of(upload));
            return upload;
        });
    }

    public StagedWriter OpenWriter(StagedMultipartUpload upload) => new FolderWriter(paths, upload, AbortAsync);

    public Task<bool> AbortAsync(StagedMultipartUpload upload, CancellationToken cancellationToken) =>
        DoAsync($"abort the upload of {upload.Key}", () =>
        {
            var wasOpen = File.Exists(paths.Of(upload));
            DeleteFile(paths.Of(upload));
            // The folder that was created for it, unless another upload is going to end there.
            var folder = FolderOf(upload);
            if (!Array.Exists(FilesIn(paths.Uploads), file =>
                FolderPaths.UploadOf(Path.GetFileName(file)) is { } other && FolderOf(other) == folder))
                RemoveEmpty(folder, paths.BatchFolderOf(upload.Key));
            return wasOpen;
        });

    public async IAsyncEnumerable<StagedMultipartUpload> ListUploadsAsync(
        string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var names = await DoAsync($"list the uploads of {prefix}", () => FilesIn(paths.Uploads));
        foreach (var name in names)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (FolderPaths.UploadOf(Path.GetFileName(name)) is { } upload
                && upload.Key.StartsWith(prefix, StringComparison.Ordinal))
                yield return upload;
        }
    }

    public async IAsyncEnumerable<StagedObject> ListAsync(
        string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // The deepest folder that the prefix names; below it names are compared.
        var folder = prefix[..(prefix.LastIndexOf('/') + 1)].TrimEnd('/');
        var files = await DoAsync($"list {prefix}", () =>
            FilesIn(folder == StagingKeys.Root.TrimEnd('/') ? Path.Combine(paths.Root, folder) : paths.Of(folder)));
        foreach (var file in files)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var key = paths.KeyOf(file);
            if (key.StartsWith(prefix, StringComparison.Ordinal) && LengthOf(file) is { } bytes)
                yield return new StagedObject(key, VersionId: null, bytes);
        }
    }

    public Task DeleteAsync(IReadOnlyCollection<StagedObject> objects, CancellationToken cancellationToken) =>
        DoAsync($"delete {objects.Count} objects", () =>
        {
            foreach (var item in objects)
            {
                cancellationToken.ThrowIfCancellationRequested();
                DeleteFile(paths.Of(item.Key));
            }
            foreach (var folder in objects.Select(item => Path.GetDirectoryName(paths.Of(item.Key))!).Distinct())
                RemoveEmpty(folder, paths.BatchFolderOf(paths.KeyOf(folder)));
            return true;
        });

    public Task<Stream> OpenReadAsync(string key, long offset, long length, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        return DoAsync<Stream>($"read {key}", () => new FolderReadStream(
            File.OpenHandle(paths.Of(key), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete),
            offset,
            length));
    }

    public Task<SignedLink> SignAsync(
        string key, TimeSpan lifetime, LinkAudience audience, string method, CancellationToken cancellationToken)
    {
        LinkLifetime.Check(lifetime);
        _ = paths.Of(key);
        var (path, expiresAt) = links.Sign(key, lifetime, method);
        return Task.FromResult(new SignedLink(
            new Link(audience == LinkAudience.Probe ? address.Own + path : address.Url(path)), expiresAt));
    }

    public Task CheckAsync(CancellationToken cancellationToken)
    {
        try
        {
            access.Prepare(paths.Root);
            Directory.CreateDirectory(paths.Uploads);
            MakeFolder(Path.Combine(paths.Root, StagingKeys.Root));
            var probe = Path.Combine(paths.Uploads, "check");
            File.WriteAllText(probe, "written at start");
            File.Delete(probe);
            return Task.CompletedTask;
        }
        catch (Exception e) when (FolderFailures.IsFailure(e))
        {
            throw new StartupException(
                $"The staging folder {paths.Root} can't be written ({e.Message}), so that nothing could be exported: " +
                $"fix it, or name another in {StagingOptions.Section}:Folder.",
                e);
        }
    }

    private string FolderOf(StagedMultipartUpload upload) => Path.GetDirectoryName(paths.Of(upload.Key))!;

    // A sweep of another attempt may remove the batch's folder between two steps of this.
    private void MakeFolder(string folder)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                foreach (var missing in MissingOf(folder))
                {
                    Directory.CreateDirectory(missing);
                    access.OfFolder(missing);
                }

                return;
            }
            catch (IOException) when (tries < 10)
            {
                // Once more, from the top.
            }
        }
    }

    // From the top down, below the root.
    private IEnumerable<string> MissingOf(string folder)
    {
        var missing = new Stack<string>();
        for (var path = folder.TrimEnd('/'); path.Length > paths.Root.Length
            && !Directory.Exists(path); path = Path.GetDirectoryName(path)!)
            missing.Push(path);
        return missing;
    }

    // Removes only empty folders: another attempt may have created its folder meanwhile.
    private static void RemoveEmpty(string folder, string last)
    {
        try
        {
            while (folder.StartsWith(last, StringComparison.Ordinal))
            {
                Directory.Delete(folder);
                folder = Path.GetDirectoryName(folder)!;
            }
        }
        catch (IOException)
        {
            // Not empty, or gone already.
        }
    }

    private static void DeleteFile(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (DirectoryNotFoundException)
        {
            // Gone with its folder.
        }
    }

    private static string[] FilesIn(string folder) => Directory.Exists(folder)
        ? Directory.GetFiles(folder, "*", new EnumerationOptions
        {
            RecurseSubdirectories = true,
            AttributesToSkip = FileAttributes.None,
            IgnoreInaccessible = false,
        })
        : [];

    private static long? LengthOf(string file)
    {
        try
        {
            return new FileInfo(file).Length;
        }
        catch (FileNotFoundException)
        {
            return null; // deleted while it was listed
        }
    }

    private static Task<T> DoAsync<T>(string doing, Func<T> action)
    {
        try
        {
            return Task.FromResult(action());
        }
        catch (Exception e) when (FolderFailures.IsFailure(e))
        {
            return Task.FromException<T>(FolderFailures.Explain(e, doing));
        }
        catch (Exception e) when (e is StagingException or OperationCanceledException)
        {
            return Task.FromException<T>(e);
        }
    }
}
