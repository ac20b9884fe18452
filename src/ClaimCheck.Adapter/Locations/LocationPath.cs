namespace ClaimCheck.Adapter.Locations;

/// <summary>
/// What may become a path at a location. Names come from manifests and templates, and some locations pass them to shells:
/// everything that is not plain is refused, before anything is sent.
/// </summary>
internal static class LocationPath
{
    public const string PartialSuffix = ".partial";

    private const int LongestPath = 900; // below S3's 1,024 bytes, with room for a prefix
    private const int LongestName = 200; // with the suffix of a temporary name, below the 255 bytes of file systems
    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-=+@ ");

    /// <summary>True for one plain name: it neither leaves its folder nor has a special meaning for a server.</summary>
    public static bool IsName([NotNullWhen(true)] string? name) =>
        name is { Length: > 0 and <= LongestName } && name is not ("." or "..")
        && !name.AsSpan().ContainsAnyExcept(Allowed)
        && name[0] is not (' ' or '-') && name[^1] is not (' ' or '.'); // options, and what Windows drops

    public static bool IsPath([NotNullWhen(true)] string? path) =>
        path is { Length: > 0 and <= LongestPath } && Array.TrueForAll(path.Split('/'), IsName);

    /// <exception cref="LocationException">It is not such a path.</exception>
    public static string Checked(string path) => IsPath(path)
        ? path
        : throw new LocationException(
            LocationFailure.Refused,
            "A path at a location is of plain names (letters, digits, '._-=+@' and inner spaces; no '.' or '..') with '/' " +
            $"between, at most {LongestPath} characters: the requested path would lead elsewhere.");

    public static string Join(string folder, string name) => folder.Length == 0 ? name : $"{folder}/{name}";

    /// <summary>The name of a file until it is complete: hidden, and not used by another writer.</summary>
    public static string Temporary(string path)
    {
        var cut = path.LastIndexOf('/') + 1;
        return $"{path[..cut]}.{path[cut..]}.{Guid.NewGuid():N}{PartialSuffix}";
    }

    /// <summary>True for a name that <see cref="Temporary"/> made.</summary>
    public static bool IsTemporary(string name) =>
        name.Length > PartialSuffix.Length + 34 && name[0] == '.' && name.EndsWith(PartialSuffix, StringComparison.Ordinal)
        && name[^(PartialSuffix.Length + 33)] == '.'
        && Guid.TryParseExact(name.AsSpan(name.Length - PartialSuffix.Length - 32, 32), "N", out _);

    /// <summary>A path appended to an address, each name escaped.</summary>
    public static string Escaped(string path) => string.Join('/', path.Split('/').Select(Uri.EscapeDataString));

    /// <summary>Removes the temporary files of a folder that have not been written to for a while.</summary>
    public static async Task CleanAsync(
        ISharedLocation location, string folder, DateTimeOffset before, CancellationToken cancellationToken)
    {
        var entries = await location.ListAsync(folder, cancellationToken);
        var abandoned = entries.Where(file => !file.IsFolder && IsTemporary(file.Name) && file.Modified is { } at && at <= before)
            .Select(file => file.Name).ToList();
        if (abandoned.Count > 0)
            await location.DeleteAsync(folder, abandoned, cancellationToken);
    }
}
