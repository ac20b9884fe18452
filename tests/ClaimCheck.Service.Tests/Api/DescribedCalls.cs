using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace ClaimCheck.Service.Tests.Api;

/// <summary>A call of the description, with names where names go.</summary>
internal sealed record DescribedCall(string Method, string Path, IReadOnlyList<string> Query)
{
    public void Deconstruct(out string method, out string path) => (method, path) = (Method, Path);
}

/// <summary>Every call that the description names, for what holds of all.</summary>
internal static partial class DescribedCalls
{
    /// <summary>The calls, with names where names go: of things that are there for those that only read.</summary>
    /// <param name="idle">A service without a worker.</param>
    public static async Task<IReadOnlyList<DescribedCall>> OfAsync(ApiClient idle)
    {
        var export = await idle.AskAsync("""{ "dataset": "items" }""");
        await idle.SendAsync("DELETE", export.Link("self")); // nobody waits for its end
        var document = (await idle.GetAsync("/openapi/v1.json")).Json;
        var calls = new List<DescribedCall>();
        foreach (var path in document.GetProperty("paths").EnumerateObject())
        {
            foreach (var operation in path.Value.EnumerateObject())
            {
                var method = operation.Name.ToUpperInvariant();
                var address = Placeholder().Replace(path.Name, match => match.Value switch
                {
                    "{exportId}" when method == "GET" => export.Text("exportId")!,
                    "{batchId}" when method == "GET" => export.Text("batchId")!,
                    "{name}" => "items",
                    _ => "x",
                });
                calls.Add(new(method, address, [.. Parameters(operation.Value).Where(parameter => parameter.Text("in") == "query")
                    .Select(parameter => parameter.Text("name")!)]));
            }
        }

        Assert.True(calls.Count > 40, string.Create(CultureInfo.InvariantCulture, $"Only {calls.Count} calls are described."));
        return calls;
    }

    private static IEnumerable<JsonElement> Parameters(JsonElement operation) =>
        operation.TryGetProperty("parameters", out var parameters) ? parameters.EnumerateArray() : [];

    [GeneratedRegex(@"\{[^}]+\}", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Placeholder();
}
