using System.Data;
using Npgsql.Schema;
using NpgsqlTypes;

namespace ClaimCheck.Service.Sources;

/// <summary>One column of a SELECT's result; its type as <c>format_type</c> writes it, domains as their base type.</summary>
internal sealed record ResultColumn(string Name, string Type, bool Nullable, ResultType Value)
{
    /// <summary>The table whose column it is, unchanged; 0 where it is computed.</summary>
    public uint Table { get; init; }

    /// <summary>Which column of that table.</summary>
    public short Number { get; init; }

    public Column ToContract() => new(Name, Type, Nullable);
}

/// <summary>A type with domains resolved; arrays name their element's type and what stands between elements
/// in their text.</summary>
internal sealed record ResultType(uint Oid, ResultType? Element = null, char Delimiter = ',');

/// <summary>The columns of a SELECT's result, asked of the database without running the query.</summary>
internal static partial class ResultShape
{
    /// <summary>The columns of <paramref name="sql"/>'s result, in order; two may have one name.</summary>
    /// <remarks>
    /// The connection is one without type loading: with it Npgsql refuses results with ranges of the database's own.
    /// </remarks>
    /// <exception cref="PostgresException">The query can't be parsed or names things that are not there.</exception>
    public static async Task<IReadOnlyList<ResultColumn>> DescribeAsync(
        NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        var fields = await ReadFieldsAsync(connection, sql, cancellationToken);
        var types = await ReadTypesAsync(connection, fields, cancellationToken);
        return await ReadColumnsAsync(connection, fields, types, promisesHold: !MayAddNulls().IsMatch(sql), cancellationToken);
    }

    private static async Task<List<Field>> ReadFieldsAsync(
        NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        // A batch, because Npgsql would otherwise rewrite the text in search of parameters.
        await using var batch = connection.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(sql));
        await using var reader = await batch.ExecuteReaderAsync(CommandBehavior.SchemaOnly, cancellationToken);
        var fields = new List<Field>(reader.FieldCount);
        foreach (NpgsqlDbColumn column in await reader.GetColumnSchemaAsync(cancellationToken))
        {
            fields.Add(new Field(
                column.ColumnName,
                column.TypeOID,
                Modifier(reader.GetDataTypeName(fields.Count)),
                column.TableOID,
                column.ColumnAttributeNumber ?? 0));
        }

        return fields;
    }

    private static async Task<Dictionary<uint, ResultType>> ReadTypesAsync(
        NpgsqlConnection connection, List<Field> fields, CancellationToken cancellationToken)
    {
        await using var command = connection.CreateCommand();
        // int2vector and oidvector look like arrays in the catalog, but not in their text: only array_out writes braces.
        command.CommandText = """
            WITH RECURSIVE reached AS (
                SELECT unnest($1) AS oid
                 UNION
                SELECT CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.typelem END
                  FROM reached r
                  JOIN pg_catalog.pg_type t ON t.oid = r.oid
                 WHERE t.typtype = 'd' OR t.typoutput = 'pg_catalog.array_out'::regproc
            )
            SELECT t.oid, t.typtype = 'd', CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.typelem END, t.typdelim::text
              FROM reached r
              JOIN pg_catalog.pg_type t ON t.oid = r.oid
             WHERE t.typtype = 'd' OR t.typoutput = 'pg_catalog.array_out'::regproc
            """;
        command.Parameters.Add(Oids(fields.Select(field => field.TypeOid)));
        var inner = new Dictionary<uint, (bool IsDomain, uint Oid, char Delimiter)>();
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
                inner[reader.GetFieldValue<uint>(0)] =
                    (reader.GetBoolean(1), reader.GetFieldValue<uint>(2), reader.GetString(3)[0]);
        }

        return fields.Select(field => field.TypeOid).Distinct().ToDictionary(oid => oid, Resolve);

        ResultType Resolve(uint oid) => inner.TryGetValue(oid, out var type) switch
        {
            false => new ResultType(oid),
            true when type.IsDomain => Resolve(type.Oid),
            true => new ResultType(oid, Resolve(type.Oid), type.Delimiter),
        };
    }

    private static async Task<List<ResultColumn>> ReadColumnsAsync(
        NpgsqlConnection connection,
        List<Field> fields,
        Dictionary<uint, ResultType> types,
        bool promisesHold,
        CancellationToken cancellationToken)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = """
            SELECT pg_catalog.format_type(f.type, CASE WHEN a.atttypid = f.type THEN a.atttypmod ELSE f.modifier END),
                   coalesce(a.attnotnull, false)
              FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS f (type, modifier, relation, number, ordinal)
              LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = f.relation AND a.attnum = f.number
             ORDER BY f.ordinal
            """;
        command.Parameters.Add(Oids(fields.Select(field => field.TypeOid)));
        command.Parameters.Add(new NpgsqlParameter<int[]> { TypedValue = [.. fields.Select(field => field.Modifier)] });
        command.Parameters.Add(Oids(fields.Select(field => field.Table)));
        command.Parameters.Add(new NpgsqlParameter<short[]> { TypedValue = [.. fields.Select(field => field.Number)] });
        var columns = new List<ResultColumn>(fields.Count);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var field = fields[columns.Count];
            var isNullable = !(promisesHold && reader.GetBoolean(1));
            columns.Add(new ResultColumn(field.Name, reader.GetString(0), isNullable, types[field.TypeOid])
            {
                Table = field.Table,
                Number = field.Number,
            });
        }

        return columns;
    }

    private static NpgsqlParameter<uint[]> Oids(IEnumerable<uint> oids) =>
        new() { TypedValue = [.. oids], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Oid };

    // Npgsql does not expose the type modifier, but writes what it means: "numeric(12,2)".
    private static int Modifier(string displayName)
    {
        const int none = -1;
        const int lengthWord = 4; // VARHDRSZ, which Postgres adds to lengths
        var match = Facets().Match(displayName);
        if (!match.Success)
            return none;
        var first = int.Parse(match.Groups["first"].ValueSpan, CultureInfo.InvariantCulture);
        var second =
            match.Groups["second"] is { Success: true } group ? int.Parse(group.ValueSpan, CultureInfo.InvariantCulture) : 0;
        return match.Groups["name"].Value switch
        {
            "character" or "character varying" => first + lengthWord,
            "numeric" => ((first << 16) | (second & 0x7FF)) + lengthWord,
            "bit" or "bit varying" => first,
            "interval" => first <= 6 ? (0x7FFF << 16) | first : none,
            _ => first, // times: digits of the second
        };
    }

    [GeneratedRegex(@"^(?<name>[a-z ]+?) ?\((?<first>[0-9]+)(, ?(?<second>[0-9]+))?\)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Facets();

    // A column's NOT NULL does not hold at the nullable side of an outer join, or in grouping sets. The words may be in a string
    // or a comment: then a guarantee is given up needlessly, which does no harm.
    [GeneratedRegex(@"\b(join|rollup|cube|grouping|union|except|intersect)\b",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex MayAddNulls();

    private sealed record Field(string Name, uint TypeOid, int Modifier, uint Table, short Number);
}
