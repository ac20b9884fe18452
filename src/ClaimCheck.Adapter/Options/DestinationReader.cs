namespace ClaimCheck.Adapter.Options;

/// <summary>
/// Reads a route's destination, and reports what is wrong with it. The table itself is checked when the adapter starts.
/// </summary>
internal sealed class DestinationReader(string path, DestinationOptions options, OptionsErrors errors)
{
    // About a block of 1 to 4 MiB.
    public const int DefaultChunkSize = 20_000;
    private static readonly TimeSpan DefaultLease = TimeSpan.FromSeconds(30);

    public Destination? Unknown()
    {
        errors.Add($"{path}:Kind is '{options.Kind}', but must be location or table: this version has no other kinds.");
        return null;
    }

    public Destination? Location()
    {
        foreach (var (name, isSet) in TableSettings().Where(each => each.IsSet))
            errors.Add($"{path}:{name} is set, but Kind is location: leave it out, or set Kind to table.");
        if (options.Location is not { } location)
        {
            errors.Add($"{path}:Location is not set, but must name the target of the files: they would not be delivered.");
            return null;
        }

        errors.Add(LocationRules.Problems(location).Select(problem => $"{path}:Location: {problem}"));
        if (!FolderTemplate.TryParse(options.Folder ?? FolderTemplate.Default, out var folder, out var fault))
        {
            errors.Add($"{path}:Folder: {fault}");
            return null;
        }

        return new LocationDestination(location, folder);
    }

    /// <param name="shares">Whether another route may get the same batch.</param>
    public Destination? Table(bool shares)
    {
        if (options.Location is not null || options.Folder is not null)
            errors.Add($"{path}:Location or :Folder is set, but Kind is table: records are loaded into it, and no files are "
                + "written. Leave them out.");
        if (shares)
            errors.Add($"{path}:Kind is table, but another route of the same dataset may get the same batches (Accept = any): "
                + "one receipt can't be for both. Give that route an adapter and a consumer's name of its own.");
        if (!TableName.TryParse(options.Table, out var table))
            errors.Add($"{path}:Table is '{options.Table}', but must be a table's name such as orders, shop.orders or "
                + "shop.\"Order lines\": nothing could be loaded.");
        errors.OneOf($"{path}:OnConflict", options.OnConflict, "update", "ignore");
        errors.OneOf($"{path}:OnRevoked", options.OnRevoked, "keep", "delete");
        var chunk = options.ChunkSize ?? DefaultChunkSize;
        if (chunk is < 1 or > 100_000)
            errors.Add($"{path}:ChunkSize is {chunk}, but must be 1 to 100000: nothing would be loaded, or memory run out.");
        var lease = options.Lease ?? DefaultLease;
        errors.Range($"{path}:Lease", lease, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1),
            "a busy process would lose its batch, or a dead one keep it");
        if (options.OnRevoked == "delete" && string.IsNullOrEmpty(options.BatchColumn))
            errors.Add(
                $"{path}:OnRevoked is delete, but BatchColumn is not set: it would not be known which records a batch loaded.");
        if (options is { OnConflict: "ignore", OnRevoked: "delete" })
            errors.Add($"{path}:OnRevoked is delete, but OnConflict is ignore: a record that a later batch has confirmed would "
                + "be deleted with the first. Set update, or keep.");
        foreach (var twice in options.Columns.GroupBy(each => each.Value, StringComparer.Ordinal)
            .Where(group => group.Count() > 1))
            errors.Add($"{path}:Columns has '{twice.Key}' twice, but a column can be loaded once: it would be "
                + "undefined which value counts.");
        var key = options.Key?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (key is { Length: 0 })
            errors.Add($"{path}:Key is empty, but must name columns of the table: leave it out for the dataset's key.");
        return Connection() is { } connection && table is not null
            ? new TableDestination
            {
                ConnectionString = connection,
                Table = table,
                Columns = options.Columns.Count == 0 ? null : options.Columns,
                Key = key,
                Ignores = options.OnConflict == "ignore",
                ChunkSize = chunk,
                BatchColumn = string.IsNullOrEmpty(options.BatchColumn) ? null : options.BatchColumn,
                DeletesRevoked = options.OnRevoked == "delete",
                RetryTransient = options.RetryTransient ?? true,
                Lease = lease,
            }
            : null;
    }

    // The message that the parser throws may quote the string, which contains a password.
    private string? Connection()
    {
        var problem = options.ConnectionString switch
        {
            null or "" => "is not set, but must be the table's Postgres, or the name of one of ConnectionStrings",
            var name when !name.Contains('=', StringComparison.Ordinal) =>
                $"names '{name}', but ConnectionStrings does not have that name",
            var text => Parse(text),
        };
        if (problem is null)
            return options.ConnectionString;
        errors.Add($"{path}:ConnectionString {problem}: nothing could be loaded.");
        return null;
    }

    private static string? Parse(string text)
    {
        try
        {
            return new NpgsqlConnectionStringBuilder(text).Host is null ? "names no host, but must" : null;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or KeyNotFoundException)
        {
            return "is not a connection string of Npgsql, but must be one";
        }
    }

    private IEnumerable<(string Name, bool IsSet)> TableSettings() =>
    [
        ("ConnectionString", options.ConnectionString is not null), ("Table", options.Table is not null),
        ("Columns", options.Columns.Count > 0),
        ("Key", options.Key is not null), ("OnConflict", options.OnConflict is not null),
        ("ChunkSize", options.ChunkSize is not null),
        ("BatchColumn", options.BatchColumn is not null), ("OnRevoked", options.OnRevoked is not null),
        ("RetryTransient", options.RetryTransient is not null), ("Lease", options.Lease is not null),
    ];
}
