using System.Text;

namespace ClaimCheck.Service.Tests.Api;

/// <summary>F23 by chance: whatever is done to good requests, the answer is never a 5xx, and each refusal has its code.</summary>
[Collection(ApiTests.Name)]
public sealed class Random_mutations(ApiService service)
{
    private const int Requests = 600;
    private static readonly string[] Bodies =
    [
        """{ "dataset": "items", "criteria": { "least": 10 }, "format": "csv", "compression": "gzip", "maxFileBytes": 65536, "linkLifetime": "PT1H", "retention": "P1D" }""",
        """{ "dataset": "typed", "criteria": { "text": "a\u00e9\ud83d\ude00", "number": -5, "flag": true, "since": "2026-01-01T00:00:00Z", "day": "2026-01-31" } }""",
        """{ "dataset": "typed", "criteria": { "ids": [1, 2, 3], "doc": { "a": { "b": [null, 1.5e10] } }, "took": "P1DT2H", "who": "01890a5d-ac96-774b-bcce-b302099a8057" } }""",
    ];

    private static readonly string[] Tokens =
        ["\0", "\u00ff", "\u00ed\u00a0\u0080", "\\ud800", "\\u0000", "\"", "{", "}", "[", "]", ",", ":", "null", "true", "1e999",
            "-0", "99999999999999999999", "NaN", "\\", "'", "--", "$$", "é", "\r\n", "\t", "P1Y", "infinity",
            "0001-01-01T00:00:00Z"];

    private static readonly string[] Paths =
    [
        "/v1/datasets?limit=10", "/v1/datasets/items", "/v1/exports?state=ready&dataset=items&limit=5",
        "/v1/exports/exp_01890a5dac96774bbcceb302099a8057",
        "/v1/batches/bat_01890a5dac96774bbcceb302099a8057", "/v1/batches/bat_01890a5dac96774bbcceb302099a8057/manifest",
        "/v1/batches/bat_01890a5dac96774bbcceb302099a8057/files/part-00001.csv.gz",
        "/v1/batches/bat_01890a5dac96774bbcceb302099a8057/data",
        "/v1/events?after=ZXZlbnRzOjE&wait=0&limit=3", "/problems/not_found", "/openapi/v1.json", "/health/ready",
        "/staging/batches/bat_01890a5dac96774bbcceb302099a8057/manifest.json?expires=1&key=a&signature=b",
    ];

    private static readonly string[] PathPieces = ["%00", "%ff", "%2f", "..", "%2e%2e", "//", "?", "&", "=", "%", "+", "%20",
        "%ed%a0%80", "*", ";", "'", "\"", "9", "Z", "é", "&limit=1", "&cursor=e"];
    private static readonly string[] Methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];

    private static readonly (string Name, string[] Values)[] Headers =
    [
        ("Prefer", ["wait=0", "wait=", ",,,", "wait=\"", "é"]),
        ("Idempotency-Key", ["a", "\"a\"", "\"", "é", ""]),
        ("Range", ["bytes=0-", "bytes=-", "bytes=9-1", "x", "bytes=0-0,1-1", "bytes=-99999999999999999999"]),
        ("If-Match", ["*", "\"", "x", "W/\"a\""]),
        ("If-Range", ["\"a\"", "x", "Fri, 99"]),
        ("Accept", ["text/html", "x", "*/*;q=2", "application/json", ";;"]),
        ("Last-Event-ID", ["x", "é"]),
        ("ClaimCheck-Consumer", ["billing", "a b", "é"]),
        ("Authorization", ["Bearer x", "x", ""]),
        ("Content-Encoding", ["gzip", "x"]),
        ("traceparent", ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "x", "00-"]),
        ("baggage", ["a=b", "=;,"]),
        ("Origin", ["null", "x"]),
    ];

    [Fact]
    public async Task Never_give_a_5xx()
    {
        var failures = new System.Collections.Concurrent.ConcurrentQueue<string>();
        await Parallel.ForAsync(0, Requests, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (seed, _) =>
        {
            var random = new Random(seed);
            var headers = Enumerable.Range(0, random.Next(3)).Select(_ => Headers[random.Next(Headers.Length)])
                .Select(header => (header.Name, header.Values[random.Next(header.Values.Length)])).ToArray();
            var isPost = random.Next(2) == 0;
            var (method, path) = isPost
                ? ("POST", "/v1/exports")
                : (Methods[random.Next(Methods.Length)], Mutated(random, Paths[random.Next(Paths.Length)], PathPieces));
            var body =
                isPost ? ApiClient.Json(MutatedBytes(random, Mutated(random, Bodies[random.Next(Bodies.Length)], Tokens))) : null;
            try
            {
                var answer = await service.Idle.SendAsync(
                    method, service.Idle.Address.GetLeftPart(UriPartial.Authority) + path, body, headers);
                var isExplained = answer.Status < 400 || method == "HEAD"
                    || answer.Header("Content-Type") == "application/problem+json"
                    // the server itself: not HTTP
                    || (answer.Body.Length == 0 && answer.Status == 400 && answer.Header("Connection") == "close");
                if (answer.Status >= 500 || !isExplained)
                    failures.Enqueue($"{seed}: {method} {path} {string.Join(';', headers)} -> {answer.Status} {answer.Text}");
            }
            catch (Exception e) when (e is UriFormatException or FormatException
                || (e is HttpRequestException && e.Message.Contains("ASCII", StringComparison.Ordinal)))
            {
                // The client itself would not send it.
            }
        });

        Assert.True(failures.IsEmpty, string.Join('\n', failures.Take(10)));
        Assert.Equal(200, (await service.Idle.GetAsync("/health/ready")).Status);
    }

    private static string Mutated(Random random, string text, string[] pieces)
    {
        for (var times = random.Next(1, 4); times > 0; times--)
        {
            var at = random.Next(1, text.Length);
            var cut = random.Next(Math.Min(8, text.Length - at));
            text = random.Next(3) switch
            {
                0 => text.Insert(at, pieces[random.Next(pieces.Length)]),
                1 => text.Remove(at, cut),
                _ => text[..at] + pieces[random.Next(pieces.Length)] + text[(at + cut)..],
            };
        }

        return text;
    }

    // Latin-1, so that invalid UTF-8 comes about; now and then a bit is turned.
    private static byte[] MutatedBytes(Random random, string text)
    {
        var bytes = Encoding.Latin1.GetBytes(text);
        if (random.Next(3) == 0)
            bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
        return bytes;
    }
}
