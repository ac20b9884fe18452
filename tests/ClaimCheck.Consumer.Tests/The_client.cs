using System.Text.Json;
using ClaimCheck.Consumer.Tests.Staging;
using ClaimCheck.Contracts;
using Microsoft.AspNetCore.Http;

namespace ClaimCheck.Consumer.Tests;

public class The_client
{
    [Theory]
    [InlineData(401, "unauthorized", typeof(AccessDeniedException), false)]
    [InlineData(403, "foreign_origin", typeof(AccessDeniedException), false)]
    [InlineData(404, "not_found", typeof(NotFoundException), false)]
    [InlineData(409, "not_ready", typeof(BatchNotReadyException), true)]
    [InlineData(410, "batch_revoked", typeof(BatchRevokedException), false)]
    [InlineData(410, "batch_expired", typeof(BatchExpiredException), false)]
    [InlineData(410, "export_cancelled", typeof(ExportCancelledException), false)]
    [InlineData(410, "export_failed", typeof(ExportFailedException), false)]
    [InlineData(410, "cursor_expired", typeof(CursorExpiredException), false)]
    [InlineData(422, "validation_failed", typeof(RequestRejectedException), false)]
    [InlineData(503, "source_unavailable", typeof(ServiceUnavailableException), true)]
    public async Task Each_refusal_is_an_exception_of_its_own(int status, string code, Type expected, bool isTransient)
    {
        await using var server = await StagingServer.StartAsync(Order.Batch(1));
        server.Answer = _ => StagingServer.Problem(status, code);
        using var client = server.Client();

        var failure = (ClaimCheckException)await Assert.ThrowsAsync(expected, () => client.GetBatchAsync(BatchId.New()));

        Assert.Equal((code, isTransient), (failure.Code, failure.IsTransient));
    }

    [Fact]
    public async Task What_is_transient_is_tried_again_with_the_same_idempotency_key()
    {
        await using var server = await StagingServer.StartAsync(Order.Batch(1));
        var tries = 0;
        server.Answer = _ => Interlocked.Increment(ref tries) < 3
            ? StagingServer.Problem(503, "catalog_unavailable")
            : Results.Json(Export(), ClaimCheckJson.Options, statusCode: 202);
        using var client = server.Client();

        var export = await client.CreateExportAsync(new ExportRequest { Dataset = "orders" }, wait: TimeSpan.FromSeconds(2));

        Assert.Equal("running", export.State);
        Assert.Equal(3, server.Calls.Count);
        Assert.Single(server.Calls.Select(call => call.Headers["Idempotency-Key"].ToString()).Distinct());
        Assert.All(server.Calls, call => Assert.Equal("wait=2", call.Headers["Prefer"].ToString()));
    }

    [Fact]
    public async Task A_redirect_of_the_service_is_not_followed_with_the_key()
    {
        await using var elsewhere = await StagingServer.StartAsync(Order.Batch(1));
        await using var server = await StagingServer.StartAsync(Order.Batch(1));
        server.Answer = _ => Results.Redirect($"{elsewhere.Address}/v1/datasets");
        using var client = server.Client(key: "a-key-of-this-test");

        await Assert.ThrowsAnyAsync<ClaimCheckException>(() => client.GetDatasetsAsync());

        Assert.Empty(elsewhere.Calls);
    }

    [Fact]
    public async Task A_service_that_is_not_there_is_a_transient_failure_without_the_key_in_its_text()
    {
        using var client = new ClaimCheckClient(new ClaimCheckClientOptions
        {
            BaseAddress = new Uri("http://127.0.0.1:1/"),
            ApiKey = "a-key-of-this-test",
            RetryDelay = TimeSpan.FromMilliseconds(1),
        });

        var failure = await Assert.ThrowsAsync<ServiceUnavailableException>(() => client.GetDatasetsAsync());

        Assert.DoesNotContain("a-key", failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Following_the_feed_waits_outages_out_and_its_cursors_miss_nothing()
    {
        await using var server = await StagingServer.StartAsync(Order.Batch(1));
        var events = Enumerable.Range(0, 4).Select(_ => Event()).ToArray();
        var calls = 0;
        server.Answer = context => Interlocked.Increment(ref calls) switch
        {
            1 => Page(events[..2], "c2"),
            <= 6 => StagingServer.Problem(503, "catalog_unavailable"),
            _ => context.Request.Query["after"] == "c2" ? Page(events[2..], "c4") : Results.NotFound(),
        };
        using var client = server.Client();

        var followed = await client.FollowEventsAsync("c0").Take(4).ToListAsync();

        Assert.Equal(events.Select(each => each.Id), followed.Select(each => each.Event.Id));
        Assert.Equal(["c0", "c2", "c2", "c4"], followed.Select(each => each.Cursor));

        static IResult Page(BulkEvent[] items, string next) =>
            Results.Json(new Page<BulkEvent>(items, next), ClaimCheckJson.Options);
    }

    [Fact]
    public async Task A_revocation_says_whether_it_is_verified()
    {
        await using var server = await StagingServer.StartAsync(Order.Batch(1));
        var batch = BatchId.New();
        var report = new RevocationReport
        {
            BatchId = batch,
            State = "revoked",
            Objects = new(1, 0, 0),
            Probes = [],
            Redeemed = [],
            Cascaded = [],
        };
        server.Answer = _ => Results.Json(report, ClaimCheckJson.Options, statusCode: 202);
        using var client = server.Client();

        Assert.False((await client.RevokeAsync(batch, "wrong & late")).IsVerified);
        report = report with { VerifiedAt = DateTimeOffset.UnixEpoch };
        Assert.True((await client.RevokeAsync(batch)).IsVerified);

        Assert.Equal($"/v1/batches/{batch}?reason=wrong%20%26%20late", server.Calls.First().Path);
    }

    [Fact]
    public void Options_that_can_not_work_say_the_value_the_rule_and_the_consequence()
    {
        var relative = Assert.Throws<ArgumentException>(() => new ClaimCheckClient(new Uri("ftp://example.org")));
        Assert.StartsWith("ClaimCheckClientOptions.BaseAddress is ftp:, but must be an absolute http or https address: ",
            relative.Message, StringComparison.Ordinal);

        var key = Assert.Throws<ArgumentException>(() => new ClaimCheckClient(
            new ClaimCheckClientOptions { BaseAddress = new Uri("http://localhost"), ApiKey = "two words" }));
        Assert.DoesNotContain("two words", key.ToString(), StringComparison.Ordinal);

        using var client = new ClaimCheckClient(new Uri("http://localhost"));
        var blocks = Assert.Throws<ArgumentException>(
            () => new BatchReader(client, new BatchReaderOptions { MaxBlockBytes = 1 }));
        Assert.StartsWith(
            "BatchReaderOptions.MaxBlockBytes is 1, but must be 64 KiB to 1 GiB: ", blocks.Message, StringComparison.Ordinal);
    }

    private static BulkEvent Event() => new()
    {
        Id = EventId.New(),
        Type = "claimcheck.bulk.revoked.v1",
        Source = "/v1/exports/x",
        Subject = "x",
        Time = DateTimeOffset.UnixEpoch,
        Data = JsonDocument.Parse("{}").RootElement,
    };

    private static Export Export() => new()
    {
        ExportId = ExportId.New(),
        BatchId = BatchId.New(),
        State = "running",
        Dataset = "orders",
        SchemaVersion = 1,
        Criteria = JsonDocument.Parse("{}").RootElement,
        Format = "csv",
        Compression = "gzip",
        Progress = new(0, 0, 0, null),
        CreatedAt = DateTimeOffset.UnixEpoch,
        Links = new("self", "batch", "manifest", null, null),
    };
}
