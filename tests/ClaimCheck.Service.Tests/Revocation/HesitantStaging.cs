using System.Runtime.CompilerServices;
using ClaimCheck.Service.Staging;

namespace ClaimCheck.Service.Tests.Revocation;

/// <summary>
/// A real staging that pauses for a random moment, or where a test says so, before it does what it is asked to: races that
/// happen once a month happen within seconds.
/// </summary>
internal sealed class HesitantStaging(IStaging inner, int? seed) : IStaging
{
    private readonly Lock gate = new();
    private readonly Random random = new(seed ?? 0);

    /// <summary>Awaited before each call, by its name and the key or prefix it is about.</summary>
    public Func<string, string, Task>? Before { get; set; }

    /// <summary>What becomes of a link before it is handed out; for example one of a long session token.</summary>
    public Func<SignedLink, SignedLink> Signed { get; set; } = static link => link;

    public async Task<StagedMultipartUpload> BeginAsync(string key, StagedContent content, CancellationToken cancellationToken)
    {
        await PauseAsync("begin", key);
        return await inner.BeginAsync(key, content, cancellationToken);
    }

    public StagedWriter OpenWriter(StagedMultipartUpload upload) => new Writer(this, inner.OpenWriter(upload));

    public async Task<bool> AbortAsync(StagedMultipartUpload upload, CancellationToken cancellationToken)
    {
        await PauseAsync("abort", upload.Key);
        return await inner.AbortAsync(upload, cancellationToken);
    }

    public async IAsyncEnumerable<StagedMultipartUpload> ListUploadsAsync(
        string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await PauseAsync("list uploads", prefix);
        await foreach (var upload in inner.ListUploadsAsync(prefix, cancellationToken))
            yield return upload;
    }

    public async IAsyncEnumerable<StagedObject> ListAsync(
        string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await PauseAsync("list", prefix);
        await foreach (var found in inner.ListAsync(prefix, cancellationToken))
            yield return found;
    }

    public async Task DeleteAsync(IReadOnlyCollection<StagedObject> objects, CancellationToken cancellationToken)
    {
        await PauseAsync("delete", objects.First().Key);
        await inner.DeleteAsync(objects, cancellationToken);
    }

    public Task<Stream> OpenReadAsync(string key, long offset, long length, CancellationToken cancellationToken) =>
        inner.OpenReadAsync(key, offset, length, cancellationToken);

    public async Task<SignedLink> SignAsync(
        string key, TimeSpan lifetime, LinkAudience audience, string method, CancellationToken cancellationToken)
    {
        await PauseAsync("sign", key);
        return Signed(await inner.SignAsync(key, lifetime, audience, method, cancellationToken));
    }

    public Task CheckAsync(CancellationToken cancellationToken) => inner.CheckAsync(cancellationToken);

    private async Task PauseAsync(string call, string about)
    {
        if (Before is { } before)
            await before(call, about);
        if (seed is null)
            return;
        int dice;
        lock (gate)
            dice = random.Next(100);
        if (dice < 20)
            await Task.Yield();
        else if (dice < 40)
            await Task.Delay(dice % 8);
    }

    private sealed class Writer(HesitantStaging owner, StagedWriter writer) : StagedWriter(writer.Upload)
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
            writer.WriteAsync(bytes, cancellationToken);

        public override async Task CompleteAsync(CancellationToken cancellationToken)
        {
            await owner.PauseAsync("complete", Upload.Key);
            await writer.CompleteAsync(cancellationToken);
        }

        public override ValueTask DisposeAsync() => writer.DisposeAsync();
    }
}
