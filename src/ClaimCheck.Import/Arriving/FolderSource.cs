namespace ClaimCheck.Import.Arriving;

/// <summary>
/// A watched folder. A file is taken by a rename, which only one watcher can do, into <c>.claimcheck/{run}/</c>; from there it
/// is moved to <c>done/</c> or <c>failed/</c>. Nothing is deleted.
/// </summary>
internal sealed class FolderSource(string folder, ArrivalOptions options, TimeProvider time) : IWatchedSource
{
    private const string Taken = ".claimcheck";
    private const int LongestName = 255; // bytes, on most file systems

    private readonly Dictionary<string, Observation> observed = new(StringComparer.Ordinal);

    public string Origin => RunOrigin.Folder;

    public Task<Sighting> LookAsync(CancellationToken cancellationToken)
    {
        var now = time.GetTimestamp();
        var arrivals = new List<Arrival>();
        var open = new List<string>();
        var isSettled = true;
        var names = new HashSet<string>(StringComparer.Ordinal);
        try
        {
            foreach (var file in new DirectoryInfo(folder).EnumerateFiles())
            {
                // A symbolic link could lead to what its creator may not read, but this process may.
                if (!options.Wants(file.Name) || file.LinkTarget is not null)
                    continue;
                // Gone meanwhile, or with a name that is not UTF-8 and can't be represented here: it must not delay the others.
                if (!file.Exists)
                    continue;
                names.Add(file.Name);
                if (!IsComplete(file, now))
                    isSettled = false;
                else if (!PlainFile.Is(file.FullName))
                    continue;
                // Whatever its size, time or marker says.
                else if (Writers.Has(file.FullName) == true)
                    open.Add(file.Name);
                else
                    arrivals.Add(new(file.Name, file.FullName));
            }
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException(e.Message, e);
        }
        foreach (var gone in observed.Keys.Except(names, StringComparer.Ordinal).ToList())
            observed.Remove(gone);
        arrivals.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        return Task.FromResult(new Sighting(arrivals, isSettled && open.Count == 0, open));
    }

    public Task ProveAsync(CancellationToken cancellationToken)
    {
        var probe = Path.Combine(folder, $".claimcheck-probe-{Guid.NewGuid():N}");
        try
        {
            using (new FileStream(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1))
            {
            }
            Directory.CreateDirectory(Path.Combine(folder, Taken));
            var taken = Path.Combine(folder, Taken, Path.GetFileName(probe));
            Durable.Rename(probe, taken);
            File.Delete(taken);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw new IOException($"Files can't be moved in {folder}: {e.Message}", e);
        }
        finally
        {
            File.Delete(probe);
        }
        return Task.CompletedTask;
    }

    public string InputFor(Arrival arrival, RunDirectory directory) => Path.Combine(folder, Taken, directory.RunId, arrival.Name);

    public bool Owns(RunDocument run) => run.Origin == RunOrigin.Folder && Path.GetDirectoryName(run.Source) == folder;

    public Task<bool> TakeAsync(RunDocument run, RunDirectory directory, CancellationToken cancellationToken)
    {
        if (File.Exists(run.Input))
            return Task.FromResult(true);
        var own = Path.GetDirectoryName(run.Input)!;
        try
        {
            Directory.CreateDirectory(own);
            // The marker is moved too, and first: the next file of this name has to wait for its own.
            if (options.Complete == "marker" && !File.Exists(run.Input + options.Marker))
                Durable.Rename(run.Source + options.Marker, run.Input + options.Marker);
            Durable.Rename(run.Source, run.Input);
            Durable.SyncFolder(own);
            return Task.FromResult(true);
        }
        catch (FileNotFoundException)
        {
            // A network file system may report this for a move that it has made: its first answer was lost.
            if (File.Exists(run.Input))
                return Task.FromResult(true);
            if (!Directory.EnumerateFileSystemEntries(own).Any())
                Directory.Delete(own);
            return Task.FromResult(false);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"The file {run.Source} can't be moved: {e.Message} Its folder must be writable.", e);
        }
    }

    public Task SettleAsync(RunDocument run, ImportRun outcome, RunDirectory directory, CancellationToken cancellationToken)
    {
        var own = Path.GetDirectoryName(run.Input)!;
        var target = Path.Combine(folder, run.State == RunState.Completed ? "done" : "failed");
        // The same name arrives every day.
        var (plain, other) = (Path.Combine(target, run.File), Path.Combine(target, OtherName(run)));
        var path = File.Exists(other) ? other : plain;
        // Otherwise it was moved by a process that was killed before it could record that.
        if (File.Exists(run.Input))
        {
            Directory.CreateDirectory(target);
            // Another watcher may be settling a file of this name.
            path = Durable.TryMove(run.Input, plain) ? plain : other;
            if (path == other)
                File.Move(run.Input, other);
        }
        if (File.Exists(run.Input + options.Marker))
            File.Move(run.Input + options.Marker, path + options.Marker, overwrite: true);
        if (Directory.Exists(own))
        {
            Durable.SyncFolder(target);
            Directory.Delete(own);
        }
        return Task.CompletedTask;
    }

    // The run's id precedes the name; where both are too long for a file system, the end of the name is kept.
    private string OtherName(RunDocument run)
    {
        var name = run.File;
        while (Encoding.UTF8.GetByteCount(name) > LongestName - run.RunId.Length - 1 - Encoding.UTF8.GetByteCount(options.Marker))
            name = name[(char.IsSurrogatePair(name, 0) ? 2 : 1)..];
        return $"{run.RunId}-{name}";
    }

    private bool IsComplete(FileInfo file, long now)
    {
        switch (options.Complete)
        {
            case "rename":
                return true;
            case "marker":
                return File.Exists(file.FullName + options.Marker);
            default:
                var seen = (file.Length, file.LastWriteTimeUtc);
                if (!observed.TryGetValue(file.Name, out var before) || (before.Length, before.Written) != seen)
                {
                    observed[file.Name] = new(seen.Length, seen.LastWriteTimeUtc, now);
                    return options.Settle == TimeSpan.Zero;
                }
                return time.GetElapsedTime(before.Since, now) >= options.Settle;
        }
    }

    private readonly record struct Observation(long Length, DateTime Written, long Since);
}
