namespace ClaimCheck.Service.Staging;

/// <summary>The layout of staging. Others may rely on it: an operator may serve the folder by SFTP.</summary>
internal static class StagingKeys
{
    public const string Root = "batches/";
    public const string Jobs = "jobs/";

    /// <summary>The landing: what producers upload, until it is published. No link to read ever leads there.</summary>
    public const string LandingRoot = "inbox/";

    public static string Landing(BatchId batch) => $"{LandingRoot}{batch}/";

    public static string Batch(BatchId batch) => $"{Root}{batch}/";

    public static string Attempt(BatchId batch, string attempt) => $"{Batch(batch)}{attempt}/";

    public static string File(BatchId batch, string attempt, string name) => Attempt(batch, attempt) + name;

    public static string Manifest(BatchId batch) => Batch(batch) + "manifest.json";

    /// <summary>For a redelivery of a batch.</summary>
    public static string AnotherManifest(BatchId batch) => $"{Batch(batch)}manifest-{Guid.NewGuid():N}.json";

    /// <summary>What a bulk job stages: its body and its results.</summary>
    public static string Job(JobId job) => $"{Jobs}{job}/";

    /// <summary>The job that a key belongs to, or null.</summary>
    public static JobId? JobOf(string key) =>
        key.StartsWith(Jobs, StringComparison.Ordinal) && JobId.TryParse(key[Jobs.Length..].Split('/')[0], out var id)
            ? id
            : null;

    /// <summary>The batch that a key belongs to, or null.</summary>
    public static BatchId? BatchOf(string key)
    {
        if (!key.StartsWith(Root, StringComparison.Ordinal))
            return null;
        var rest = key.AsSpan(Root.Length);
        var slash = rest.IndexOf('/');
        return slash > 0 && BatchId.TryParse(rest[..slash].ToString(), out var id) ? id : null;
    }
}
