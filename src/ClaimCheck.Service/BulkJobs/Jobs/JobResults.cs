using System.Text.Encodings.Web;
using ClaimCheck.Service.BulkJobs.Bodies;

namespace ClaimCheck.Service.BulkJobs.Jobs;

/// <summary>Writes a job's results: one line for each processed item. Disposed before completion, it leaves nothing
/// behind.</summary>
internal sealed class JobResults : IAsyncDisposable
{
    private const int FlushBytes = 256 << 10;
    private static readonly JsonWriterOptions Readable =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private readonly StagedWriter staged;
    private readonly ArrayBufferWriter<byte> buffer = new(FlushBytes * 2);
    private readonly Utf8JsonWriter writer;

    /// <param name="staged">Disposed with these results.</param>
    public JobResults(StagedWriter staged) => (this.staged, writer) = (staged, new(buffer, Readable));

    public string Key => staged.Upload.Key;

    /// <param name="items">In order.</param>
    /// <param name="failures">Those of these items that failed, in order.</param>
    public async ValueTask AddAsync(
        IEnumerable<JobItem> items, IReadOnlyList<ItemFailure> failures, CancellationToken cancellationToken)
    {
        var next = 0;
        foreach (var item in items)
        {
            Write(item, next < failures.Count && failures[next].Index == item.Index ? failures[next++] : null);
            if (buffer.WrittenCount >= FlushBytes)
                await FlushAsync(cancellationToken);
        }
    }

    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        await FlushAsync(cancellationToken);
        await staged.CompleteAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await writer.DisposeAsync();
        await staged.DisposeAsync();
    }

    private void Write(JobItem item, ItemFailure? failure)
    {
        writer.Reset(buffer);
        writer.WriteStartObject();
        writer.WriteNumber("index"u8, item.Index);
        writer.WriteString("key"u8, item.Key);
        writer.WriteString("status"u8, failure is null ? "succeeded"u8 : "failed"u8);
        if (failure is not null)
        {
            writer.WriteString("class"u8, failure.Class);
            writer.WriteString("code"u8, failure.Code);
            writer.WriteString("message"u8, failure.Message);
        }

        writer.WriteEndObject();
        writer.Flush();
        buffer.GetSpan(1)[0] = (byte)'\n';
        buffer.Advance(1);
    }

    private async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        if (buffer.WrittenCount == 0)
            return;
        await staged.WriteAsync(buffer.WrittenMemory, cancellationToken);
        buffer.ResetWrittenCount();
    }
}
