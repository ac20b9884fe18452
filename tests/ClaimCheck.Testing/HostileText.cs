using System.Text;

namespace ClaimCheck.Testing;

/// <summary>Texts that are almost right, by a seed: bytes of good ones dropped, doubled, exchanged, or cut off.</summary>
internal sealed class HostileText(int seed)
{
    private static readonly byte[][] Spices =
    [
        [.. "\\"u8], [.. "\\x"u8], [.. "\\N"u8], [.. "\\."u8], [.. "\""u8], [.. "\"\""u8], [.. "{"u8], [.. "}"u8], [.. "["u8],
        [.. "]"u8], [.. "="u8], [.. ","u8], [.. ";"u8], [.. "\t"u8],
        [.. "\n"u8], [.. "\r"u8], [0], [0x1F], [0x7F], [0x80], [0xC3], [0xED, 0xA0, 0x80], [0xF0, 0x9F], [0xFF], [.. "é"u8],
        [.. "\\ud800"u8], [.. "\\u00"u8], [.. "\uFEFF"u8],
        [.. "null"u8], [.. "NULL"u8], [.. "NaN"u8], [.. "Infinity"u8], [.. "-"u8], [.. "+"u8], [.. "."u8], [.. "e"u8],
        [.. "e999999999999"u8], [.. "0"u8], [.. "00"u8],
        [.. "99999999999999999999999999999999999999"u8], [.. ":"u8], [.. " BC"u8], [.. "T"u8], [.. "Z"u8], [.. "+00"u8],
        [.. "P"u8], [.. "%"u8], [.. " "u8], [.. "'"u8], [.. "$a$"u8], [.. "/*"u8],
    ];

    public Random Random { get; } = new(seed);

    public byte[] Of(params string[] good) => Of([.. good.Select(Encoding.UTF8.GetBytes)]);

    public byte[] Of(IReadOnlyList<byte[]> good)
    {
        var text = good[Random.Next(good.Count)].ToList();
        for (var changes = Random.Next(4); changes > 0; changes--)
        {
            var at = Random.Next(text.Count + 1);
            var length = Random.Next(Math.Min(text.Count - at, 6) + 1);
            switch (Random.Next(6))
            {
                case 0:
                    text.RemoveRange(at, length);
                    break;
                case 1:
                    text.InsertRange(at, text.GetRange(at, length));
                    break;
                case 2:
                    text.RemoveRange(at, text.Count - at);
                    break;
                case 3 when text.Count > 0:
                    text[Random.Next(text.Count)] = (byte)Random.Next(256);
                    break;
                default:
                    text.InsertRange(at, Spices[Random.Next(Spices.Length)]);
                    break;
            }
        }

        return [.. text];
    }

    /// <summary>The same bytes in portions of any size.</summary>
    public IEnumerable<byte[]> Portions(byte[] bytes)
    {
        for (var at = 0; at < bytes.Length;)
        {
            var length = Math.Min(1 + Random.Next(Random.Next(2) == 0 ? 4 : 200), bytes.Length - at);
            yield return bytes[at..(at + length)];
            at += length;
        }
    }

    /// <summary>Runs what must come to an end whatever it reads, and gives up where it does not.</summary>
    public static Task EndsAsync(Action action) => Task.Run(action).WaitAsync(TimeSpan.FromMinutes(2));
}
