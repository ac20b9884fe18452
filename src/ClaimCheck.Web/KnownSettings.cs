using System.ComponentModel;
using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace ClaimCheck.Web;

/// <summary>
/// The settings of a program below one section, known from the types that they are bound to. A setting under an unknown
/// name would silently have no effect, and a value that its type can't represent could not be used: both are faults.
/// </summary>
/// <param name="root">The section that belongs to the program, such as <c>ClaimCheck</c>.</param>
public sealed class KnownSettings(string root)
{
    // For a type that refers to itself.
    private const int Deepest = 8;
    private readonly List<(string[] Path, Type Type)> bound = [];

    /// <summary>
    /// Registers the type that a section is bound to. A section may be bound to more than one: each knows some of its settings.
    /// </summary>
    public void Add(string section, Type type) => bound.Add((section.Split(':'), type));

    /// <summary>All of them; a name that the operator chooses is <c>&lt;name&gt;</c>.</summary>
    public IEnumerable<string> All => Names([root], TypesAt([root]), [], 0).Distinct(StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// The settings below the section that are unknown or unreadable: a line each, never with a value that may be secret.
    /// </summary>
    public IReadOnlyList<string> Faults(IConfiguration configuration) =>
        [.. Faults(configuration.GetSection(root), [root], TypesAt([root]))];

    private IEnumerable<string> Faults(IConfigurationSection section, string[] path, IReadOnlyList<Type> types)
    {
        foreach (var child in section.GetChildren())
        {
            string[] below = [.. path, child.Key];
            var found = TypesBelow(path, types, child.Key);
            if (found.Count == 0 && !bound.Exists(each => StartsWith(each.Path, below)))
            {
                foreach (var name in Leaves(child))
                    yield return $"{name} is set, but that setting does not exist: it would silently do "
                        + $"nothing.{Suggestion(name)}";
                continue;
            }

            if (found.Contains(typeof(object)))
                continue; // names and values are chosen by the operator
            if (FaultOf(child, found) is { } fault)
                yield return $"{string.Join(':', below)} {fault}";
            foreach (var deeper in Faults(child, below, found))
                yield return deeper;
        }
    }

    private static string? FaultOf(IConfigurationSection setting, IReadOnlyList<Type> types)
    {
        if (setting.Value is not { } value)
            return null;
        var scalars = types.Where(IsScalar).ToList();
        if (scalars.Count == 0)
        {
            // A list that can also be written as one text declares that itself.
            if (types.Any(type => TypeDescriptor.GetConverter(type).CanConvertFrom(typeof(string))))
                return null;
            // An empty section or list of a JSON file has an empty value.
            return value.Length == 0 ? null : "has a value, but is a section or list of settings, which have names or numbers of "
                + "their own behind it: the value would silently do nothing.";
        }

        return scalars.Exists(type => CanBe(type, value))
            ? null
            : $"is '{value}', but must be {RuleOf(scalars[0])}: it could not be used.";
    }

    private static bool CanBe(Type type, string value)
    {
        if (value.Length == 0 && Nullable.GetUnderlyingType(type) is not null)
            return true;
        var plain = Nullable.GetUnderlyingType(type) ?? type;
        try
        {
            return plain == typeof(string) || TypeDescriptor.GetConverter(plain).ConvertFromInvariantString(value) is not null;
        }
        catch (Exception e) when (e is FormatException or ArgumentException or NotSupportedException or OverflowException)
        {
            return false;
        }
    }

    private static string RuleOf(Type type) => (Nullable.GetUnderlyingType(type) ?? type) switch
    {
        var t when t == typeof(bool) => "true or false",
        var t when t == typeof(int) => $"a whole number, {int.MaxValue.ToString(CultureInfo.InvariantCulture)} at most",
        var t when t == typeof(long) => "a whole number",
        var t when t == typeof(double) || t == typeof(decimal) => "a number",
        var t when t == typeof(TimeSpan) => "a time as [days.]hours:minutes:seconds, such as 00:00:30 or 1.12:00:00",
        { IsEnum: true } t => $"one of {string.Join(", ", Enum.GetNames(t))}",
        var t => $"a {t.Name}",
    };

    private IReadOnlyList<Type> TypesAt(string[] path) =>
        [.. bound.Where(each => each.Path.Length == path.Length && StartsWith(each.Path, path)).Select(each => each.Type)];

    private IReadOnlyList<Type> TypesBelow(string[] path, IReadOnlyList<Type> types, string name) =>
        [.. types.SelectMany(type =>
            MembersOf(type).Where(member => member.Name is null || Same(member.Name, name)).Select(member => member.Type)),
            .. TypesAt([.. path, name])];

    /// <summary>
    /// The settings of a type by name; without those of a dictionary or list, whose names the operator chooses.
    /// </summary>
    private static IEnumerable<(string? Name, Type Type)> MembersOf(Type type)
    {
        if (IsScalar(type) || type == typeof(object))
            return [];
        if (type.IsArray)
            return [(null, type.GetElementType()!)];
        foreach (var shape in type.GetInterfaces().Prepend(type).Where(each => each.IsGenericType))
        {
            if (shape.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>)
                || shape.GetGenericTypeDefinition() == typeof(IDictionary<,>))
                return [(null, shape.GenericTypeArguments[1])];
        }

        foreach (var shape in type.GetInterfaces().Prepend(type).Where(each => each.IsGenericType))
        {
            if (shape.GetGenericTypeDefinition() == typeof(IEnumerable<>))
                return [(null, shape.GenericTypeArguments[0])];
        }

        // Computed properties have no setter.
        return type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.SetMethod is { IsPublic: true } && property.GetIndexParameters().Length == 0)
            .Select(property => ((string?)property.Name, property.PropertyType));
    }

    private static bool IsScalar(Type type) =>
        (Nullable.GetUnderlyingType(type) ?? type) is var plain
        && (plain.IsPrimitive || plain.IsEnum || plain == typeof(string) || plain == typeof(decimal) || plain == typeof(TimeSpan)
            || plain == typeof(DateTimeOffset) || plain == typeof(Uri));

    private string Suggestion(string name)
    {
        var path = name.Split(':');
        var known = Names([root], TypesAt([root]), path, 0).Distinct(StringComparer.OrdinalIgnoreCase).ToList();
        // A typing error; or an extra name, or the right name in a wrong place; or the least different one.
        var nearest = NearestName.Of(name, known);
        if (nearest is not null && NearestName.Distance(name, nearest) > 2)
        {
            nearest = NearestName.Of(name, known.Where(each => StartsWith(path, each.Split(':'))))
                ?? NearestName.Of(name, known.Where(each => Same(each.Split(':')[^1], path[^1]))) ?? nearest;
        }

        return nearest is null ? "" : $" The nearest existing one: {nearest}.";
    }

    // All settings, with the operator's own names.
    private IEnumerable<string> Names(string[] path, IReadOnlyList<Type> types, string[] given, int depth)
    {
        if (depth > Deepest)
            yield break;
        if (types.Any(IsScalar))
            yield return string.Join(':', path);
        var names = types.SelectMany(MembersOf)
            .Select(member => member.Name ?? (given.Length > path.Length + 1 ? given[path.Length] : "<name>"))
            .Concat(bound.Where(each => each.Path.Length > path.Length && StartsWith(each.Path, path))
                .Select(each => each.Path[path.Length]))
            .Distinct(StringComparer.OrdinalIgnoreCase);
        foreach (var name in names.ToList())
        {
            foreach (var deeper in Names([.. path, name], TypesBelow(path, types, name), given, depth + 1))
                yield return deeper;
        }
    }

    // For an empty section, its own name.
    private static IEnumerable<string> Leaves(IConfigurationSection section)
    {
        var children = section.GetChildren().ToList();
        return children.Count == 0 || section.Value is { Length: > 0 }
            ? children.SelectMany(Leaves).Prepend(section.Path)
            : children.SelectMany(Leaves);
    }

    private static bool StartsWith(string[] path, string[] beginning) =>
        path.Length >= beginning.Length && beginning.Zip(path).All(pair => Same(pair.First, pair.Second));

    private static bool Same(string one, string other) => one.Equals(other, StringComparison.OrdinalIgnoreCase);
}
