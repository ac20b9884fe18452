using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text.Json;
using Amazon.Runtime;
using ClaimCheck.Aws.SimpleNotificationService;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Catalog;
using ClaimCheck.Service.Publishing;
using ClaimCheck.Service.Tests.Revocation;
using ClaimCheck.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace ClaimCheck.Service.Tests.Publishing;

/// <summary>Every event is sent to the topic; one that can't be sent delays only those of its own batch, which
/// wait behind it.</summary>
[SuppressMessage("Design", "CA1001", Justification = "DisposeAsync disposes it; xunit calls that.")]
public sealed class Relaying_to_the_topic : IAsyncLifetime
{
    private const string Topic = "arn:aws:sns:eu-central-1:000000000000:bulk-events";
    private readonly EventSubject one = new(ExportId.New().Value, BatchId.New().Value, "default", "items");
    private readonly EventSubject other = new(ExportId.New().Value, BatchId.New().Value, "default", "items");
    private readonly Lock gate = new();
    private readonly List<int> taken = [];
    private readonly List<int> sizes = [];
    private Func<int, Refusal> answer = _ => Refusal.None;
    private RevocationLab lab = null!;
    private WebApplication sns = null!;
    private TopicRelay relay = null!;
    private long head;

    private enum Refusal
    {
        None,
        Entry,
        Call,
    }

    public async Task InitializeAsync()
    {
        lab = await RevocationLab.StartAsync(loops: false);
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        sns = builder.Build();
        sns.MapPost("/", PublishAsync);
        await sns.StartAsync();
        var options = new PublishingOptions { TopicArn = Topic };
        var client = new AmazonSimpleNotificationServiceClient(new()
        {
            ServiceUrl = new(sns.Urls.Single()),
            Region = "eu-central-1",
            Credentials = new BasicAWSCredentials("test", "test"),
            MaxAttempts = 1,
        });
        var publisher = new TopicPublisher(
            client, new TopicMessages(lab.Get<FreshEvents>(), options), options, lab.Get<ILogger<TopicPublisher>>());
        relay = new(lab.Catalog, publisher, new TopicQueue(options), lab.Get<CatalogSignals>(), lab.Get<ILogger<TopicRelay>>());
        await relay.StartAsync(default);
        await Eventually.TrueAsync(async () =>
            (await lab.QueryAsync<long>("SELECT count(*) FROM feed_relays WHERE name = @Topic", new { Topic }))[0] == 1);
    }

    public async Task DisposeAsync()
    {
        await relay.StopAsync(default);
        relay.Dispose();
        await sns.DisposeAsync();
        await lab.DisposeAsync();
    }

    [Fact]
    public async Task An_event_that_the_topic_never_takes_is_set_aside_and_keeps_no_other()
    {
        answer = number => number == 666 ? Refusal.Call : Refusal.None;

        await AddAsync((one, 1), (other, 666), (one, 2), (other, 3));

        await TakenAsync(1, 2, 3);
        var aside = await lab.QueryAsync<string>("SELECT reason FROM topic_waiting WHERE next_try_at IS NULL");
        Assert.Contains("InvalidParameter", Assert.Single(aside), StringComparison.Ordinal);
        Assert.Contains(
            lab.Log.Lines, line => line.Contains("is set aside: the topic will never accept it", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_event_that_fails_for_now_lets_other_batches_pass_and_its_own_wait()
    {
        var away = true;
        answer = number => number == 7 && Volatile.Read(ref away) ? Refusal.Entry : Refusal.None;

        await AddAsync((other, 7), (one, 1), (other, 8), (one, 2), (other, 9));

        await TakenAsync(1, 2);
        Volatile.Write(ref away, false);
        await TakenAsync(1, 2, 7, 8, 9);
        await Eventually.TrueAsync(async () => (await lab.QueryAsync<long>("SELECT count(*) FROM topic_waiting"))[0] == 0);
        await AddAsync((other, 10));
        await TakenAsync(1, 2, 7, 8, 9, 10);
    }

    [Fact]
    public async Task Events_that_an_earlier_version_wrote_too_large_are_cut_as_they_go()
    {
        await AddAsync((one, 1), (other, 2), (one, 3));
        await TakenAsync(1, 2, 3);
        await AddAsync(
            "json_build_object('exportId', 'x', 'number', @number, 'failure', json_build_object('code', 'schema_changed', "
            + "'detail', repeat('c', 288000)))",
            (one, 4), (other, 5), (one, 6));

        await TakenAsync(1, 2, 3, 4, 5, 6);
        lock (gate)
            Assert.All(sizes, size => Assert.True(size < 8 << 10));
        var page = await lab.Get<EventFeed>().ReadAsync(RevocationLab.Caller, new(0, null), 10, default);
        Assert.All(page!.Events, item => Assert.True(EventSize.Of(item.Event) <= EventSize.Most));
    }

    [Fact]
    public async Task A_catalog_that_is_restored_under_the_relay_loses_no_event_of_its_own()
    {
        await AddAsync((one, 1), (other, 2), (one, 3));
        await TakenAsync(1, 2, 3);
        await Eventually.TrueAsync(async () =>
            (await lab.QueryAsync<long>("SELECT position FROM feed_relays WHERE name = @Topic", new { Topic }))[0] == 3);

        head = 1;
        await lab.SqlAsync(
            "DELETE FROM outbox WHERE position > 1; UPDATE event_feed SET head = 1; UPDATE feed_relays SET position "
            + "= 1 WHERE name = @Topic",
            new { Topic });
        await AddAsync((one, 4));
        await TakenAsync(1, 2, 3, 4);

        // A place of another history goes out again from the oldest that is kept.
        await Eventually.TrueAsync(async () =>
            (await lab.QueryAsync<long>("SELECT position FROM feed_relays WHERE name = @Topic", new { Topic }))[0] == 2);
        await lab.SqlAsync("UPDATE feed_relays SET position = 50 WHERE name = @Topic", new { Topic });
        await TakenAsync(1, 2, 3, 4, 1, 4);
    }

    private Task TakenAsync(params int[] numbers) => Eventually.TrueAsync(() =>
    {
        lock (gate)
            return Task.FromResult(taken.SequenceEqual(numbers));
    });

    private Task AddAsync(params (EventSubject Subject, int Number)[] events) =>
        AddAsync("json_build_object('number', @number)", events);

    // As the outbox's relay would, in one commit.
    private async Task AddAsync(string data, params (EventSubject Subject, int Number)[] events)
    {
        await using var transaction = await Transaction.BeginAsync(lab.Catalog, default);
        foreach (var (subject, number) in events)
        {
            await Dapper.SqlMapper.ExecuteAsync(transaction.Connection, transaction.Command(
                $"""
                INSERT INTO outbox (event_id, export_id, batch_id, tenant, dataset, type, data, traceparent, position, published_at)
                VALUES (gen_random_uuid(), @ExportId, @BatchId, 'default', 'items', 'BulkFailed', {data}, '00-0-0-00', @position, now());
                UPDATE event_feed SET head = @position;
                """,
                new { subject.ExportId, subject.BatchId, number, position = ++head },
                default));
        }

        await transaction.CommitAsync(default);
        await lab.SqlAsync("SELECT pg_notify('claimcheck', 'feed')");
    }

    // PublishBatch as SNS speaks it. The emulators take whatever they get.
    private async Task<IResult> PublishAsync(HttpRequest request)
    {
        var form = await request.ReadFormAsync();
        var entries = new List<(string Id, string Message, int Number)>();
        for (var i = 1; form.TryGetValue($"PublishBatchRequestEntries.member.{i}.Message", out var message); i++)
        {
            var number = JsonElement.Parse(message.ToString()).GetProperty("data").GetProperty("number").GetInt32();
            entries.Add((form[$"PublishBatchRequestEntries.member.{i}.Id"].ToString(), message.ToString(), number));
        }

        if (entries.Exists(entry => answer(entry.Number) == Refusal.Call))
        {
            return Results.Content(
                "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidParameter</Code><Message>no</Message></Error></ErrorResponse>",
                "text/xml",
                statusCode: (int)HttpStatusCode.BadRequest);
        }

        var (done, failed) = ("", "");
        lock (gate)
        {
            foreach (var (id, message, number) in entries)
            {
                if (answer(number) == Refusal.Entry)
                {
                    failed += $"<member><Id>{id}</Id><Code>InternalError</Code><SenderFault>false</SenderFault></member>";
                    continue;
                }

                done += $"<member><Id>{id}</Id><MessageId>m{number}</MessageId></member>";
                taken.Add(number);
                sizes.Add(System.Text.Encoding.UTF8.GetByteCount(message));
            }
        }

        return Results.Content(
            $"<PublishBatchResponse><PublishBatchResult><Successful>{done}</Successful><Failed>"
            + $"{failed}</Failed></PublishBatchResult></PublishBatchResponse>",
            "text/xml");
    }
}
