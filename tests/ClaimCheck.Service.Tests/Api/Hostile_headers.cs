using System.Globalization;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Api;

/// <summary>Of every call that the description names: no header and no query parameter makes it a 5xx, or does what
/// is then refused.</summary>
[Collection(ApiTests.Name)]
public sealed class Hostile_headers(ApiService service)
{
    private static readonly string Huge = new('9', 5000);

    private static readonly string[] Values =
    [
        "NaN", "Infinity", "-Infinity", "1e400", "-1", "0x10", "1.5", "", "\"", "\"\"", "\"5\"", "*", ",", ";", "=", "\t", "null",
        "%00", "../..", "é😀", "9223372036854775808", Huge,
    ];

    // What is ignored where it can't be read: all of these at once.
    private static readonly string[] Lenient =
        ["Prefer", "Range", "If-Range", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "Accept",
            "Accept-Encoding", "Last-Event-ID", "traceparent", "tracestate", "baggage", "Cookie", "X-Forwarded-For"];

    // What is refused where it can't be read: one by one.
    private static readonly string[] Strict =
        ["Idempotency-Key", "ClaimCheck-Consumer", "Content-Encoding", "Content-Type", "Authorization", "Content-Language"];

    [Fact]
    public async Task None_is_a_5xx()
    {
        var bad = new List<string>();
        foreach (var call in await DescribedCalls.OfAsync(service.Idle))
        {
            var (method, path) = call;
            await Parallel.ForEachAsync(Values, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (value, _) =>
            {
                await AskAsync(path, [.. Lenient.Select(name => (name, Of(name, value)))]);
                await AskAsync(path, [.. Lenient.SelectMany(name => new[] { (name, value), (name, "x") })]);
                foreach (var name in Strict)
                    await AskAsync(path, [(name, value)]);
                // One by one too: the first that can't be read may hide the next.
                foreach (var query in value.Length < 1000
                    ? [.. call.Query.Select(name => (string[])[name]), call.Query]
                    : Array.Empty<IReadOnlyList<string>>())
                    await AskAsync(
                        path + "?" + string.Join('&', query.Select(name => $"{name}={Uri.EscapeDataString(value)}")), []);

                async Task AskAsync(string address, (string, string)[] headers)
                {
                    var status = await StatusAsync(method, address, headers);
                    if (status >= 500)
                    {
                        lock (bad)
                            bad.Add($"{method} {address} with {headers.FirstOrDefault().Item1} and "
                                + $"'{(value.Length > 50 ? "huge" : value)}': {status}");
                    }
                }
            });
        }

        Assert.Empty(bad);
    }

    [Fact]
    public async Task What_is_refused_has_no_effect_and_what_has_one_is_answered()
    {
        var bodies = new (string Path, string Body, string Table)[]
        {
            ("/v1/exports", """{ "dataset": "items" }""", "exports"),
            ("/v1/bulk-jobs", """{ "operation": "none", "items": [] }""", "bulk_jobs"),
            ("/v1/batches",
                $$"""{ "dataset": "items", "files": [{ "name": "a", "bytes": 1, "sha256": "{{new string('a', 64)}}", "records": 1 }] }""",
                "exports"),
            ("/v1/subscriptions", """{ "consumer": "c", "protocol": "webhook", "endpoint": "http://10.0.0.1/" }""",
                "subscriptions"),
        };
        foreach (var (path, body, table) in bodies)
        {
            var before = await CountAsync(table);
            var taken = 0;
            foreach (var value in Values)
            {
                foreach (var name in (string[])["Prefer", .. Strict])
                {
                    // A preference of digits is well-formed, however many: here nobody would end the wait.
                    if (name == "Content-Type" || (name == "Prefer" && value.All(char.IsAsciiDigit)))
                        continue;
                    var status = await StatusAsync("POST", path, [(name, Of(name, value))], body);
                    Assert.True(status is >= 200 and < 500, $"{path} with {name} '{value}': {status}");
                    // With an idempotency key the same one is answered again: each value is its own, and sent once.
                    taken += status < 300 ? 1 : 0;
                }
            }

            Assert.Equal(taken, await CountAsync(table) - before);
        }
    }

    [Theory]
    [InlineData("wait=NaN", null)]
    [InlineData("wait=Infinity", null)]
    [InlineData("wait=-1", null)]
    [InlineData("wait=1e400", null)]
    [InlineData("wait=\"\"", null)]
    [InlineData("wait=", null)]
    [InlineData("wait", null)]
    [InlineData("wait=1.0", null)]
    [InlineData("WAIT=0", "wait=0")]
    [InlineData("respond-async, wait=0;x", "wait=0")]
    public async Task A_malformed_wait_is_ignored_and_one_that_is_honoured_is_echoed(string preference, string? applied)
    {
        var answer = await service.Idle.PostAsync("/v1/exports", """{ "dataset": "items" }""", ("Prefer", preference));
        Assert.Equal((202, applied), (answer.Status, answer.Header("Preference-Applied")));
    }

    private static string Of(string name, string value) => name == "Prefer" ? $"wait={value}" : value;

    private Task<long> CountAsync(string table) =>
        Scene.ScalarAsync<long>(service.IdleScene.Catalog, $"SELECT count(*) FROM {table}");

    // As it is written: a well-behaved client would refuse to send most of it.
    private async Task<int> StatusAsync(string method, string path, (string Name, string Value)[] headers, string? body = null)
    {
        var text = body ?? (method is "POST" or "PUT" ? "{}" : "");
        var type =
            headers.Any(header => header.Name == "Content-Type") || text.Length == 0 ? "" : "Content-Type: application/json\n";
        var answer = await service.Idle.RawAsync(
            $"{method} {path} HTTP/1.1\nHost: localhost\nConnection: "
            + $"close\n{type}{string.Concat(headers.Select(header => $"{header.Name}: {header.Value}\n"))}"
            + $"Content-Length: {System.Text.Encoding.UTF8.GetByteCount(text)}\n\n{text}");
        return int.Parse(answer.Split(' ')[1], CultureInfo.InvariantCulture);
    }
}
