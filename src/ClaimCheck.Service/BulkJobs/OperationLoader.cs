using System.Text;
using System.Text.RegularExpressions;
using ClaimCheck.Service.Hosting;

namespace ClaimCheck.Service.BulkJobs;

/// <summary>Reads a folder of pairs: <c>update_orders_status.json</c>, the definition, and <c>update_orders_status.sql</c>, the statement.</summary>
internal static partial class OperationLoader
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <returns>Sorted by name.</returns>
    /// <exception cref="StartupException">A definition can't be used: its file and the reason.</exception>
    public static async Task<IReadOnlyList<Operation>> LoadAsync(string folder, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(folder))
            throw new StartupException($"There is no folder {folder} to read operations from: create it, or set ClaimCheck:Operations to another one.");
        var names = Directory.EnumerateFiles(folder)
            .Where(path => Path.GetExtension(path) is ".json" or ".sql")
            .Select(path => Path.GetFileNameWithoutExtension(path))
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal);
        var operations = new List<Operation>();
        foreach (var name in names)
            operations.Add(await LoadAsync(folder, name, cancellationToken));
        return operations;
    }

    private static async Task<Operation> LoadAsync(string folder, string name, CancellationToken cancellationToken)
    {
        var (json, sql) = (Path.Combine(folder, name + ".json"), Path.Combine(folder, name + ".sql"));
        if (!File.Exists(sql))
            throw Refusal(json, $"there is no {name}.sql beside it: put the operation's statement there");
        if (!File.Exists(json))
            throw Refusal(sql, $"there is no {name}.json beside it: put the operation's definition there");
        if (!Name().IsMatch(name))
            throw Refusal(json, "an operation's name is lower-case letters, digits, '-' and '_', a letter or digit first, 63 at most");
        try
        {
            var statement = StrictUtf8.GetString(await File.ReadAllBytesAsync(sql, cancellationToken)).TrimStart('\uFEFF');
            return OperationReader.Read(name, await File.ReadAllBytesAsync(json, cancellationToken), statement);
        }
        catch (DecoderFallbackException e)
        {
            throw Refusal(sql, "it is not UTF-8", e);
        }
        catch (Exception e) when (e is FormatException or IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            throw Refusal(json, e.Message, e);
        }
    }

    private static StartupException Refusal(string path, string reason, Exception? inner = null) =>
        new($"{Path.GetFileName(Path.GetDirectoryName(path))}/{Path.GetFileName(path)}: {reason}.", inner);

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9_-]{0,62}\z", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Name();
}
