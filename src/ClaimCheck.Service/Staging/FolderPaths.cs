namespace ClaimCheck.Service.Staging;

/// <summary>Maps keys to paths in the folder: finished objects under <c>batches/</c> and <c>jobs/</c> as their keys say,
/// unfinished ones in <c>uploads/</c>, which an operator must not serve to others.</summary>
internal sealed class FolderPaths(string root)
{
    private const char Slash = '~'; // stands for '/' in the name of an upload
    private static readonly string[] Roots = [StagingKeys.Root, StagingKeys.LandingRoot, StagingKeys.Jobs];
    private const int LongestKey = 200; // with the upload's id below the 255 bytes of a file name
    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

    public string Root { get; } = root;

    public string Uploads { get; } = Path.Combine(root, "uploads");

    /// <summary>True for <c>batches/…</c>, <c>inbox/…</c> and <c>jobs/…</c> of plain names only: nothing else ever becomes a
    /// path.</summary>
    public static bool IsKey(string key) =>
        key.Length <= LongestKey
        && Array.Exists(Roots, root => key.StartsWith(root, StringComparison.Ordinal))
        && Array.TrueForAll(
            key.Split('/'), name => name.Length > 0 && name[0] != '.' && !name.AsSpan().ContainsAnyExcept(Allowed));

    public string Of(string key) => IsKey(key)
        ? Path.Combine(Root, key)
        : throw new StagingException(
            "A key of staging is 'batches/', 'inbox/' or 'jobs/' and plain names, at most 200 characters.", isTransient: false);

    public string Of(StagedMultipartUpload upload) => IsKey(upload.Key) && Guid.TryParseExact(upload.UploadId, "N", out _)
        ? Path.Combine(Uploads, upload.Key.Replace('/', Slash) + Slash + upload.UploadId)
        : throw new StagingException("That is not an upload of this folder.", isTransient: false);

    public static StagedMultipartUpload? UploadOf(string fileName)
    {
        var end = fileName.LastIndexOf(Slash);
        if (end < 0)
            return null;
        var (key, id) = (fileName[..end].Replace(Slash, '/'), fileName[(end + 1)..]);
        return IsKey(key) && Guid.TryParseExact(id, "N", out _) ? new StagedMultipartUpload(key, id) : null;
    }

    public string KeyOf(string path) => Path.GetRelativePath(Root, path).Replace(Path.DirectorySeparatorChar, '/');

    /// <summary>The folder of a batch or job that a key belongs to: deleting may empty and remove it, but nothing above
    /// it.</summary>
    public string BatchFolderOf(string key) => Path.Combine(Root, string.Join('/', key.Split('/').Take(2)));
}
