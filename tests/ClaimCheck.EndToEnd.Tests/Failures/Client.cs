using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.EndToEnd.Tests.Failures;

/// <summary>What someone who asks for exports does, in a line each.</summary>
internal sealed class Client(ServiceProcess service) : IDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    public HttpClient Http { get; } = service.NewHttp();

    /// <summary>Asks for newline-delimited JSON, not compressed, in files of at most 256 KiB.</summary>
    public async Task<Export> AskAsync(string dataset)
    {
        using var answer = await TryAskAsync(dataset, null);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        return (await answer.Content.ReadFromJsonAsync<Export>(ClaimCheckJson.Options))!;
    }

    public async Task<HttpResponseMessage> TryAskAsync(string dataset, string? key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/exports");
        request.Content = new StringContent(
            $$"""{ "dataset": "{{dataset}}", "format": "ndjson", "compression": "none", "maxFileBytes": 262144 }""",
            Encoding.UTF8,
            "application/json");
        if (key is not null)
            request.Headers.Add("Idempotency-Key", key);
        return await Http.SendAsync(request);
    }

    public async Task<Export> GetAsync(Export export) =>
        (await Http.GetFromJsonAsync<Export>($"/v1/exports/{export.ExportId}", ClaimCheckJson.Options))!;

    /// <summary>Waits for a state; another one from which there is no way to it is a failure at once.</summary>
    public Task<Export> UntilAsync(Export export, string state) => Eventually.NotNullAsync(
        async () =>
        {
            var now = await GetAsync(export);
            if (now.State == state)
                return now;
            Assert.False(
                ExportState.IsSettled(now.State),
                $"The export is {now.State} ({now.Failure?.Code}: {now.Failure?.Detail}), not {state}.");
            return null;
        },
        Patience,
        $"the export is {state}");

    /// <summary>The whole feed.</summary>
    public async Task<IReadOnlyList<BulkEvent>> FeedAsync()
    {
        var events = new List<BulkEvent>();
        for (var after = ""; ;)
        {
            var page = (await Http.GetFromJsonAsync<Page<BulkEvent>>(
                $"/v1/events?limit=1000&after={after}", ClaimCheckJson.Options))!;
            events.AddRange(page.Items);
            if (page.Items.Count < 1000)
                return events;
            after = page.NextCursor;
        }
    }

    /// <summary>Waits for the one event of its type about a batch.</summary>
    public async Task<BulkEvent> EventAsync(Export export, string type) => await Eventually.NotNullAsync(
        async () => (await EventsOfAsync(export)).SingleOrDefault(e => e.Type == EventTypes.ToCloudEventType(type)),
        Patience,
        $"{type} is in the feed");

    public async Task<IReadOnlyList<BulkEvent>> EventsOfAsync(Export export) =>
        [.. (await FeedAsync()).Where(e => e.Subject == export.BatchId.ToString())];

    /// <summary>Fetches everything that the manifest lists, and holds it against what it says: every record
    /// once, in order.</summary>
    public async Task<Manifest> AssertWholeAsync(Export export, int records)
    {
        var manifest = (await Http.GetFromJsonAsync<Manifest>($"/v1/batches/{export.BatchId}/manifest", ClaimCheckJson.Options))!;
        Assert.Equal(records, manifest.Records);
        Assert.Equal(records, manifest.Files.Sum(file => file.Records));
        var next = 1;
        foreach (var file in manifest.Files)
        {
            var bytes = await Http.GetByteArrayAsync(file.Url.Reveal());
            Assert.Equal(file.Bytes, bytes.Length);
            Assert.Equal(file.Sha256, Convert.ToHexStringLower(SHA256.HashData(bytes)));
            foreach (var line in Encoding.UTF8.GetString(bytes).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                using var record = JsonDocument.Parse(line);
                Assert.Equal(next++, record.RootElement.GetProperty("id").GetInt32());
            }
        }

        Assert.Equal(records + 1, next);
        return manifest;
    }

    public void Dispose() => Http.Dispose();
}
