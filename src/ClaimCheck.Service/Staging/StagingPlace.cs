using ClaimCheck.Records.Disk;

namespace ClaimCheck.Service.Staging;

/// <summary>Where this process stages files, by a name that is the same for all processes that share the place: a bucket by its
/// name, a folder by an id stored in it, since one folder may be mounted at different paths, and different folders at
/// one.</summary>
internal sealed class StagingPlace(StagingOptions options, FolderPaths? paths = null)
{
    private const string IdFile = ".claimcheck-staging";

    /// <summary>For the operator.</summary>
    public string Shown => options.Bucket is { } bucket ? $"bucket {bucket}" : $"folder {paths!.Root}";

    /// <summary>The name. A folder without an id gets one.</summary>
    public string Name() => options.Bucket is { } bucket ? $"bucket:{bucket}" : $"folder:{FolderId()}";

    private string FolderId()
    {
        var file = Path.Combine(paths!.Root, IdFile);
        if (Read(file) is { } known)
            return known;
        // Written completely or not at all; of several processes that start at once, one creates it.
        Durable.WriteFirst(file, Encoding.ASCII.GetBytes(Guid.NewGuid().ToString("D")));
        return Read(file)
            ?? throw new IOException($"{file} does not hold an id: delete it while no process of the service runs.");
    }

    private static string? Read(string file) =>
        File.Exists(file) && Guid.TryParseExact(File.ReadAllText(file).Trim(), "D", out var id) ? id.ToString("D") : null;
}
