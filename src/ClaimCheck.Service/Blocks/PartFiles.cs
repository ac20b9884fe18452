namespace ClaimCheck.Service.Blocks;

/// <summary>Opens a writer for an object of the batch.</summary>
internal delegate Task<StagedWriter> OpenStaged(string name, StagedContent content, CancellationToken cancellationToken);

/// <summary>The files of a batch, or of ranges of it, one after the other. If disposed halfway, it aborts what is not
/// complete.</summary>
/// <param name="layout">Their names and limits.</param>
/// <param name="open">Opens one.</param>
/// <param name="meter">Counts all files of the batch.</param>
internal sealed class PartFiles(PartLayout layout, OpenStaged open, ExportMeter meter) : IAsyncDisposable
{
    private const int MaxFiles = 10_000;

    private readonly List<StagedFile> complete = [];
    private PartFile? current;
    private Task completing = Task.CompletedTask;
    private int? range;
    private int number;

    /// <summary>Stores the next block, in a new file if this one would grow too large.</summary>
    public Task AddAsync(SealedBlock block, CancellationToken cancellationToken) => AddAsync(block, null, cancellationToken);

    /// <summary>The same in files of a range's own.</summary>
    /// <param name="block">The next block.</param>
    /// <param name="of">The range's number; null where all records share files.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public async Task AddAsync(SealedBlock block, int? of, CancellationToken cancellationToken)
    {
        if (of != range)
        {
            await EndAsync(cancellationToken);
            (range, number) = (of, 0);
        }

        if (current?.HasSpaceFor(block) is false)
            await EndAsync(cancellationToken);
        current ??= await BeginAsync(cancellationToken);
        await current.AddAsync(block, cancellationToken);
    }

    /// <summary>Whether it has no file yet.</summary>
    public bool IsEmpty { get; private set; } = true;

    /// <summary>Completes the last file; where there were no records, the one empty file.</summary>
    public async Task<IReadOnlyList<StagedFile>> FinishAsync(CancellationToken cancellationToken)
    {
        if (IsEmpty)
            current = await BeginAsync(cancellationToken);
        await EndAsync(cancellationToken);
        await completing;
        return complete;
    }

    public async ValueTask DisposeAsync()
    {
        // Its failure was reported, or follows from the one that was.
        await completing.ContinueWith(static _ => { }, TaskScheduler.Default);
        if (current is not null)
            await current.DisposeAsync();
    }

    private Task<PartFile> BeginAsync(CancellationToken cancellationToken)
    {
        if (meter.Files >= MaxFiles)
        {
            throw new SourceException(
                "too_many_files",
                $"The export has more than {MaxFiles:N0} files of at most {layout.MaxFileBytes:N0} bytes: ask for larger ones.",
                isTransient: false);
        }

        IsEmpty = false;
        number++;
        var stem = range is null ? $"part-{number:D5}" : $"part-{range:D4}-{number:D5}";
        return PartFile.BeginAsync(layout, open, meter, stem, cancellationToken);
    }

    // Beside the next file, and no more than one at a time: a disk takes 0.1 s to make 256 MB durable, and S3 needs round trips
    // for the last parts and for the completion.
    private async Task EndAsync(CancellationToken cancellationToken)
    {
        await completing;
        if (current is not { } file)
            return;
        var of = range;
        current = null;
        completing = Task.Run(() => CompleteAsync(file, of, cancellationToken), CancellationToken.None);
    }

    private async Task CompleteAsync(PartFile file, int? of, CancellationToken cancellationToken)
    {
        await using (file)
            complete.Add(await file.CompleteAsync(of, cancellationToken));
    }
}
