using System.Linq.Expressions;
using System.Reflection;

namespace ClaimCheck.Consumer.Mapping;

/// <summary>
/// The part of a compiled map that reads one column into one member: NULL is handled first, failures name the column.
/// </summary>
internal static class FieldExpression
{
    private static readonly Dictionary<Type, string> Readers = new()
    {
        [typeof(string)] = nameof(Fields.String),
        [typeof(long)] = nameof(Fields.Int64),
        [typeof(int)] = nameof(Fields.Int32),
        [typeof(short)] = nameof(Fields.Int16),
        [typeof(decimal)] = nameof(Fields.Decimal),
        [typeof(bool)] = nameof(Fields.Boolean),
        [typeof(DateTimeOffset)] = nameof(Fields.DateTimeOffset),
        [typeof(DateTime)] = nameof(Fields.DateTime),
        [typeof(DateOnly)] = nameof(Fields.DateOnly),
        [typeof(TimeOnly)] = nameof(Fields.TimeOnly),
        [typeof(TimeSpan)] = nameof(Fields.TimeSpan),
        [typeof(Guid)] = nameof(Fields.Uuid),
        [typeof(byte[])] = nameof(Fields.Binary),
        [typeof(JsonElement)] = nameof(Fields.Json),
    };

    private static readonly HashSet<Type> Integers = [typeof(byte), typeof(sbyte), typeof(ushort), typeof(uint), typeof(ulong)];
    private static readonly HashSet<Type> Floats = [typeof(Half), typeof(float), typeof(double)];

    public static Expression Of(Expression rows, Expression slot, Column definition, Type type, string member, bool takesNull)
    {
        var value = Nullable.GetUnderlyingType(type) ?? type;
        var read = typeof(ColumnReader<>).MakeGenericType(value).GetMethod(nameof(ColumnReader<int>.Read))!;
        var reader = Expression.Constant(Reader(value, definition, member));
        Expression present = Expression.Call(reader, reader.Type.GetMethod(read.Name)!, rows, slot);
        if (value != type)
            present = Expression.Convert(present, type);
        var isNull = Expression.Call(rows, nameof(Rows.IsNull), null, slot);
        var absent = (takesNull && !type.IsValueType) || value != type
            ? (Expression)Expression.Default(type)
            : Expression.Call(reader, reader.Type.GetMethod(nameof(ColumnReader<int>.Null))!, rows, slot);
        return Expression.Condition(isNull, absent, present);
    }

    /// <summary>Reads a column as a <paramref name="value"/>, which is not <see cref="Nullable{T}"/>.</summary>
    public static object Reader(Type value, Column definition, string member)
    {
        if (value == typeof(byte[]) && definition.Type != "bytea")
        {
            throw new RecordMismatchException(
                $"Column {definition.Name} is {definition.Type}, but {member} takes the bytes of a bytea: read it as text.");
        }
        var method = Method(value) ?? throw new RecordMismatchException(
            $"{member} is a {value.Name}, which no column can be read into: read {definition.Name} "
            + $"({definition.Type}) as string.");
        var parse = method.CreateDelegate(typeof(Func<,,>).MakeGenericType(typeof(Rows), typeof(int), value));
        return Activator.CreateInstance(typeof(ColumnReader<>).MakeGenericType(value), parse, definition, member)!;
    }

    private static MethodInfo? Method(Type value)
    {
        if (Readers.TryGetValue(value, out var name))
            return typeof(Fields).GetMethod(name);
        if (Integers.Contains(value))
            return typeof(Fields).GetMethod(nameof(Fields.Integer))!.MakeGenericMethod(value);
        if (Floats.Contains(value))
            return typeof(Fields).GetMethod(nameof(Fields.Floating))!.MakeGenericMethod(value);
        return value.IsEnum ? typeof(Fields).GetMethod(nameof(Fields.Enumeration))!.MakeGenericMethod(value) : null;
    }
}

/// <summary>Reads one column's values, and names the column where one does not fit.</summary>
internal sealed class ColumnReader<T>(Func<Rows, int, T> parse, Column column, string member)
{
    public T Read(Rows rows, int slot)
    {
        try
        {
            return parse(rows, slot);
        }
        catch (Exception e)
            when (e is FormatException or OverflowException or JsonException or ArgumentException or InvalidOperationException)
        {
            // The cause's own message may quote the value: it is left out.
            throw new RecordMismatchException(
                $"A value of column {column.Name} ({column.Type}) can't be read as {typeof(T).Name}, which {member} takes, in "
                + $"{rows.Where(slot)}{(IsTooDeep(rows, slot) ? $": it {JsonDepth.Rule}" : "")}.",
                rows.BatchId);
        }
    }

    private static bool IsTooDeep(Rows rows, int slot) =>
        typeof(T) == typeof(JsonElement) && JsonDepth.IsExceeded(rows.Json(slot));

    public T Null(Rows rows, int slot) =>
        // A json column may contain JSON's own null, which ndjson writes just like NULL.
        rows is JsonRows && typeof(T) == typeof(JsonElement)
            ? parse(rows, slot)
            : throw new RecordMismatchException(
                $"Column {column.Name} is NULL in {rows.Where(slot)}, but {member} can't be null.", rows.BatchId);
}
