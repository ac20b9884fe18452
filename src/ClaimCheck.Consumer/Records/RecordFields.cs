using ClaimCheck.Contracts;

namespace ClaimCheck.Consumer.Records;

/// <summary>What all <see cref="Record"/>s of a read share: the places of the columns, and readers by type.</summary>
internal sealed class RecordFields(Manifest manifest)
{
    private readonly Dictionary<string, int> places =
        manifest.Columns.Index().ToDictionary(each => each.Item.Name, each => each.Index, StringComparer.Ordinal);

    private readonly Dictionary<(Type, int), object> readers = [];

    public int KeyColumn => Place(manifest.Key);

    public int Place(string column) =>
        places.TryGetValue(column, out var place)
            ? place
            : throw new RecordMismatchException(
                $"There is no column {column}: the batch has {string.Join(", ", manifest.Columns.Select(each => each.Name))}.");

    public T? Read<T>(Rows rows, int column)
    {
        if (!readers.TryGetValue((typeof(T), column), out var reader))
            readers[(typeof(T), column)] = reader = Compile<T>(column);
        return ((Func<Rows, T?>)reader)(rows);
    }

    private Func<Rows, T?> Compile<T>(int column)
    {
        var parameter = System.Linq.Expressions.Expression.Parameter(typeof(Rows), "rows");
        var body = FieldExpression.Of(
            parameter, column, manifest.Columns[column], typeof(T), $"a {typeof(T).Name}", takesNull: true);
        return System.Linq.Expressions.Expression.Lambda<Func<Rows, T?>>(body, parameter).Compile();
    }
}
