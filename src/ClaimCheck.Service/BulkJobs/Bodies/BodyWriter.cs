using System.Buffers.Binary;
using System.Text.Encodings.Web;

namespace ClaimCheck.Service.BulkJobs.Bodies;

/// <summary>Stores items as a job's workers read them: one JSON line each, in blocks of whole lines, with an index of where each
/// block begins. Writes into staging, or into memory for inline items.</summary>
internal sealed class BodyWriter(StagedWriter? staged) : IDisposable
{
    public const int BlockBytes = 256 << 10;

    private static readonly JsonWriterOptions Readable =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private readonly ArrayBufferWriter<byte> block = new(BlockBytes + (BlockBytes / 4));
    private readonly ArrayBufferWriter<byte> index = new();
    private readonly IncrementalHash digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private Utf8JsonWriter? writer;
    private long firstOfBlock;

    public long Items { get; private set; }

    public long Invalid { get; private set; }

    public long Bytes { get; private set; }

    /// <summary>For each block its offset and the index of its first item, as two big-endian numbers.</summary>
    public ReadOnlyMemory<byte> Index => index.WrittenMemory;

    /// <summary>The bytes of inline items. Valid after <see cref="FlushAsync"/>.</summary>
    public ReadOnlyMemory<byte> Inline => staged is null ? block.WrittenMemory : default;

    /// <summary>The SHA-256 of all items as they are stored: two bodies with the same meaning have the same digest. Call it once,
    /// after <see cref="FlushAsync"/>.</summary>
    public byte[] Digest() => digest.GetHashAndReset();

    public void Dispose()
    {
        digest.Dispose();
        writer?.Dispose();
    }

    public ValueTask AddAsync(JobItem item, CancellationToken cancellationToken)
    {
        Write(item);
        Items++;
        return staged is not null && block.WrittenCount >= BlockBytes ? FlushAsync(cancellationToken) : ValueTask.CompletedTask;
    }

    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        if (block.WrittenCount == 0)
            return;
        BinaryPrimitives.WriteInt64BigEndian(index.GetSpan(16), Bytes);
        BinaryPrimitives.WriteInt64BigEndian(index.GetSpan(16)[8..], firstOfBlock);
        index.Advance(16);
        digest.AppendData(block.WrittenSpan);
        Bytes += block.WrittenCount;
        firstOfBlock = Items;
        if (staged is null)
            return;
        await staged.WriteAsync(block.WrittenMemory, cancellationToken);
        block.ResetWrittenCount();
    }

    private void Write(JobItem item)
    {
        writer ??= new Utf8JsonWriter(block, Readable);
        writer.Reset(block);
        if (item.Values is { } values)
        {
            writer.WriteStartArray();
            foreach (var value in values)
                writer.WriteStringValue(value);
            writer.WriteEndArray();
        }
        else
        {
            Invalid++;
            writer.WriteStartObject();
            writer.WriteString("key"u8, item.Key);
            writer.WriteString("reason"u8, item.Invalid);
            writer.WriteEndObject();
        }

        writer.Flush();
        block.GetSpan(1)[0] = (byte)'\n';
        block.Advance(1);
    }

    /// <summary>Parses what <see cref="Write"/> wrote.</summary>
    public static JobItem Read(long index, ReadOnlySpan<byte> line, int parameters, int keyPlace)
    {
        var reader = new Utf8JsonReader(line);
        reader.Read();
        if (reader.TokenType == JsonTokenType.StartArray)
        {
            var values = new string?[parameters];
            for (var place = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; place++)
                values[place] = reader.GetString();
            return new(index, values[keyPlace], values, null);
        }

        var invalid = JsonElement.Parse(line);
        return new(index, invalid.GetProperty("key").GetString(), null, invalid.GetProperty("reason").GetString());
    }
}
