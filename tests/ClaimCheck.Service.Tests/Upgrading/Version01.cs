using System.Text.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Datasets;
using ClaimCheck.Service.Tests.House;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Upgrading;

/// <summary>A batch of version 0.1: <see cref="Text"/> is the SHA-256 of all its records, as that version's
/// <c>…/data</c> gave them.</summary>
internal sealed record BatchOf01(string Name, BatchId BatchId, string Format, string Compression, long Records, string Text);

/// <summary>What a service of version 0.1 left behind, from the folder <c>version-0.1</c>, laid out where a
/// newer one finds it.</summary>
internal sealed record Version01(ExportId Pending, IReadOnlyList<BatchOf01> Batches)
{
    private static readonly string Folder = Path.Combine(
        Repository.Root, "tests", "ClaimCheck.Service.Tests", "Upgrading", "version-0.1");

    public static Version01 Read() =>
        JsonSerializer.Deserialize<Version01>(File.ReadAllText(Path.Combine(Folder, "expected.json")), ClaimCheckJson.Options)!;

    /// <summary>Fills an empty database with its catalog, as it was a moment ago.</summary>
    public static async Task RestoreCatalogAsync(string connectionString)
    {
        // The dump empties the search path of its connection.
        var own = new Npgsql.NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString;
        await Scene.SqlAsync(own, await File.ReadAllTextAsync(Path.Combine(Folder, "catalog.sql")));
        await Scene.SqlAsync(own, "UPDATE exports SET expires_at = now() + interval '1 day' WHERE state = 'ready'");
    }

    /// <summary>Puts its files and keys into a data directory.</summary>
    public static void CopyTo(string dataDirectory)
    {
        foreach (var file in Directory.GetFiles(Path.Combine(Folder, "staging"), "*", SearchOption.AllDirectories)
            .Append(Path.Combine(Folder, "link-keys.json")))
        {
            var copy = Path.Combine(dataDirectory, Path.GetRelativePath(Folder, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }

    /// <summary>The database that its exports read.</summary>
    public static async Task<string> SampleAsync()
    {
        var sample = await PostgresServer.NewDatabaseAsync();
        await Scene.SqlAsync(sample, SampleOrders.Script(3900));
        return sample;
    }
}
