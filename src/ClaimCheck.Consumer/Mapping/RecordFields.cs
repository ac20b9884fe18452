using System.Collections.Concurrent;

namespace ClaimCheck.Consumer.Mapping;

/// <summary>What all <see cref="Record"/>s of a read share: the indexes of the columns, and readers by type.</summary>
internal sealed class RecordFields(Manifest manifest)
{
    private readonly Dictionary<string, int> places =
        manifest.Columns.Index().ToDictionary(each => each.Item.Name, each => each.Index, StringComparer.Ordinal);

    // A chunk's records may be read by many threads.
    private readonly ConcurrentDictionary<(Type Type, int Column), object> readers = [];

    /// <summary>The columns' types.</summary>
    public PostgresType[] Types { get; } = [.. manifest.Columns.Select(column => PostgresType.Of(column.Type))];

    public int KeyColumn => Place(manifest.Key);

    public int Place(string column) =>
        places.TryGetValue(column, out var place)
            ? place
            : throw new RecordMismatchException(
                $"Unknown column {column}: the batch has {string.Join(", ", manifest.Columns.Select(each => each.Name))}.");

    public T? Read<T>(Rows rows, int origin, int column) =>
        ((Func<Rows, int, T?>)readers.GetOrAdd(
            (typeof(T), column), static (key, fields) => fields.Compile<T>(key.Column), this))(rows, origin + column);

    private Func<Rows, int, T?> Compile<T>(int column)
    {
        var parameter = System.Linq.Expressions.Expression.Parameter(typeof(Rows), "rows");
        var slot = System.Linq.Expressions.Expression.Parameter(typeof(int), "slot");
        var body = FieldExpression.Of(
            parameter, slot, manifest.Columns[column], typeof(T), $"a {typeof(T).Name}", takesNull: true);
        return System.Linq.Expressions.Expression.Lambda<Func<Rows, int, T?>>(body, parameter, slot).Compile();
    }
}
