using System.Security.Cryptography;
using System.Text;
using ClaimCheck.Service.Blocks;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Blocks;

/// <summary>By whichever library: a block is inflated by itself, and blocks after one another are one stream.</summary>
[Trait("needs", "nothing")]
public sealed class Compressed_blocks
{
    private static readonly byte[][] Contents =
    [
        [7],
        Encoding.UTF8.GetBytes("id,name\n"),
        RandomNumberGenerator.GetBytes(9 << 20), // which no compression makes smaller, in slices
        [.. Enumerable.Range(0, 700_000).SelectMany(i => Encoding.UTF8.GetBytes($"{i},order\n"))],
        new byte[4 << 20],
    ];

    /// <summary>The libraries of this machine.</summary>
    public static TheoryData<bool> Natively => NativeDeflate.IsAvailable ? [false, true] : [false];

    [Theory]
    [MemberData(nameof(Natively))]
    public void Are_read_alone_and_as_one_stream(bool natively)
    {
        var all = new MemoryStream();
        foreach (var content in Contents)
        {
            var block = Deflate(content, natively);
            AssertSame(content, OneMember.Block(block));
            all.Write(block);
        }

        AssertSame([.. Contents.SelectMany(content => content)], OneMember.Block(all.ToArray()));
        Assert.Empty(Deflate([], natively));
    }

    [Theory]
    [MemberData(nameof(Natively))]
    public void Are_written_by_many_threads_at_a_time(bool natively) =>
        Parallel.For(0, 64, i =>
        {
            var content = Encoding.UTF8.GetBytes(string.Join(',', Enumerable.Range(i, 20_000)));
            Assert.Equal(content, OneMember.Block(Deflate(content, natively)));
        });

    [Fact]
    public void Members_of_their_own_are_read_by_any_reader()
    {
        foreach (var content in Contents)
        {
            var target = new byte[BlockCompressor.Bound(content.Length)];
            var length = BlockCompressor.Gzip(content, target, CancellationToken.None);
            AssertSame(content, OneMember.Read(target[..length]));
        }
    }

    // Millions of bytes, one by one, take xunit seconds.
    private static void AssertSame(byte[] expected, byte[] actual) => Assert.True(expected.AsSpan().SequenceEqual(actual));

    private static byte[] Deflate(byte[] content, bool natively)
    {
        var target = new byte[BlockCompressor.Bound(content.Length)];
        return target[..BlockCompressor.Deflate(content, target, natively, CancellationToken.None)];
    }
}
