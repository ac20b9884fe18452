using System.Diagnostics;
using ClaimCheck.Consumer;
using ClaimCheck.Contracts;
using ClaimCheck.Demo.Chapters;
using ClaimCheck.Demo.Consuming;
using ClaimCheck.Demo.Stage;

namespace ClaimCheck.Demo;

/// <summary>One run of a chapter: what its steps hand on to each other, and the clean-up at its end.</summary>
internal sealed class Tour(Screen screen) : IAsyncDisposable
{
    private ServiceProcess? service;
    private ClaimCheckClient? client;
    private Export? export;
    private AwsServers? aws;
    private ConsumerProcess? consumer;

    public Screen Screen => screen;

    public Stopwatch Watch { get; } = Stopwatch.StartNew();

    /// <summary>For what is shown on the wire; it follows no redirect.</summary>
    public HttpClient Wire { get; } = new(new SocketsHttpHandler { AllowAutoRedirect = false });

    public ServiceProcess Service => service ?? throw new DemoException("The service is not started.");

    public ClaimCheckClient Client => client ?? throw new DemoException("The service is not started.");

    /// <summary>S3, SNS and SQS, in the chapter that has them.</summary>
    public AwsServers Aws => aws ?? throw new DemoException("S3, SNS and SQS are not started.");

    /// <summary>The consumer, where it is a process of its own.</summary>
    public ConsumerProcess Consumer => consumer ?? throw new DemoException("The consumer is not started.");

    public Export Export
    {
        get => export ?? throw new DemoException("Nothing was exported.");
        set => export = value;
    }

    /// <summary>The BulkReady of the export, once it came.</summary>
    public BulkReadyData? Ready { get; set; }

    /// <summary>The feed's cursor after it.</summary>
    public string? Cursor { get; set; }

    public long MessageBytes { get; set; }

    public long RecordsRead { get; set; }

    /// <summary>A link that worked while the batch was ready.</summary>
    public Link? FileLink { get; set; }

    /// <summary>Runs a chapter's steps in turn.</summary>
    /// <returns>The exit code: 0, 1 where a step failed, 130 where the person left.</returns>
    public async Task<int> RunAsync(Chapter chapter, CancellationToken cancellationToken)
    {
        screen.Title(chapter.Title);
        for (var number = 1; number <= chapter.Steps.Count; number++)
        {
            var step = chapter.Steps[number - 1];
            screen.Step(number, chapter.Steps.Count, step.Title, step.Explanation);
            try
            {
                await step.RunAsync(this, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                screen.Failure("Stopped.");
                return 130;
            }
            catch (Exception e)
            {
                screen.Failure($"Step {number} ({step.Title}) failed: {e.Message}");
                if (service?.KeepLog() is { } log)
                    screen.Failure($"The service's log: {log}");
                return 1;
            }
        }
        return 0;
    }

    public async Task<ServiceProcess> StartServiceAsync(CancellationToken cancellationToken)
    {
        service = ServiceProcess.Start(aws?.ForService);
        client = new ClaimCheckClient(await service.ListeningAsync(cancellationToken));
        return service;
    }

    public async Task<AwsServers> StartAwsAsync(CancellationToken cancellationToken)
    {
        aws = new AwsServers();
        await aws.StartAsync(cancellationToken);
        return aws;
    }

    public ConsumerProcess StartConsumer() => consumer = ConsumerProcess.Start(Aws, Client.BaseAddress);

    public async ValueTask DisposeAsync()
    {
        Wire.Dispose();
        client?.Dispose();
        if (consumer is not null)
            await consumer.DisposeAsync();
        if (service is not null)
            await service.DisposeAsync();
        if (aws is not null)
            await aws.DisposeAsync();
    }
}
