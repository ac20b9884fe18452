using System.IO.Compression;
using System.Text.Json;

namespace ClaimCheck.Benchmarks;

/// <summary>Reads outputs back, and compares them with the table.</summary>
internal sealed class OutputCheck(long rows, string strict, string loose)
{
    private const int BufferBytes = 1 << 20;

    /// <summary>Fails unless the outputs together are the table.</summary>
    /// <returns>Their bytes before compression.</returns>
    public async Task<long> CompareAsync(
        string what, IEnumerable<Func<Task<Stream>>> outputs, string format, bool isPacked, bool nullIsEmpty = false)
    {
        var all = new RowSum(nullIsEmpty);
        long bytes = 0;
        foreach (var open in outputs)
        {
            await using var stored = await open();
            await using var plain = isPacked ? new GZipStream(stored, CompressionMode.Decompress) : stored;
            var one = new RowSum(nullIsEmpty);
            bytes += format == "csv" ? await CsvAsync(plain, one) : await NdjsonAsync(plain, one);
            all.Add(one);
        }

        if (all.Rows != rows || all.Sum.ToString() != (nullIsEmpty ? loose : strict))
            throw new BenchException($"The output of {what} is not the table: it has {all.Rows:N0} rows, the table {rows:N0}; "
                + "or rows differ.");
        return bytes;
    }

    private static async Task<long> CsvAsync(Stream stream, RowSum sum)
    {
        var reader = new CsvFields(sum);
        var buffer = new byte[BufferBytes];
        long bytes = 0;
        for (int read; (read = await stream.ReadAsync(buffer)) > 0; bytes += read)
            reader.Take(buffer.AsSpan(0, read));
        return bytes;
    }

    private static async Task<long> NdjsonAsync(Stream stream, RowSum sum)
    {
        var buffer = new byte[BufferBytes];
        int held = 0;
        long bytes = 0;
        for (int read; (read = await stream.ReadAsync(buffer.AsMemory(held))) > 0; bytes += read)
        {
            held += read;
            var from = 0;
            for (int end; (end = buffer.AsSpan(from, held - from).IndexOf((byte)'\n')) >= 0; from += end + 1)
                Record(buffer.AsSpan(from, end), sum);
            buffer.AsSpan(from, held - from).CopyTo(buffer);
            held -= from;
            if (held == buffer.Length)
                throw new BenchException("An output has a line without an end.");
        }

        return bytes;
    }

    private static void Record(ReadOnlySpan<byte> line, RowSum sum)
    {
        var json = new Utf8JsonReader(line);
        var value = new byte[line.Length];
        while (json.Read())
        {
            if (json.TokenType is JsonTokenType.String)
                sum.Field(value.AsSpan(0, json.CopyString(value)), isNull: false);
            else if (json.TokenType is JsonTokenType.Number)
                sum.Field(json.ValueSpan, isNull: false);
            else if (json.TokenType is JsonTokenType.Null)
                sum.Field([], isNull: true);
        }

        sum.EndRow();
    }

    /// <summary>Cuts CSV into values; what is empty without quotes is NULL.</summary>
    private sealed class CsvFields(RowSum sum)
    {
        private byte[] value = new byte[256];
        private int length;
        private bool isQuoted;
        private bool isInside;

        public void Take(ReadOnlySpan<byte> bytes)
        {
            foreach (var b in bytes)
            {
                if (b == '"')
                {
                    // The second of two quotes in a row stands for one.
                    if (!isInside && isQuoted)
                        Add(b);
                    isInside = !isInside;
                    isQuoted = true;
                }
                else if (!isInside && b is (byte)',' or (byte)'\n')
                {
                    sum.Field(value.AsSpan(0, length), isNull: length == 0 && !isQuoted);
                    (length, isQuoted) = (0, false);
                    if (b == '\n')
                        sum.EndRow();
                }
                else
                {
                    Add(b);
                }
            }
        }

        private void Add(byte b)
        {
            if (length == value.Length)
                Array.Resize(ref value, length * 2);
            value[length++] = b;
        }
    }
}
