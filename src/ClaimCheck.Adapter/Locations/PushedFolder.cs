namespace ClaimCheck.Adapter.Locations;

/// <summary>
/// The files in a batch's folder beside its data. <c>.claimcheck</c> comes first, and names the batch and its files:
/// what it does not name is never touched. <c>manifest.json</c> describes them, and <c>_SUCCESS</c> comes last: where it exists,
/// everything is there. <c>_REVOKED</c> marks a batch that was revoked.
/// </summary>
internal static class PushedFolder
{
    public const string Record = ".claimcheck";
    public const string Manifest = "manifest.json";
    public const string Success = "_SUCCESS";
    public const string Revoked = "_REVOKED";

    // It contains no link that could expire; the field is required in a manifest.
    private static readonly DateTimeOffset Never = new(9999, 12, 31, 23, 59, 59, TimeSpan.Zero);

    private static readonly JsonSerializerOptions Json =
        new(ClaimCheckJson.Options) { WriteIndented = true, MaxDepth = JsonDepth.OfDocuments };

    /// <summary>Its record, or null where the file is not a valid one.</summary>
    public static FolderRecord? Read(byte[]? content)
    {
        if (content is null)
            return null;
        try
        {
            var record = JsonSerializer.Deserialize<FolderRecord>(content, Json);
            return record is { Files: not null } && record.BatchId.Value != Guid.Empty && record.Files.All(IsFileName)
                ? record
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>
    /// The manifest for readers of the folder: names instead of links, and the same bytes however often it is written.
    /// </summary>
    public static byte[] ManifestOf(Manifest manifest, Uri service)
    {
        var permanent = new Uri(service, $"v1/batches/{manifest.BatchId}/files/").AbsoluteUri;
        return Write(manifest with
        {
            LinksExpireAt = Never,
            Files =
            [
                .. manifest.Files.Select(file => file with
                {
                    Url = new Link(file.Name),
                    // The index is not pushed; this address requires a key, and ends with the batch.
                    Index = file.Index with { Url = new Link(permanent + IndexNameOf(file.Index.Url)) },
                }),
            ],
        });
    }

    public static byte[] Write<T>(T content) =>
        [.. JsonSerializer.SerializeToUtf8Bytes(content, Json), .. Encoding.UTF8.GetBytes("\n")];

    /// <exception cref="IntegrityException">A file has a name that is not allowed in a folder.</exception>
    public static void CheckNames(Manifest manifest)
    {
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var file in manifest.Files)
        {
            // The name itself may be hostile, and is not repeated.
            if (!IsFileName(file.Name) || !names.Add(file.Name))
                throw new IntegrityException(
                    $"The manifest of {manifest.BatchId} can't be trusted: a file's name is empty, a path, "
                    + "reserved, or given twice.",
                    manifest.BatchId);
            if (file.Sha256 is not { Length: 64 } || !file.Sha256.All(char.IsAsciiHexDigit) || file.Bytes < 0)
                throw new IntegrityException(
                    $"The manifest of {manifest.BatchId} can't be trusted: a file has no SHA-256, or a negative length.",
                    manifest.BatchId);
        }
    }

    private static bool IsFileName(string name) =>
        LocationPath.IsName(name) && name[0] is not ('.' or '_')
        && !name.Equals(Manifest, StringComparison.OrdinalIgnoreCase)
        && !name.EndsWith(LocationPath.PartialSuffix, StringComparison.OrdinalIgnoreCase);

    private static string IndexNameOf(Link link) =>
        Uri.TryCreate(link.Reveal(), UriKind.Absolute, out var address)
            ? Uri.EscapeDataString(Path.GetFileName(address.AbsolutePath))
            : "";
}

/// <summary>The owner of a folder: <c>.claimcheck</c>.</summary>
/// <param name="BatchId">The batch.</param>
/// <param name="ExportId">Its export.</param>
/// <param name="Dataset">Its dataset.</param>
/// <param name="Files">The names of its files, without the manifest and the markers.</param>
/// <param name="PushedAt">When the folder was begun; its retention counts from here.</param>
internal sealed record FolderRecord(
    BatchId BatchId, ExportId ExportId, string Dataset, IReadOnlyList<string> Files, DateTimeOffset PushedAt);

/// <summary>Marks a complete batch: <c>_SUCCESS</c>.</summary>
internal sealed record SuccessMark(
    BatchId BatchId, ExportId ExportId, string Dataset, int Files, long Records, long Bytes, string ManifestSha256);

/// <summary>Marks a revoked batch: <c>_REVOKED</c>.</summary>
internal sealed record RevokedMark(
    BatchId BatchId, ExportId ExportId, string Dataset, string State, string? Reason, DateTimeOffset? RevokedAt,
    DateTimeOffset RemovedAt);
