namespace ClaimCheck.Records.Disk;

/// <summary>File operations that must survive a power failure, or concurrent processes.</summary>
internal static partial class Durable
{
    private const int NotThere = 2; // ENOENT
    private const int AlreadyThere = 17; // EEXIST
    private const int OtherFileSystem = 18; // EXDEV

    /// <summary>
    /// Replaces a file as a whole: after a crash it is the old one or the new one. One process writes it at a time: the name with
    /// <c>.new</c> at its end is used too.
    /// </summary>
    public static Task ReplaceAsync(string path, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => Task.Run(
        () =>
        {
            var next = path + ".new";
            Write(next, new() { Mode = FileMode.Create, Access = FileAccess.Write, Share = FileShare.None }, content.Span);
            Put(next, path);
        },
        cancellationToken);

    /// <summary>Replaces a file as a whole that several processes may write at once, and only its owner may read.</summary>
    public static void ReplacePrivate(string path, ReadOnlySpan<byte> content) => Put(WritePrivate(path, content), path);

    /// <summary>
    /// Writes a file where its name is free, as a whole: of several processes that try at once one wins, and the others read what
    /// it wrote. Only its owner may read it.
    /// </summary>
    public static void WriteFirst(string path, ReadOnlySpan<byte> content)
    {
        var own = WritePrivate(path, content);
        if (TryMove(own, path))
            SyncFolder(Path.GetDirectoryName(path)!);
        else
            File.Delete(own);
    }

    /// <summary>Gives a complete file its name, and replaces what had that name.</summary>
    public static void Put(string from, string to)
    {
        File.Move(from, to, overwrite: true);
        SyncFolder(Path.GetDirectoryName(to)!);
    }

    /// <summary>Creates a folder that only its owner can look into.</summary>
    public static void CreatePrivateFolder(string path)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(path);
        else
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>A rename is durable only once its folder is on disk; .NET has no call for it.</summary>
    public static void SyncFolder(string folder)
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS())
            return;
        var descriptor = Open(folder, flags: 0);
        if (descriptor < 0)
            return;
        _ = Sync(descriptor);
        _ = Close(descriptor);
    }

    /// <summary>
    /// Moves a file within its file system, in one step: never by a copy, which two processes could make of one file.
    /// </summary>
    /// <exception cref="FileNotFoundException">It does not exist.</exception>
    /// <exception cref="IOException">It can't be moved like that.</exception>
    public static void Rename(string from, string to)
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS())
        {
            File.Move(from, to);
            return;
        }
        if (RenameNow(from, to) == 0)
            return;
        var text = Marshal.GetLastPInvokeErrorMessage();
        throw Marshal.GetLastPInvokeError() switch
        {
            NotThere => new FileNotFoundException($"The file {from} does not exist."),
            OtherFileSystem => new IOException($"The folder {Path.GetDirectoryName(to)} is on another file system than {from}: "
                + "files can't be moved there in one step."),
            _ => new IOException($"{from} can't be moved to {to}: {text}."),
        };
    }

    /// <summary>
    /// Tests whether locks work in a folder, by taking one twice: on some file systems, mounts and settings they do not.
    /// </summary>
    /// <exception cref="IOException">They do not, or the folder can't be written to.</exception>
    public static void ProveLocks(string folder)
    {
        var path = Path.Combine(folder, $".lock-{Guid.NewGuid():N}");
        try
        {
            using var held = new FileStream(
                path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);
            try
            {
                using var second = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None, bufferSize: 1);
            }
            catch (IOException)
            {
                return;
            }
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"The folder {folder} can't be written to: {e.Message}", e);
        }
        throw new IOException(
            $"File locks do not work in {folder}: two processes would do the same work. Keep the state on a local disk.");
    }

    /// <summary>Moves a file to a name only where the name is free: of several processes that try, one succeeds.</summary>
    /// <returns>False where the name is taken; the file is unchanged then.</returns>
    public static bool TryMove(string from, string to)
    {
        if (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS())
        {
            // File.Move checks first and renames then: in between, another file may get the name, and would be replaced.
            if (Link(from, to) == 0)
            {
                File.Delete(from);
                return true;
            }
            if (Marshal.GetLastPInvokeError() == AlreadyThere)
                return false;
        }
        // A file system without hard links, or another error: the move itself reports it.
        try
        {
            File.Move(from, to, overwrite: false);
            return true;
        }
        catch (IOException) when (File.Exists(to))
        {
            return false;
        }
    }

    private static string WritePrivate(string path, ReadOnlySpan<byte> content)
    {
        var own = $"{path}.{Guid.NewGuid():N}";
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Write(own, options, content);
        return own;
    }

    private static void Write(string path, FileStreamOptions options, ReadOnlySpan<byte> content)
    {
        using var file = new FileStream(path, options);
        file.Write(content);
        file.Flush(flushToDisk: true);
    }

    [LibraryImport("libc", EntryPoint = "link", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Link(string from, string to);

    [LibraryImport("libc", EntryPoint = "rename", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int RenameNow(string from, string to);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
