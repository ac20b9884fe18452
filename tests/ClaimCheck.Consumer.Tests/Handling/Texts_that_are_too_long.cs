using ClaimCheck.Consumer.Handling;

namespace ClaimCheck.Consumer.Tests.Handling;

[Trait("needs", "nothing")]
public sealed class Texts_that_are_too_long
{
    [Theory]
    [InlineData("abc", 3, "abc")]
    [InlineData("abcd", 3, "abc")]
    [InlineData("ab🚚", 3, "ab")]
    [InlineData("ab🚚", 4, "ab🚚")]
    [InlineData("ab🚚c", 4, "ab🚚")]
    public void Are_cut_where_no_surrogate_pair_is_torn(string text, int length, string expected) =>
        Assert.Equal(expected, ChunkOutcomes.Cut(text, length));
}
