using System.Net.Http.Headers;

namespace ClaimCheck.Import.Sending;

/// <summary>The body of a call: written directly from the batch, byte for byte the same at each try.</summary>
internal sealed class ItemsContent : HttpContent
{
    private static readonly byte[] Comma = [.. ","u8];
    private static readonly byte[] End = [.. "]}"u8];

    private readonly byte[] begin;
    private readonly IReadOnlyList<ReadOnlyMemory<byte>> items;

    /// <param name="operation">The operation for the items, where the contract has such a field.</param>
    /// <param name="items">Each a JSON object.</param>
    public ItemsContent(string? operation, IReadOnlyList<ReadOnlyMemory<byte>> items)
    {
        begin = Encoding.UTF8.GetBytes(
            operation is null ? "{\"items\":[" : $"{{\"operation\":{JsonSerializer.Serialize(operation)},\"items\":[");
        this.items = items;
        Headers.ContentType = new MediaTypeHeaderValue("application/json");
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(
        Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(begin, cancellationToken);
        for (var i = 0; i < items.Count; i++)
        {
            if (i > 0)
                await stream.WriteAsync(Comma, cancellationToken);
            await stream.WriteAsync(items[i], cancellationToken);
        }
        await stream.WriteAsync(End, cancellationToken);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = begin.Length + End.Length + Math.Max(0, items.Count - 1) + items.Sum(item => (long)item.Length);
        return true;
    }
}
