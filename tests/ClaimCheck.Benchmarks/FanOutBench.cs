using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using ClaimCheck.Consumer;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Spectre.Console;

namespace ClaimCheck.Benchmarks;

/// <summary>
/// Orders to three consumers: as one claim check that each of them follows, and as messages of a thousand records that each of
/// them receives. From the question to the last consumer's last record; the same servers, the same three queues' worth of work.
/// </summary>
internal static class FanOutBench
{
    private const int Consumers = 3;
    private const int RecordsAMessage = 1_000;
    private const int PartBytes = 8 << 20;

    // List prices of us-east-1, in dollars: aws.amazon.com/sns/pricing, /sqs/pricing, /s3/pricing (standard topics and queues).
    // SNS and SQS count a request for each 64 KiB; what SNS delivers to SQS is free.
    private const int Billed = 64 << 10;
    private const double SnsRequest = 0.50e-6;
    private const double SqsRequest = 0.40e-6;
    private const double S3Write = 5.0e-6;
    private const double S3Read = 0.4e-6;

    public static async Task<IReadOnlyList<Figure>> RunAsync(ExportLab lab, long orders)
    {
        var servers = await QueueEndpoint.GetAsync();
        var links = await LinksAsync(lab, servers, orders);
        var messages = await MessagesAsync(lab, servers, orders);
        Show(links, "links");
        Show(messages, "messages");
        var of = $"{orders:N0} orders to {Consumers} consumers; the same as messages of {RecordsAMessage:N0}";
        return
        [
            Beside(of, links, messages, way => way.Time.TotalSeconds, "0.0 s"),
            Beside("bytes through the queues", links, messages, way => way.QueueBytes, "N0"),
            Beside("billed requests (SNS, SQS, S3)", links, messages, way => way.Requests, "N0"),
            Beside("cost at list prices", links, messages, way => way.Dollars, "$0.000000"),
        ];
    }

    private static async Task<Way> LinksAsync(ExportLab lab, QueueEndpoint servers, long orders)
    {
        var topic = await servers.NewTopicAsync();
        var (s3, bucket) = (await S3Endpoint.GetAsync(), await (await S3Endpoint.GetAsync()).NewBucketAsync());
        var environment = new Dictionary<string, string>(servers.Environment);
        foreach (var (name, value) in s3.Environment)
            environment[name] = value;
        environment["ClaimCheck__Staging__Bucket"] = bucket;
        environment["ClaimCheck__Publishing__TopicArn"] = topic;
        await using var service = await lab.StartServiceAsync(environment);

        var tally = new Tally(orders);
        var hosts = new List<IHost>();
        for (var i = 0; i < Consumers; i++)
        {
            var queue = await servers.NewQueueAsync(topic);
            var builder = Host.CreateApplicationBuilder();
            builder.Logging.ClearProviders();
            builder.Services.AddSingleton(tally);
            builder.Services
                .AddClaimCheckConsumer(options =>
                {
                    options.Service = service.Address;
                    options.Aws = servers.OptionsFor(servers.SqsUrl);
                    options.AllowedLinkHosts.Add(s3.Url.Authority);
                })
                .AddSqsListener<Reader>(queue.Url);
            hosts.Add(builder.Build());
            await hosts[^1].StartAsync();
        }

        var watch = Stopwatch.StartNew();
        var export = await ExportLab.AskAsync(service, orders, "csv", "gzip");
        await tally.AllAsync();
        var time = watch.Elapsed;
        foreach (var host in hosts)
        {
            await host.StopAsync();
            host.Dispose();
        }

        // Each object is begun, sent in parts and completed; each consumer gets the manifest, and each file with its index.
        var files = export.Progress.Files;
        var writes = (files * (2 + Math.Ceiling((double)export.Progress.Bytes / files / PartBytes))) + (files * 3) + 3;
        var reads = Consumers * (1 + (files * 2.0));
        return new(time, tally.QueueBytes, 1, Consumers * 2, writes, reads);
    }

    // Read by the same COPY, published as it comes, received and deleted by ten: what a service without claim checks would do.
    private static async Task<Way> MessagesAsync(ExportLab lab, QueueEndpoint servers, long orders)
    {
        var topic = await servers.NewTopicAsync();
        var queues = new List<TestQueue>();
        for (var i = 0; i < Consumers; i++)
            queues.Add(await servers.NewQueueAsync(topic));
        var watch = Stopwatch.StartNew();
        var receiving = queues.Select(queue => ReceiveAsync(servers, queue, orders)).ToList();
        var published = await PublishAsync(lab, servers, topic, orders);
        var received = await Task.WhenAll(receiving);
        return new(
            watch.Elapsed, received.Sum(consumer => consumer.Bytes), published,
            received.Sum(consumer => consumer.Requests), 0, 0);
    }

    private static async Task<double> PublishAsync(ExportLab lab, QueueEndpoint servers, string topic, long orders)
    {
        await using var connection = new NpgsqlConnection(lab.Source);
        await connection.OpenAsync();
        using var rows = await connection.BeginTextExportAsync(
            $"COPY ({ExportLab.Query(orders.ToString(CultureInfo.InvariantCulture))}) TO STDOUT (FORMAT csv)");
        var requests = 0.0;
        var (text, batch, bytes, count) = (new StringBuilder(), new List<OutgoingMessage>(), 0, 0);
        while (true)
        {
            var row = await rows.ReadLineAsync();
            if (row is not null)
            {
                text.Append(row).Append('\n');
                count++;
            }

            if (count > 0 && (row is null || count == RecordsAMessage))
            {
                var message = new OutgoingMessage(text.ToString());
                var size = Encoding.UTF8.GetByteCount(message.Body);
                if (bytes + size > 256 << 10 || batch.Count == 10)
                    await SendAsync();
                batch.Add(message);
                bytes += size;
                text.Clear();
                count = 0;
            }

            if (row is null)
                break;
        }

        if (batch.Count > 0)
            await SendAsync();
        return requests;

        async Task SendAsync()
        {
            requests += Math.Ceiling((double)bytes / Billed);
            if ((await servers.Sns.PublishBatchAsync(topic, batch)).Failed.Count > 0)
                throw new BenchException("A message was not taken.");
            batch.Clear();
            bytes = 0;
        }
    }

    private static async Task<(long Bytes, double Requests)> ReceiveAsync(QueueEndpoint servers, TestQueue queue, long orders)
    {
        var (bytes, requests, records) = (0L, 0.0, 0L);
        while (records < orders)
        {
            var messages = await servers.Sqs.ReceiveAsync(queue.Url);
            if (messages.Count == 0)
                continue;
            var size = messages.Sum(message => (long)Encoding.UTF8.GetByteCount(message.Body));
            bytes += size;
            requests += Math.Ceiling((double)size / Billed) + 1; // and their deletion
            records += messages.Sum(message => message.Body.AsSpan().Count('\n'));
            await servers.Sqs.DeleteAsync(queue.Url, messages);
        }

        return (bytes, requests);
    }

    private static Figure Beside(string name, Way links, Way messages, Func<Way, double> value, string format)
    {
        var (ours, peer) = (value(links), value(messages));
        return new(
            name, ours.ToString(format, CultureInfo.InvariantCulture), peer.ToString(format, CultureInfo.InvariantCulture),
            ours * 100 < peer ? $"1 : {peer / ours:N0}" : (ours / peer).ToString("0.00", CultureInfo.InvariantCulture),
            "shown", true);
    }

    private static void Show(Way way, string name) =>
        AnsiConsole.MarkupLineInterpolated(
            $"[grey]{name}: {way.Time.TotalSeconds:0.0} s, {way.SnsRequests:N0} SNS, {way.SqsRequests:N0} SQS, {way.S3Writes:N0} + {way.S3Reads:N0} S3 requests[/]");

    private sealed record Way(
        TimeSpan Time, double QueueBytes, double SnsRequests, double SqsRequests, double S3Writes, double S3Reads)
    {
        public double Requests => SnsRequests + SqsRequests + S3Writes + S3Reads;

        public double Dollars =>
            (SnsRequests * SnsRequest) + (SqsRequests * SqsRequest) + (S3Writes * S3Write) + (S3Reads * S3Read);
    }

    private sealed class Tally(long orders)
    {
        private readonly ConcurrentBag<long> bytes = [];
        private readonly TaskCompletionSource all = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public double QueueBytes => bytes.Sum();

        public void Add(long messageBytes, long records)
        {
            if (records != orders)
                all.TrySetException(new BenchException($"A consumer read {records:N0} orders."));
            bytes.Add(messageBytes);
            if (bytes.Count == Consumers)
                all.TrySetResult();
        }

        public Task AllAsync() => all.Task.WaitAsync(TimeSpan.FromMinutes(10));
    }

    private sealed class Reader(Tally tally) : IBatchHandler
    {
        public async Task HandleAsync(BatchContext batch, CancellationToken cancellationToken)
        {
            var records = 0L;
            await foreach (var _ in batch.ReadRecordsAsync(cancellationToken))
                records++;
            tally.Add(System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(batch.Event, ClaimCheckJson.Options).Length, records);
        }
    }
}
