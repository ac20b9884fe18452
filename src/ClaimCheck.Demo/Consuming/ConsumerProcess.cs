using System.Threading.Channels;

namespace ClaimCheck.Demo.Consuming;

/// <summary>The consumer as a child process: this program again, which only knows a queue and the service.</summary>
internal sealed class ConsumerProcess : IAsyncDisposable
{
    private const int ErrorsKept = 10;
    private readonly Process process;
    private readonly Channel<ConsumerLine> lines = Channel.CreateUnbounded<ConsumerLine>();
    private readonly Queue<string> errors = new();

    private ConsumerProcess(Process process)
    {
        this.process = process;
        process.OutputDataReceived += (_, line) => Hear(line.Data);
        process.ErrorDataReceived += (_, line) => KeepError(line.Data);
    }

    public static ConsumerProcess Start(AwsServers aws, Uri service)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
        };
        start.ArgumentList.Add(typeof(ConsumerProcess).Assembly.Location);
        foreach (var argument in ConsumeCommand.Arguments(aws.Messaging.QueueUrl, service, aws.S3Url.Authority))
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in aws.ForConsumer)
            start.Environment[name] = value;
        var consumer = new ConsumerProcess(new Process { StartInfo = start });
        consumer.process.Start();
        consumer.process.BeginOutputReadLine();
        consumer.process.BeginErrorReadLine();
        return consumer;
    }

    /// <summary>The next line with a word; the others up to it are passed on.</summary>
    public async Task<ConsumerLine> NextAsync(
        string word, TimeSpan patience, CancellationToken cancellationToken, Action<ConsumerLine>? others = null)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(patience);
        try
        {
            await foreach (var line in lines.Reader.ReadAllAsync(deadline.Token))
            {
                if (line.Said == word)
                    return line;
                if (line.Said == ConsumerLine.Words.Failed)
                    throw new DemoException($"The consumer failed: {line.Reason}");
                others?.Invoke(line);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new DemoException($"The consumer did not say '{word}' within {patience.TotalSeconds} seconds.{Errors()}");
        }
        throw new DemoException($"The consumer ended before it said '{word}'.{Errors()}");
    }

    public async ValueTask DisposeAsync()
    {
        await Signals.StopAsync(process, TimeSpan.FromSeconds(10));
        process.Dispose();
    }

    private void Hear(string? line)
    {
        if (line is null)
        {
            lines.Writer.TryComplete();
            return;
        }
        try
        {
            if (ConsumerLine.Parse(line) is { } said)
                lines.Writer.TryWrite(said);
        }
        catch (JsonException)
        {
            KeepError(line);
        }
    }

    private void KeepError(string? line)
    {
        if (line is null)
            return;
        lock (errors)
        {
            errors.Enqueue(line);
            if (errors.Count > ErrorsKept)
                errors.Dequeue();
        }
    }

    private string Errors()
    {
        lock (errors)
            return string.Concat(errors.Select(line => "\n" + line));
    }
}
