using System.Text;
using ClaimCheck.Records.Csv;

namespace ClaimCheck.Records.Tests.Csv;

[Trait("needs", "nothing")]
public sealed class Fields_of_CSV
{
    [Theory]
    [InlineData("", "", "")]
    [InlineData(",b", "", "")]
    [InlineData("a,b", "a", "a")]
    [InlineData("\"\",b", "\"\"", "")]
    [InlineData("\"a,\n\",b", "\"a,\n\"", "a,\n")]
    [InlineData("\"say \"\"hi\"\"\"", "\"say \"\"hi\"\"\"", "say \"hi\"")]
    [InlineData("\"\"\"\",b", "\"\"\"\"", "\"")]
    [InlineData("ü漢🚚,b", "ü漢🚚", "ü漢🚚")]
    public void A_record_goes_on_with_a_field(string rest, string field, string value)
    {
        var bytes = Encoding.UTF8.GetBytes(rest);
        byte[] scratch = [];

        var length = CsvField.Length(bytes, out var flaw);

        Assert.Equal(CsvFlaw.None, flaw);
        Assert.Equal(field, Encoding.UTF8.GetString(bytes.AsSpan(0, length)));
        Assert.Equal(value, Encoding.UTF8.GetString(CsvField.Value(bytes.AsSpan(0, length), ref scratch)));
    }

    [Theory]
    [InlineData("a\"b,c", CsvFlaw.QuoteInText)]
    [InlineData("\"a,b", CsvFlaw.OpenQuote)]
    [InlineData("\"", CsvFlaw.OpenQuote)]
    [InlineData("\"a\"\",b", CsvFlaw.OpenQuote)]
    [InlineData("\"a\"b,c", CsvFlaw.TextBehindQuote)]
    public void What_is_not_a_field_says_why(string rest, object expected)
    {
        Assert.Equal(-1, CsvField.Length(Encoding.UTF8.GetBytes(rest), out var flaw));
        Assert.Equal(expected, flaw);
    }

    [Fact]
    public void Another_delimiter_ends_a_field_and_a_comma_does_not() =>
        Assert.Equal(3, CsvField.Length("a,b;c"u8, out _, (byte)';'));

    [Fact]
    public void A_header_quotes_the_names_that_need_it() =>
        Assert.Equal("id,\"a \"\"b\"\", c\",\"\"\n", Encoding.UTF8.GetString(CsvField.Header(["id", "a \"b\", c", ""])));
}
