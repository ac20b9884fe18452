using System.Text.Unicode;

namespace ClaimCheck.Service.Datasets;

/// <summary>The words for one kind of definition in messages.</summary>
/// <param name="One">One, with its article: <c>a dataset</c>.</param>
/// <param name="Many">The plural.</param>
/// <param name="Statement">What its <c>.sql</c> holds.</param>
/// <param name="Setting">The setting that names the folder.</param>
/// <param name="Instead">The field that may stand in the JSON in place of a <c>.sql</c>, or null.</param>
internal sealed record DefinitionKind(string One, string Many, string Statement, string Setting, string? Instead = null);

/// <summary>One definition as it is in its folder: <c>orders.json</c> and <c>orders.sql</c>, or what is wrong with these
/// files.</summary>
internal sealed partial record DefinitionPair(string Name, string Label, byte[]? Json, byte[]? Sql, DefinitionFault? Fault)
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public string JsonFile => Label + ".json";

    public string SqlFile => Label + ".sql";

    /// <summary>All pairs of a folder, sorted by name. Names that begin with a dot belong to editors and the file
    /// system.</summary>
    /// <exception cref="IOException">The folder can't be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder can't be read.</exception>
    public static IReadOnlyList<DefinitionPair> ReadAll(string folder, DefinitionKind kind)
    {
        var files = Entries(folder).Select(entry => entry.Name).ToHashSet(StringComparer.Ordinal);
        return [.. files.Select(Path.GetFileNameWithoutExtension).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)
            .Select(name => Read(folder, name!, files, kind))];
    }

    /// <summary>A fingerprint of the folder: names, sizes and times of its files, with links followed. Cheap, and opens
    /// nothing.</summary>
    public static string MarkOf(string folder)
    {
        try
        {
            return string.Join('\n', Entries(folder).OrderBy(entry => entry.Name, StringComparer.Ordinal).Select(MarkOf));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    /// <summary>What the two files define.</summary>
    /// <param name="read">Reads the JSON and the statement, which is null where there is no file of it and needs to be none; a
    /// <see cref="DefinitionException"/> tells which one is at fault and why.</param>
    public (T? Definition, DefinitionFault? Fault) Define<T>(Func<byte[], string?, T> read)
        where T : class
    {
        if (Fault is not null)
            return (null, Fault);
        if (Utf8.IsValid(Json) is false)
            return (null, new(JsonFile, null, "it is not UTF-8"));
        try
        {
            return (read(Json!, Sql is null ? null : StrictUtf8.GetString(Sql).TrimStart('\uFEFF')), null);
        }
        catch (DecoderFallbackException)
        {
            return (null, new(SqlFile, null, "it is not UTF-8"));
        }
        catch (DefinitionException e) when (e.IsInSql)
        {
            return (null, new(SqlFile, e.Line, e.Message));
        }
        catch (DefinitionException e)
        {
            return (null, new(
                JsonFile, e.Line ?? (e.Field is { } field ? DefinitionException.LineOf(Json, field) : null), e.Message));
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // Whatever fails makes this definition unavailable; the others continue.
            return (null, new(JsonFile, null, e.Message.TrimEnd('.')));
        }
    }

    /// <summary>The line of the JSON's field, where there is one.</summary>
    public int? LineOf(string? field) => field is null || Json is null ? null : DefinitionException.LineOf(Json, field);

    public bool IsSameAs(DefinitionPair other) =>
        Fault == other.Fault && (Sql is null) == (other.Sql is null)
        && Json.AsSpan().SequenceEqual(other.Json) && Sql.AsSpan().SequenceEqual(other.Sql);

    private static DefinitionPair Read(string folder, string name, HashSet<string> files, DefinitionKind kind)
    {
        // Names may contain anything, but must not break lines of the log.
        var shown = string.Concat(name.Select(c => char.IsControl(c) ? '\uFFFD' : c));
        var pair = new DefinitionPair(name, $"{Path.GetFileName(folder)}/{shown}", null, null, null);
        var hasSql = files.Contains(name + ".sql");
        if (!hasSql && kind.Instead is null)
            return pair with
            {
                Fault = new(pair.JsonFile, null,
                    $"{shown}.sql is missing: put the {kind.One.Split(' ')[1]}'s {kind.Statement} there"),
            };
        if (!files.Contains(name + ".json"))
            return pair with
            {
                Fault = new(pair.SqlFile, null,
                    $"{shown}.json is missing: put the {kind.One.Split(' ')[1]}'s definition there"),
            };
        if (!GoodName().IsMatch(name))
            return pair with
            {
                Fault = new(pair.JsonFile, null,
                    $"{kind.One}'s name is lower-case letters, digits, '-' and '_', a letter or digit first, 63 at most"),
            };
        var file = pair.JsonFile;
        try
        {
            pair = pair with { Json = DefinitionFile.Read(Path.Combine(folder, name + ".json")) };
            file = pair.SqlFile;
            return hasSql ? pair with { Sql = DefinitionFile.Read(Path.Combine(folder, name + ".sql")) } : pair;
        }
        catch (IOException e)
        {
            return pair with { Fault = new(file, null, e.Message) };
        }
    }

    private static IEnumerable<FileSystemInfo> Entries(string folder) =>
        new DirectoryInfo(folder).EnumerateFileSystemInfos(
            "*", new EnumerationOptions { AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false })
            .Where(entry => !entry.Name.StartsWith('.') && Path.GetExtension(entry.Name) is ".json" or ".sql");

    private static string MarkOf(FileSystemInfo entry)
    {
        try
        {
            var target = entry.LinkTarget is null ? entry : entry.ResolveLinkTarget(returnFinalTarget: true) ?? entry;
            return $"{entry.Name}\t{target.FullName}\t{target.LastWriteTimeUtc.Ticks}\t"
                + $"{(target as FileInfo is { Exists: true } file ? file.Length : -1)}";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"{entry.Name}\t{e.GetType().Name}";
        }
    }

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9_-]{0,62}\z", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex GoodName();
}
