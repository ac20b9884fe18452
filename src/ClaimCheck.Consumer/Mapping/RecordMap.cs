using System.Linq.Expressions;
using System.Reflection;
using System.Text.Json.Serialization;

namespace ClaimCheck.Consumer.Mapping;

/// <summary>
/// Creates a <typeparamref name="T"/> from the current record, by a delegate compiled once for a batch's columns.
/// </summary>
internal sealed class RecordMap<T>
{
    private readonly Func<Rows, T> make;

    private RecordMap(Func<Rows, T> make) => this.make = make;

    /// <summary>Maps the columns to the parameters of T's constructor, and to its other settable properties, by name.</summary>
    /// <exception cref="RecordMismatchException">A parameter or required property has no column, or a type that no column can be
    /// converted to.</exception>
    public static RecordMap<T> For(IReadOnlyList<Column> columns)
    {
        var names = new ColumnNames(columns, typeof(T));
        var rows = Expression.Parameter(typeof(Rows), "rows");
        var constructor = Constructor(names);
        var taken = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var arguments = new List<Expression>();
        foreach (var parameter in constructor?.GetParameters() ?? [])
        {
            var property = typeof(T)
                .GetProperty(parameter.Name!, BindingFlags.Public | BindingFlags.Instance | BindingFlags.IgnoreCase);
            taken.Add(parameter.Name!);
            arguments.Add(Argument(rows, names, parameter, property));
        }
        Expression body = constructor is null ? Expression.New(typeof(T)) : Expression.New(constructor, arguments);
        var bindings = Bindings(rows, names, taken, constructor).ToArray();
        if (bindings.Length > 0)
            body = Expression.MemberInit((NewExpression)body, bindings);
        return new(Expression.Lambda<Func<Rows, T>>(body, rows).Compile());
    }

    /// <exception cref="RecordMismatchException">A value does not fit its member.</exception>
    public T Make(Rows rows) => make(rows);

    private static BinaryExpression Slot(Expression rows, int column) =>
        Expression.Add(Expression.Property(rows, nameof(Rows.Origin)), Expression.Constant(column));

    // The public constructor with the most parameters that all have a column or a default; null for a struct without one.
    private static ConstructorInfo? Constructor(ColumnNames names)
    {
        var all = typeof(T).GetConstructors();
        if (typeof(T).IsAbstract || (all.Length == 0 && !typeof(T).IsValueType))
            throw new RecordMismatchException($"{typeof(T).Name} can't be created from records: it has no public constructor.");
        var ordered = all.OrderByDescending(each => each.GetParameters().Length).ToArray();
        return ordered.FirstOrDefault(each => each.GetParameters().All(parameter =>
                parameter.HasDefaultValue || names.Find(parameter.Name!, Renamed(parameter)) is not null))
            ?? ordered.FirstOrDefault();
    }

    private static Expression Argument(Expression rows, ColumnNames names, ParameterInfo parameter, PropertyInfo? property)
    {
        if (names.Find(parameter.Name!, Renamed(parameter) ?? Renamed(property)) is { } column)
            return FieldExpression.Of(
                rows, Slot(rows, column), names.Columns[column], parameter.ParameterType, parameter.Name!, IsNullable(parameter));
        return parameter.HasDefaultValue
            ? Default(parameter)
            : throw names.Missing(parameter.Name!);
    }

    private static IEnumerable<MemberBinding> Bindings(
        Expression rows, ColumnNames names, HashSet<string> taken, ConstructorInfo? constructor)
    {
        var setsRequired =
            constructor?.GetCustomAttribute<System.Diagnostics.CodeAnalysis.SetsRequiredMembersAttribute>() is not null;
        foreach (var property in typeof(T).GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (property.SetMethod is not { IsPublic: true } || property.GetIndexParameters().Length > 0
                || taken.Contains(property.Name)
                || property.GetCustomAttribute<JsonIgnoreAttribute>() is { Condition: JsonIgnoreCondition.Always })
                continue;
            if (names.Find(property.Name, Renamed(property)) is { } column)
            {
                yield return Expression.Bind(property, FieldExpression.Of(
                    rows, Slot(rows, column), names.Columns[column], property.PropertyType, property.Name, IsNullable(property)));
            }
            else if (property.GetCustomAttribute<RequiredMemberAttribute>() is not null && !setsRequired)
            {
                throw names.Missing(property.Name);
            }
        }
    }

    private static Expression Default(ParameterInfo parameter) =>
        parameter.DefaultValue is { } value
            ? Expression.Convert(Expression.Constant(value), parameter.ParameterType)
            : Expression.Default(parameter.ParameterType);

    private static string? Renamed(ICustomAttributeProvider? member) =>
        member?.GetCustomAttributes(typeof(JsonPropertyNameAttribute), inherit: true).OfType<JsonPropertyNameAttribute>()
            .FirstOrDefault()?.Name;

    private static bool IsNullable(ParameterInfo parameter) =>
        new NullabilityInfoContext().Create(parameter).WriteState != NullabilityState.NotNull;

    private static bool IsNullable(PropertyInfo property) =>
        new NullabilityInfoContext().Create(property).WriteState != NullabilityState.NotNull;
}
