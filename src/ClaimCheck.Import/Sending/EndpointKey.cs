namespace ClaimCheck.Import.Sending;

/// <summary>The key for the endpoint, from the options or a file that nobody else can read.</summary>
internal static class EndpointKey
{
    private const UnixFileMode Others =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    public static string? Of(EndpointOptions options)
    {
        if (options.KeyFile is not { } path)
            return options.Key;
        try
        {
            if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & Others) != UnixFileMode.None)
                throw new ImportException(
                    ImportCodes.InvalidConfiguration,
                    $"endpoint.keyFile {path} can be read or changed by others than its owner: chmod 600 {path}");
            var key = File.ReadAllText(path).Trim();
            return key.Length > 0
                ? key
                : throw new ImportException(ImportCodes.InvalidConfiguration, $"endpoint.keyFile {path} is empty.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ImportException(ImportCodes.InvalidConfiguration, $"endpoint.keyFile {path} can't be read: {e.Message}", e);
        }
    }
}
