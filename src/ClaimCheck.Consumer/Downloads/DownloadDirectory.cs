namespace ClaimCheck.Consumer.Downloads;

/// <summary>
/// A directory that one batch is saved to. <c>manifest.json.partial</c> names the batch until <c>manifest.json</c> shows that it
/// is complete.
/// </summary>
internal sealed class DownloadDirectory(string path, BatchId batch)
{
    public const string Partial = ".partial";
    private const string List = "manifest.json";
    private const string Lock = ".claimcheck.lock";

    private static readonly JsonSerializerOptions Json =
        new(ClaimCheckJson.Options) { WriteIndented = true, MaxDepth = JsonDepth.OfDocuments };

    private readonly System.Threading.Lock reopening = new();

    public string File(string name) => Path.Combine(path, name);

    /// <summary>Locks the directory for this batch. Disposing unlocks it.</summary>
    /// <exception cref="DirectoryInUseException">It belongs to another batch, or another process writes it.</exception>
    public async Task<IAsyncDisposable> BeginAsync(Manifest manifest, Uri service, CancellationToken cancellationToken)
    {
        CheckNames(manifest);
        Directory.CreateDirectory(path);
        var held = Hold();
        try
        {
            if (await OwnerAsync(cancellationToken) is { } owner)
                CheckOwner(owner);
            else
                await TakeAsync(manifest, service, cancellationToken);
            return held;
        }
        catch
        {
            await held.DisposeAsync();
            throw;
        }
    }

    /// <summary>From here on the batch is not complete, whatever an earlier download recorded.</summary>
    public void Reopen()
    {
        // Called by several files at once.
        lock (reopening)
        {
            if (System.IO.File.Exists(File(List)))
                System.IO.File.Move(File(List), File(List + Partial), overwrite: true);
        }
    }

    /// <summary>Marks the batch as complete.</summary>
    public void Complete()
    {
        if (System.IO.File.Exists(File(List + Partial)))
            System.IO.File.Move(File(List + Partial), File(List), overwrite: true);
    }

    /// <summary>
    /// Deletes an unfinished download of this batch, its list last, so that a crash in between can be repaired.
    /// </summary>
    public int Discard()
    {
        var list = File(List + Partial);
        if (!System.IO.File.Exists(list) || Read(System.IO.File.ReadAllBytes(list)) is not { } unfinished
            || unfinished.BatchId != batch)
            return 0;
        ManifestRules.Check(unfinished, batch);
        var deleted = 0;
        foreach (var name in unfinished.Files.SelectMany(file => new[] { file.Name, file.Name + Partial }))
        {
            if (!System.IO.File.Exists(File(name)))
                continue;
            System.IO.File.Delete(File(name));
            deleted++;
        }
        System.IO.File.Delete(list);
        return deleted;
    }

    private async Task<Manifest?> OwnerAsync(CancellationToken cancellationToken)
    {
        foreach (var name in new[] { List, List + Partial })
        {
            if (!System.IO.File.Exists(File(name)))
                continue;
            return Read(await System.IO.File.ReadAllBytesAsync(File(name), cancellationToken))
                ?? throw InUse($"its {name} is not one of a download");
        }
        return null;
    }

    private void CheckOwner(Manifest owner)
    {
        if (owner.BatchId != batch)
            throw InUse($"it contains {owner.BatchId}");
    }

    private async Task TakeAsync(Manifest manifest, Uri service, CancellationToken cancellationToken)
    {
        foreach (var name in manifest.Files.SelectMany(file => new[] { file.Name, file.Name + Partial }))
        {
            if (System.IO.File.Exists(File(name)))
                throw InUse($"it contains a file {name}, but no {List} that names its batch");
        }
        // Under another name first: a list must never be read half written.
        var draft = File(List + Partial + "~");
        await System.IO.File.WriteAllBytesAsync(
            draft, JsonSerializer.SerializeToUtf8Bytes(WithoutLinks(manifest, service), Json), cancellationToken);
        System.IO.File.Move(draft, File(List + Partial), overwrite: true);
    }

    // Links are capabilities, and would expire soon. The files' permanent addresses require a key, and live as long as the batch.
    private static Manifest WithoutLinks(Manifest manifest, Uri service)
    {
        var files = new Uri(service, $"v1/batches/{manifest.BatchId}/files/").AbsoluteUri;
        return manifest with
        {
            Files =
            [
                .. manifest.Files.Select(file => file with
                {
                    Url = new Link(files + file.Name),
                    Index = file.Index with { Url = new Link(files + NameOf(file.Index.Url)) },
                }),
            ],
        };
    }

    private static string NameOf(Link link) =>
        Uri.TryCreate(link.Reveal(), UriKind.Absolute, out var address) ? Path.GetFileName(address.AbsolutePath) : "";

    private void CheckNames(Manifest manifest)
    {
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { List, Lock };
        foreach (var file in manifest.Files)
        {
            if (!names.Add(file.Name) || file.Name.EndsWith(Partial, StringComparison.OrdinalIgnoreCase))
                throw new IntegrityException($"The manifest of {batch} can't be saved: a file is called {file.Name}.", batch);
        }
    }

    private FileStream Hold()
    {
        try
        {
            return new FileStream(
                File(Lock), FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);
        }
        catch (IOException e) when (System.IO.File.Exists(File(Lock)))
        {
            throw new DirectoryInUseException(
                $"{path} can't be used: another download writes there. Wait for it, or take another directory.", batch, e);
        }
    }

    private DirectoryInUseException InUse(string why) =>
        new($"{path} can't be used for {batch}: {why}. Take another directory, or empty this one.", batch);

    private static Manifest? Read(byte[] list)
    {
        try
        {
            return JsonSerializer.Deserialize<Manifest>(list, Json);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
