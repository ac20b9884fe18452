using System.Text;
using System.Text.RegularExpressions;
using ClaimCheck.Service.Exporting;
using ClaimCheck.Service.Hosting;

namespace ClaimCheck.Service.Datasets;

/// <summary>Reads a folder of pairs: <c>orders.json</c>, the definition, and <c>orders.sql</c>, the query.</summary>
internal static partial class DatasetLoader
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <returns>Sorted by name.</returns>
    /// <exception cref="StartupException">A definition can't be used: its file and the reason.</exception>
    public static async Task<IReadOnlyList<Dataset>> LoadAsync(string folder, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(folder))
            throw new StartupException($"There is no folder {folder} to read datasets from: create it, or set ClaimCheck:Datasets to another one.");

        var names = Directory.EnumerateFiles(folder)
            .Where(path => Path.GetExtension(path) is ".json" or ".sql")
            .Select(path => Path.GetFileNameWithoutExtension(path))
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal);
        var datasets = new List<Dataset>();
        foreach (var name in names)
            datasets.Add(await LoadAsync(folder, name, cancellationToken));
        return datasets;
    }

    private static async Task<Dataset> LoadAsync(string folder, string name, CancellationToken cancellationToken)
    {
        var (json, sql) = (Path.Combine(folder, name + ".json"), Path.Combine(folder, name + ".sql"));
        if (!File.Exists(sql))
            throw Refusal(json, $"there is no {name}.sql beside it: put the dataset's query there");
        if (!File.Exists(json))
            throw Refusal(sql, $"there is no {name}.json beside it: put the dataset's definition there");
        if (!Name().IsMatch(name))
            throw Refusal(json, "a dataset's name is lower-case letters, digits, '-' and '_', a letter or digit first, 63 at most");

        var query = await ReadQueryAsync(sql, cancellationToken);
        try
        {
            return DefinitionReader.Read(Label(json), name, await File.ReadAllBytesAsync(json, cancellationToken), query);
        }
        catch (Exception e) when (e is FormatException or IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            throw Refusal(json, e.Message, e);
        }
    }

    private static async Task<SourceSql> ReadQueryAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            return SourceSql.Parse(StrictUtf8.GetString(await File.ReadAllBytesAsync(path, cancellationToken)).TrimStart('\uFEFF'));
        }
        catch (DecoderFallbackException e)
        {
            throw Refusal(path, "it is not UTF-8", e);
        }
        catch (Exception e) when (e is FormatException or IOException or UnauthorizedAccessException)
        {
            throw Refusal(path, e.Message, e);
        }
    }

    private static StartupException Refusal(string path, string reason, Exception? inner = null) =>
        new($"{Label(path)}: {reason}.", inner);

    private static string Label(string path) =>
        $"{Path.GetFileName(Path.GetDirectoryName(path))}/{Path.GetFileName(path)}";

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9_-]{0,62}\z", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Name();
}
