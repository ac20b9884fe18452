using System.Collections.Concurrent;
using ClaimCheck.Service.Staging;

namespace ClaimCheck.Service.Tests.Exporting;

/// <summary>Keeps what is completed in memory, and counts what is left open.</summary>
internal sealed class StagedObjects
{
    private int open;

    public ConcurrentDictionary<string, byte[]> Complete { get; } = new();

    public ConcurrentDictionary<string, StagedContent> Contents { get; } = new();

    /// <summary>Writers neither completed nor disposed.</summary>
    public int Open => open;

    /// <summary>Called before each write with the object's name.</summary>
    public Func<string, CancellationToken, Task> BeforeWrite { get; init; } = (_, _) => Task.CompletedTask;

    public Task<StagedWriter> OpenAsync(string name, StagedContent content, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Assert.True(Contents.TryAdd(name, content), $"{name} was opened twice.");
        Interlocked.Increment(ref open);
        return Task.FromResult<StagedWriter>(new Writer(this, name));
    }

    private sealed class Writer(StagedObjects owner, string name) : StagedWriter(new StagedMultipartUpload(name, "upload"))
    {
        private readonly MemoryStream bytes = new();
        private bool isOver;

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
        {
            await owner.BeforeWrite(name, cancellationToken);
            this.bytes.Write(bytes.Span);
        }

        public override Task CompleteAsync(CancellationToken cancellationToken)
        {
            Assert.False(isOver);
            Assert.True(owner.Complete.TryAdd(name, bytes.ToArray()));
            End();
            return Task.CompletedTask;
        }

        public override ValueTask DisposeAsync()
        {
            End();
            return ValueTask.CompletedTask;
        }

        private void End()
        {
            if (!isOver)
                Interlocked.Decrement(ref owner.open);
            isOver = true;
        }
    }
}
