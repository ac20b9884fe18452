namespace ClaimCheck.Cli.Connection;

/// <summary>Reads files that contain keys, but only those that nobody else can read.</summary>
internal static class SecretFile
{
    private const UnixFileMode Others =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    public static async Task<string> ReadKeyAsync(string path, CancellationToken cancellationToken)
    {
        if (File.Exists(path))
            Check(path);
        var key = (await ReadAsync(path, "the key file", cancellationToken)).Trim();
        return key.Length > 0 ? key : throw new UsageException($"The key file {path} is empty.");
    }

    /// <exception cref="UsageException">Others than its owner can read or change the file.</exception>
    public static void Check(string path)
    {
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & Others) != UnixFileMode.None)
            throw new UsageException($"{path} contains a key, but others than its owner can read or change it: chmod 600 {path}");
    }

    public static async Task<string> ReadAsync(string path, string what, CancellationToken cancellationToken)
    {
        try
        {
            return await File.ReadAllTextAsync(path, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{char.ToUpperInvariant(what[0])}{what[1..]} {path} can't be read: {e.Message}");
        }
    }
}
