using Polly;
using Polly.Retry;

namespace ClaimCheck.Adapter.Locations;

/// <summary>
/// Retries each call where its failure may be transient, a limited number of times, with delays that double, and jitter.
/// </summary>
internal sealed class RetriedLocation(ISharedLocation location, LocationOptions options, TimeProvider time) : ISharedLocation
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly ResiliencePipeline pipeline = options.MaxAttempts == 1
        ? ResiliencePipeline.Empty
        : new ResiliencePipelineBuilder { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions
            {
                ShouldHandle = new PredicateBuilder().Handle<LocationException>(e => e.IsTransient),
                MaxRetryAttempts = options.MaxAttempts - 1,
                BackoffType = DelayBackoffType.Exponential,
                Delay = options.RetryDelay,
                MaxDelay = LongestPause,
                UseJitter = true,
            })
            .Build();

    public string Name => location.Name;

    public bool CanList => location.CanList;

    public Task CheckAsync(CancellationToken cancellationToken) => RunAsync(location.CheckAsync, cancellationToken);

    public Task WriteAsync(
        string path, Func<CancellationToken, Task<Stream>> open, long bytes, ReadOnlyMemory<byte> sha256,
        CancellationToken cancellationToken) =>
        RunAsync(token => location.WriteAsync(path, open, bytes, sha256, token), cancellationToken);

    public Task<Holding> HoldsAsync(string path, long bytes, ReadOnlyMemory<byte> sha256, CancellationToken cancellationToken) =>
        RunAsync(token => location.HoldsAsync(path, bytes, sha256, token), cancellationToken);

    public Task<byte[]?> ReadAsync(string path, CancellationToken cancellationToken) =>
        RunAsync(token => location.ReadAsync(path, token), cancellationToken);

    public Task<IReadOnlyList<StoredFile>> ListAsync(string folder, CancellationToken cancellationToken) =>
        RunAsync(token => location.ListAsync(folder, token), cancellationToken);

    public Task DeleteAsync(string folder, IReadOnlyCollection<string> names, CancellationToken cancellationToken) =>
        RunAsync(token => location.DeleteAsync(folder, names, token), cancellationToken);

    public Task DeleteFolderAsync(string folder, CancellationToken cancellationToken) =>
        RunAsync(token => location.DeleteFolderAsync(folder, token), cancellationToken);

    public Task CleanAsync(string folder, TimeSpan lease, CancellationToken cancellationToken) =>
        RunAsync(token => location.CleanAsync(folder, lease, token), cancellationToken);

    public Task<string?> LinkAsync(string path, TimeSpan lifetime, CancellationToken cancellationToken) =>
        RunAsync(token => location.LinkAsync(path, lifetime, token), cancellationToken);

    public ValueTask DisposeAsync() => location.DisposeAsync();

    private Task RunAsync(Func<CancellationToken, Task> call, CancellationToken cancellationToken) =>
        pipeline.ExecuteAsync(static async (call, token) => await call(token), call, cancellationToken).AsTask();

    private Task<T> RunAsync<T>(Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken) =>
        pipeline.ExecuteAsync(static async (call, token) => await call(token), call, cancellationToken).AsTask();
}
