using System.Globalization;
using System.Text.RegularExpressions;

namespace ClaimCheck.Service.Tests.Api;

/// <summary>Every call that the description names, for what holds of all.</summary>
internal static partial class DescribedCalls
{
    /// <summary>The calls, with names where names go: of things that are there for those that only read.</summary>
    /// <param name="idle">A service without a worker.</param>
    public static async Task<IReadOnlyList<(string Method, string Path)>> OfAsync(ApiClient idle)
    {
        var export = await idle.AskAsync("""{ "dataset": "items" }""");
        await idle.SendAsync("DELETE", export.Link("self")); // nobody waits for its end
        var document = (await idle.GetAsync("/openapi/v1.json")).Json;
        var calls = new List<(string, string)>();
        foreach (var path in document.GetProperty("paths").EnumerateObject())
        {
            foreach (var operation in path.Value.EnumerateObject())
            {
                var method = operation.Name.ToUpperInvariant();
                calls.Add((method, Placeholder().Replace(path.Name, match => match.Value switch
                {
                    "{exportId}" when method == "GET" => export.Text("exportId")!,
                    "{batchId}" when method == "GET" => export.Text("batchId")!,
                    "{name}" => "items",
                    _ => "x",
                })));
            }
        }

        Assert.True(calls.Count > 40, string.Create(CultureInfo.InvariantCulture, $"Only {calls.Count} calls are described."));
        return calls;
    }

    [GeneratedRegex(@"\{[^}]+\}", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Placeholder();
}
