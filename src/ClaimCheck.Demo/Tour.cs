using ClaimCheck.Aws;
using ClaimCheck.Demo.Chapters;

namespace ClaimCheck.Demo;

/// <summary>One run of a chapter: what its steps pass on to each other, and the clean-up at its end.</summary>
internal sealed class Tour(DemoScreen screen) : IAsyncDisposable
{
    private readonly Dictionary<Type, object> known = [];
    private readonly Stack<object> started = [];

    public DemoScreen Screen => screen;

    /// <summary>For showing what is on the wire; it follows no redirect.</summary>
    public HttpClient Wire { get; } = new(new SocketsHttpHandler { AllowAutoRedirect = false, Proxy = SystemProxy.Instance });

    public ServiceProcess Service => Known<ServiceProcess>();

    public ClaimCheckClient Client => Known<ClaimCheckClient>();

    public ConsumerProcess Consumer => Known<ConsumerProcess>();

    public AdapterProcess Adapter => Known<AdapterProcess>();

    public ConsumerSystem ConsumerSystem => Known<ConsumerSystem>();

    public Export Export => Known<Export>();

    /// <summary>The adapter's export, whether requested from it or triggered by itself.</summary>
    public AdapterExport AdapterExport => Known<AdapterExport>();

    /// <summary>Keeps something for later steps, in the place of what was kept of its kind. What can be disposed is, at the
    /// tour's end.</summary>
    public T Keep<T>(T part)
        where T : class
    {
        known[typeof(T)] = part;
        if (part is IAsyncDisposable or IDisposable)
            started.Push(part);
        return part;
    }

    /// <summary>What an earlier step has kept.</summary>
    public T Known<T>()
        where T : class =>
        Find<T>() ?? throw new DemoException($"No earlier step has a {typeof(T).Name}.");

    /// <summary>Null where no step has kept one.</summary>
    public T? Find<T>()
        where T : class =>
        known.GetValueOrDefault(typeof(T)) as T;

    /// <summary>Runs a chapter's steps in turn.</summary>
    /// <returns>The exit code: 0, 1 where a step failed, 130 where the user interrupted it.</returns>
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
                if (Find<ServiceProcess>()?.KeepLog() is { } log)
                    screen.Failure($"The service's log: {log}");
                if (Find<AdapterProcess>()?.KeepLog() is { } adapterLog)
                    screen.Failure($"The adapter's log: {adapterLog}");
                return 1;
            }
        }
        return 0;
    }

    /// <summary>Stops what was started, the last first.</summary>
    public async ValueTask DisposeAsync()
    {
        Wire.Dispose();
        foreach (var part in started)
        {
            if (part is IAsyncDisposable process)
                await process.DisposeAsync();
            else
                ((IDisposable)part).Dispose();
        }
    }
}
