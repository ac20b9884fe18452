using System.Collections.Frozen;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http.Metadata;

namespace ClaimCheck.Web;

/// <summary>
/// Marks a call that checks its whole query itself: a signed link with another parameter has been altered, and is
/// refused as S3 refuses one.
/// </summary>
public sealed class WholeQueryIsSigned;

/// <summary>
/// The query parameters that a call knows: those of its signature, and those that it declares (<see cref="ReadParameter"/>). Any
/// other would silently have no effect, including a filter that would then return everything.
/// </summary>
public static class KnownQuery
{
    private const int MostErrors = 50;
    private const int LongestName = 100;
    private static readonly ConditionalWeakTable<Endpoint, FrozenDictionary<string, bool>> Known = [];

    /// <summary>Checks the query of a request whose call is known.</summary>
    /// <returns>Null where it may pass; also where no call was found, which is reported elsewhere.</returns>
    public static Refused? FaultOf(HttpContext context)
    {
        if (context.Request.Query is not { Count: > 0 } query || context.GetEndpoint() is not RouteEndpoint call
            || call.Metadata.GetMetadata<WholeQueryIsSigned>() is not null)
            return null;
        var known = Known.GetValue(call, _ => ParametersOf(call));
        var unknown = query.Keys.Where(name => !known.ContainsKey(name)).Take(MostErrors).ToList();
        if (unknown.Count > 0)
        {
            var takes =
                known.Count == 0 ? "It takes none." : $"It takes {string.Join(", ", known.Keys.Order(StringComparer.Ordinal))}.";
            return new(
                ProblemCodes.UnknownParameter,
                $"{Cut(unknown[0])} is not a query parameter of this call{Nearest(unknown[0], known)}. {takes}",
                unknown.GroupBy(Cut).ToDictionary(
                    group => group.Key,
                    group => (string[])[$"Is not a query parameter of this call{Nearest(group.First(), known)}."],
                    StringComparer.Ordinal));
        }

        var twice = query.Where(parameter => parameter.Value.Count > 1 && !known[parameter.Key])
            .Select(parameter => parameter.Key).ToList();
        return twice.Count == 0 ? null : new(
            twice[0].ToUpperInvariant() switch
            {
                "LIMIT" => ProblemCodes.InvalidLimit,
                "CURSOR" => ProblemCodes.InvalidCursor,
                _ => ProblemCodes.InvalidParameter,
            },
            $"{twice[0]} is given more than once, but the call takes one.",
            twice.ToDictionary(
                name => name, _ => (string[])["Is given more than once, but the call takes one."], StringComparer.Ordinal));
    }

    private static FrozenDictionary<string, bool> ParametersOf(RouteEndpoint call)
    {
        var inPath = call.RoutePattern.Parameters.Select(parameter => parameter.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var bound = call.Metadata.OfType<IParameterBindingMetadata>()
            .Where(parameter => !parameter.HasBindAsync && !inPath.Contains(parameter.Name) && IsOfQuery(parameter))
            .Select(parameter => (parameter.Name, IsRepeatable: parameter.ParameterInfo.ParameterType.IsArray));
        var read = call.Metadata.OfType<ReadParameter>().Where(parameter => !parameter.IsHeader)
            .Select(parameter => (parameter.Name, parameter.IsRepeatable));
        return bound.Concat(read).DistinctBy(parameter => parameter.Name, StringComparer.OrdinalIgnoreCase)
            .ToFrozenDictionary(
                parameter => parameter.Name, parameter => parameter.IsRepeatable, StringComparer.OrdinalIgnoreCase);
    }

    // Text, and types parsed from text, come from the query unless declared otherwise.
    private static bool IsOfQuery(IParameterBindingMetadata parameter)
    {
        var attributes = parameter.ParameterInfo.GetCustomAttributes(inherit: true);
        if (attributes.OfType<IFromQueryMetadata>().Any())
            return true;
        var type = parameter.ParameterInfo.ParameterType;
        return !attributes.Any(attribute => attribute is IFromHeaderMetadata or IFromBodyMetadata or IFromServiceMetadata
            or IFromRouteMetadata or IFromFormMetadata)
            && (parameter.HasTryParse || type == typeof(string) || type == typeof(string[]));
    }

    private static string Nearest(string name, FrozenDictionary<string, bool> known) =>
        NearestName.Of(name, known.Keys) is { } nearest ? $"; the nearest is {nearest}" : "";

    private static string Cut(string name) => name.Length > LongestName ? name[..LongestName] + "…" : name;
}
