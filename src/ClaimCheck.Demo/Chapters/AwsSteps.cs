namespace ClaimCheck.Demo.Chapters;

/// <summary>The same through S3, SNS and SQS, with a consumer in a process of its own.</summary>
internal static class AwsSteps
{
    public static Step StartAws { get; } = new(
        "Start S3, SNS and SQS",
        "Test servers on this machine (or those that AWS_ENDPOINT_URL names), with a bucket for staging, a topic,\n"
        + "and a queue that is subscribed to it and has a dead letter queue.",
        StartAwsAsync);

    private static async Task StartAwsAsync(Tour tour, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        var aws = tour.Keep(new AwsServers());
        await aws.StartAsync(cancellationToken);
        tour.Screen.Figure("S3", $"{aws.S3Url.GetLeftPart(UriPartial.Authority)}, bucket {aws.Bucket}");
        tour.Screen.Figure("SNS", $"{aws.SnsUrl.GetLeftPart(UriPartial.Authority)}, {aws.Messaging.TopicArn}");
        tour.Screen.Figure("SQS", aws.Messaging.QueueUrl);
        tour.Screen.Good($"ready after {watch.Elapsed.TotalSeconds:0.0} s");
    }

    public static Step StartConsumer { get; } = new(
        "Start a consumer",
        "A process of its own that uses ClaimCheck.Consumer: AddClaimCheckConsumer, AddSqsListener, and a handler that\n"
        + "counts and sums orders. It knows the queue and the service's address.",
        StartConsumerAsync);

    private static async Task StartConsumerAsync(Tour tour, CancellationToken cancellationToken)
    {
        var consumer = tour.Keep(ConsumerProcess.Start(tour.Known<AwsServers>(), tour.Client.BaseAddress));
        var line = await consumer.NextAsync(ConsumerLine.Words.Listening, TimeSpan.FromSeconds(90), cancellationToken);
        tour.Screen.Text($"the consumer: {line}");
        tour.Screen.Good("it listens; this process does not read from the queue");
    }

    public static Step ReceiveMessage { get; } = new(
        "The claim check reaches the consumer",
        "BulkReady goes from the service's outbox to SNS, from there into the queue, and to the handler. It carries a link into\n"
        + "the bucket, not the data. (The event feed has the same event; that is how it is shown here, without the signature.)",
        ReceiveMessageAsync);

    private static async Task ReceiveMessageAsync(Tour tour, CancellationToken cancellationToken)
    {
        var received = await tour.Consumer.NextAsync(ConsumerLine.Words.Received, TimeSpan.FromSeconds(90), cancellationToken);
        tour.Screen.Text($"the consumer: {received}");
        var bulkEvent = await ReadSteps.FindAsync(tour, cancellationToken);
        if (received.EventId != bulkEvent.Id || received.BatchId != tour.Export.BatchId)
            throw new DemoException($"The consumer got event {received.EventId}, but {bulkEvent.Id} was published.");
        tour.Screen.Text(ShownLinks.Of(bulkEvent));
        tour.Screen.Good($"in the handler {received.AfterMilliseconds:0} ms after the batch was ready, over SNS and SQS");
        await ReadSteps.CompareSizesAsync(tour, cancellationToken);
    }

    public static Step ReadElsewhere { get; } = new(
        "The consumer reads the records",
        "From the bucket, through the link, block by block, each verified by its SHA-256, as typed records, in bounded memory.\n"
        + "Its message stays hidden meanwhile. Then its sum over all rows is compared with the source's.",
        ReadElsewhereAsync);

    private static async Task ReadElsewhereAsync(Tour tour, CancellationToken cancellationToken)
    {
        var ready = tour.Known<ReadyEvent>().Data;
        var manifest = tour.Keep(await tour.Client.GetManifestAsync(ready.BatchId, cancellationToken));

        ConsumerLine? read = null;
        await tour.Screen.ProgressAsync("read", async report =>
            read = await tour.Consumer.NextAsync(
                ConsumerLine.Words.Read, TimeSpan.FromMinutes(2), cancellationToken,
                line => report((line.Records ?? 0) / (double)ready.Records, $"{line.Records:N0} records")));
        if (read is not { Records: { } count, Sum: { } sum, Seconds: { } seconds })
            throw new DemoException("The consumer did not report what it read.");
        tour.Screen.Text($"the consumer: {read}");
        tour.Screen.Good(
            $"{count:N0} records in {seconds:0.0} s: {count / seconds:N0} a second, "
            + $"{DemoScreen.Size(manifest.UncompressedBytes / seconds)}/s; the consumer uses "
            + $"{DemoScreen.Size(read.Memory ?? 0)}");
        await ReadSteps.CompareAsync(tour, count, sum, cancellationToken);
    }

    public static Step HearRevocation { get; } = new(
        "The consumer is notified",
        "BulkRevoked takes the same route. A handler that still reads is stopped; then OnRevokedAsync is "
        + "called, to discard what\n"
        + "was read of the batch.",
        HearRevocationAsync);

    private static async Task HearRevocationAsync(Tour tour, CancellationToken cancellationToken)
    {
        var revoked = await tour.Consumer.NextAsync(ConsumerLine.Words.Revoked, TimeSpan.FromSeconds(90), cancellationToken);
        if (revoked.BatchId != tour.Export.BatchId)
            throw new DemoException($"The consumer was notified of {revoked.BatchId}, not of the batch that was revoked.");
        tour.Screen.Text($"the consumer: {revoked}");
        tour.Screen.Good($"its handler knows {revoked.AfterMilliseconds:0} ms after the revocation, over SNS and SQS");
    }
}
