using System.Collections.Concurrent;
using System.Text.Json;
using ClaimCheck.Consumer.Tests.Staging;
using ClaimCheck.Contracts;
using Microsoft.AspNetCore.Http;

namespace ClaimCheck.Consumer.Tests.Handling;

/// <summary>The service as a consumer sees it: feed, state, claim URL and receipts of one batch, kept to the contract.</summary>
internal sealed class TestService : IAsyncDisposable
{
    private readonly List<BulkEvent> feed = [];
    private readonly ConcurrentDictionary<(BatchId, string), ReceiptReport> receipts = new();
    private readonly ConcurrentDictionary<(BatchId, string), ConcurrentDictionary<string, RecordFailure>> failures = new();

    private TestService(StagingServer server) => Server = server;

    public StagingServer Server { get; }

    public BatchId BatchId => Server.Batch.BatchId;

    /// <summary>Every receipt that was taken, in turn.</summary>
    public ConcurrentQueue<ReceiptReport> Told { get; } = new();

    /// <summary>Every retry that was asked for.</summary>
    public ConcurrentQueue<BatchId> Retries { get; } = new();

    /// <summary>What the service answers instead, where it is not null.</summary>
    public Func<HttpRequest, IResult?> Instead { get; set; } = _ => null;

    public static async Task<TestService> StartAsync(StagedTestBatch batch)
    {
        var service = new TestService(await StagingServer.StartAsync(batch));
        service.Server.Answer = service.Answer;
        return service;
    }

    public void Publish(params BulkEvent[] events)
    {
        lock (feed)
            feed.AddRange(events);
    }

    public BulkEvent Ready() => Listening.TestEvents.Ready(BatchId, records: Server.Batch.Rows.Count);

    public ReceiptReport? Receipt(string consumer) => receipts.GetValueOrDefault((BatchId, consumer));

    public IReadOnlyList<RecordFailure> Failures(string consumer) =>
        failures.TryGetValue((BatchId, consumer), out var all)
            ? [.. all.Values.OrderBy(each => each.Key, StringComparer.Ordinal)]
            : [];

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    private IResult Answer(HttpContext context)
    {
        var request = context.Request;
        if (Instead(request) is { } other)
            return other;
        var body = (string)context.Items["body"]!; // read by who counts the calls
        return (request.Method, request.Path.Value!.Split('/')[2..]) switch
        {
            ("GET", ["events"]) => Feed(request.Query["after"].ToString()),
            ("PUT", ["batches", var batch, "receipts", var consumer]) =>
                Put(Id(batch), consumer, JsonSerializer.Deserialize<ReceiptReport>(body, ClaimCheckJson.Options)!),
            ("POST", ["batches", var batch, "receipts", var consumer, "failures"]) => Post(Id(batch), consumer, body),
            ("POST", ["batches", var batch, "retries"]) => Retry(Id(batch), body),
            _ => Results.NotFound(),
        };
    }

    private static BatchId Id(string text) =>
        BatchId.TryParse(text, out var id) ? id : throw new ArgumentException("Not an id.", nameof(text));

    private IResult Feed(string after)
    {
        var position = after.Length == 0 ? 0 : int.Parse(after);
        lock (feed)
        {
            var items = feed.Skip(position).Take(5).ToList();
            return Results.Json(new Page<BulkEvent>(items, $"{position + items.Count}"), ClaimCheckJson.Options);
        }
    }

    private IResult Put(BatchId batch, string consumer, ReceiptReport report)
    {
        var before = receipts.GetValueOrDefault((batch, consumer));
        if (before is not null && ReceiptState.IsEnd(before.State) && report.State != before.State
            && report.State != ReceiptState.Discarded)
            return StagingServer.Problem(409, "receipt_ended");
        if (ReceiptState.IsEnd(report.State) && report.State != ReceiptState.Discarded)
        {
            var listed = failures.TryGetValue((batch, consumer), out var all) ? all.Values : [];
            if (report.Succeeded + report.Transient + report.Terminal != Server.Batch.Rows.Count
                || listed.Count(each => each.Class == FailureClass.Transient) != report.Transient
                || listed.Count(each => each.Class == FailureClass.Terminal) != report.Terminal)
                return StagingServer.Problem(422, "counts_do_not_add_up");
        }
        receipts[(batch, consumer)] = report;
        Told.Enqueue(report);
        return Results.Json(Shown(batch, consumer, report), ClaimCheckJson.Options);
    }

    private IResult Post(BatchId batch, string consumer, string body)
    {
        var all = failures.GetOrAdd((batch, consumer), _ => new(StringComparer.Ordinal));
        foreach (var line in body.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var failure = JsonSerializer.Deserialize<RecordFailure>(line, ClaimCheckJson.Options)!;
            all[failure.Key] = failure;
        }
        return Results.Json(new { }, ClaimCheckJson.Options);
    }

    private IResult Retry(BatchId batch, string body)
    {
        var consumer = JsonSerializer.Deserialize<ConsumerRequest>(body, ClaimCheckJson.Options)!.Consumer;
        if (receipts.GetValueOrDefault((batch, consumer)) is not { Transient: > 0 })
            return StagingServer.Problem(409, "nothing_to_retry");
        Retries.Enqueue(batch);
        return Results.Json(Running(batch), ClaimCheckJson.Options, statusCode: 202);
    }

    private static Export Running(BatchId retryOf) => new()
    {
        ExportId = ExportId.New(),
        BatchId = BatchId.New(),
        State = ExportState.Pending,
        Dataset = "orders",
        SchemaVersion = 1,
        Criteria = JsonDocument.Parse("{}").RootElement,
        Format = "csv",
        Compression = "gzip",
        Progress = new(0, 0, 0, null),
        CreatedAt = DateTimeOffset.UnixEpoch,
        RetryOf = retryOf,
        Links = new("self", "batch", "manifest", null, null),
    };

    private static Receipt Shown(BatchId batch, string consumer, ReceiptReport report) => new()
    {
        BatchId = batch,
        Consumer = consumer,
        State = report.State,
        Succeeded = report.Succeeded,
        Transient = report.Transient,
        Terminal = report.Terminal,
        Checkpoint = report.Checkpoint,
        Links = new("self", "failures", "batch", null, null),
    };
}
