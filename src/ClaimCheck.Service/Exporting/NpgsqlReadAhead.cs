using System.Buffers.Binary;
using System.Reflection;

namespace ClaimCheck.Service.Exporting;

/// <summary>
/// Takes whole COPY messages straight from Npgsql's read buffer. Npgsql hands out one message, which is one row, a call, and
/// that costs as much CPU as the database needs to make the row. Only messages that lie complete in the buffer are taken;
/// all else (filling the buffer, errors, the end) stays Npgsql's. Where a version of Npgsql looks different inside,
/// <see cref="TryOpen"/> answers null and every row goes the official way.
/// </summary>
internal sealed class NpgsqlReadAhead
{
    private const BindingFlags Inside = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
    private const int HeaderBytes = 5; // 'd' and the length of what follows, itself included

    private readonly Stream stream;
    private readonly object readBuffer;
    private readonly FieldInfo leftInMessage;
    private readonly FieldInfo bytes;
    private readonly FieldInfo filled;
    private readonly PropertyInfo position;

    private NpgsqlReadAhead(
        Stream stream, object readBuffer, FieldInfo leftInMessage, FieldInfo bytes, FieldInfo filled, PropertyInfo position)
    {
        this.stream = stream;
        this.readBuffer = readBuffer;
        this.leftInMessage = leftInMessage;
        this.bytes = bytes;
        this.filled = filled;
        this.position = position;
    }

    public static NpgsqlReadAhead? TryOpen(Stream copyStream)
    {
        var left = copyStream.GetType().GetField("_leftToReadInDataMsg", Inside);
        if (left?.FieldType != typeof(int) || copyStream.GetType().GetField("_readBuf", Inside)?.GetValue(copyStream) is not { } buffer)
            return null;
        var type = buffer.GetType();
        var array = type.GetField("Buffer", Inside);
        var end = type.GetField("FilledBytes", Inside);
        var start = type.GetProperty("ReadPosition", Inside);
        return array?.FieldType == typeof(byte[]) && end?.FieldType == typeof(int)
            && start is { CanRead: true, CanWrite: true } && start.PropertyType == typeof(int)
                ? new NpgsqlReadAhead(copyStream, buffer, left, array, end, start)
                : null;
    }

    /// <summary>Copies the data of complete messages, as many as fit.</summary>
    public int Take(Span<byte> space)
    {
        if ((int)leftInMessage.GetValue(stream)! != 0)
            return 0;
        var at = (int)position.GetValue(readBuffer)!;
        var start = at;
        var buffered = ((byte[])bytes.GetValue(readBuffer)!).AsSpan(0, (int)filled.GetValue(readBuffer)!);
        var taken = 0;
        while (buffered.Length - at >= HeaderBytes && buffered[at] == (byte)'d')
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(buffered[(at + 1)..]) - sizeof(int);
            if (length < 0 || length > buffered.Length - at - HeaderBytes || length > space.Length - taken)
                break;
            buffered.Slice(at + HeaderBytes, length).CopyTo(space[taken..]);
            taken += length;
            at += HeaderBytes + length;
        }

        if (at != start)
            position.SetValue(readBuffer, at);
        return taken;
    }
}
