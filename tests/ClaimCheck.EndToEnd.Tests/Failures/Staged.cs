using Amazon.S3.Model;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.EndToEnd.Tests.Failures;

/// <summary>The content of a scene's staging, read without the service.</summary>
internal static class Staged
{
    /// <summary>The keys of all objects below <c>batches/</c>. In a folder empty folders count too: they
    /// end with a slash.</summary>
    public static async Task<IReadOnlyList<string>> ObjectsAsync(Scene scene)
    {
        if (scene.Bucket is null)
            return InFolder(Path.Combine(scene.Staging, "batches"));
        var server = await S3Endpoint.GetAsync();
        var listing = await server.Client.ListObjectsV2Async(new ListObjectsV2Request { BucketName = scene.Bucket });
        return [.. (listing.S3Objects ?? []).Select(found => found.Key)];
    }

    /// <summary>Unfinished uploads.</summary>
    public static async Task<IReadOnlyList<string>> UploadsAsync(Scene scene)
    {
        if (scene.Bucket is null)
        {
            var folder = Path.Combine(scene.Staging, "uploads");
            return Directory.Exists(folder) ? [.. Directory.GetFiles(folder).Select(path => Path.GetFileName(path))] : [];
        }

        var server = await S3Endpoint.GetAsync();
        var listing = await server.Client.ListMultipartUploadsAsync(
            new ListMultipartUploadsRequest { BucketName = scene.Bucket });
        return [.. (listing.MultipartUploads ?? []).Select(upload => upload.Key)];
    }

    /// <summary>Waits until a worker stands in the middle of a file, with others behind it.</summary>
    public static Task MidwayAsync(Scene scene) => Eventually.TrueAsync(
        async () => (await UploadsAsync(scene)).Count > 0 && (await ObjectsAsync(scene)).Count(key => !key.EndsWith('/')) >= 4,
        TimeSpan.FromSeconds(60),
        "a worker is in the middle of its files");

    /// <summary>Waits until nothing is staged but what the manifests of these batches lead to, and the manifests.</summary>
    public static async Task OnlyAsync(Scene scene, TimeSpan atMost, params Export[] batches)
    {
        var ids = string.Join(',', batches.Select(batch => $"'{batch.BatchId.Value}'"));
        var wanted = batches.Length == 0 ? "" : await Scene.ScalarAsync<string>(
            scene.Catalog,
            $"""
            SELECT string_agg(key, ' ' ORDER BY key COLLATE "C")
              FROM (SELECT 'batches/bat_' || replace(batch_id::text, '-', '') || '/' || attempt || '/' || unnest(ARRAY[name, index_name]) AS key
                      FROM batch_files WHERE batch_id IN ({ids})
                     UNION ALL
                    SELECT 'batches/bat_' || replace(batch_id::text, '-', '') || '/manifest.json' FROM exports WHERE batch_id IN ({ids})) keys
            """);
        var found = "";
        try
        {
            await Eventually.TrueAsync(
                async () =>
                {
                    found = string.Join(' ', (await ObjectsAsync(scene)).Order(StringComparer.Ordinal));
                    var uploads = await UploadsAsync(scene);
                    if (uploads.Count == 0 && found == wanted)
                        return true;
                    found += $"; uploads: {string.Join(' ', uploads)}";
                    return false;
                },
                atMost);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"Not within {atMost}: only\n{wanted}\nis staged, but\n{found}");
        }
    }

    private static IReadOnlyList<string> InFolder(string folder)
    {
        var root = Path.GetDirectoryName(folder)!;
        try
        {
            return !Directory.Exists(folder) ? [] :
            [
                .. Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(root, path)),
                .. Directory.GetDirectories(folder, "*", SearchOption.AllDirectories)
                    .Where(path => !Directory.EnumerateFileSystemEntries(path).Any())
                    .Select(path => Path.GetRelativePath(root, path) + '/'),
            ];
        }
        catch (DirectoryNotFoundException)
        {
            return InFolder(folder); // swept while it was listed
        }
    }
}
