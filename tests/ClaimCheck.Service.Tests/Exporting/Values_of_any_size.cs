using System.Text;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Blocks;
using ClaimCheck.Service.Sources;

namespace ClaimCheck.Service.Tests.Exporting;

/// <summary>A value may have a gigabyte: the work on one ends where the export is to stop.</summary>
[Trait("needs", "nothing")]
public sealed class Values_of_any_size
{
    [Theory]
    [InlineData("integer[]", "1,")]
    [InlineData("text[]", "\"\\\\\",")]
    [InlineData("bytea", "00")]
    [InlineData("text", "\n")]
    [InlineData("json", "[],")]
    public void A_value_of_any_size_is_left_where_the_work_is_to_stop(string type, string piece)
    {
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        var huge = string.Concat(Enumerable.Repeat(piece, 100_000));
        huge = type switch { "bytea" => "\\x" + huge, "json" => $"[{huge}0]", "text" => huge, _ => $"{{{huge}1}}" };
        var writer = new JsonValueWriter(new BlockBuilder(new BlockBuffers(64 << 10), int.MaxValue / 4), stop.Token);

        Assert.Throws<OperationCanceledException>(
            () => writer.Write(Encoding.UTF8.GetBytes(huge), JsonKinds.Of(ColumnTypes.Of(type)), ColumnTypes.Of(type)));
    }

    [Fact]
    public void A_huge_block_is_not_sealed_where_the_work_is_to_stop()
    {
        using var stop = new CancellationTokenSource();
        stop.Cancel();

        Assert.Throws<OperationCanceledException>(
            () => new BlockSealer(new BlockBuffers(1 << 20), BlockFraming.Deflate)
                .Seal(new FilledBlock(new byte[1 << 20], 1 << 20, 1), stop.Token));
    }
}
