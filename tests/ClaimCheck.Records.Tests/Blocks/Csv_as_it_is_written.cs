using System.Text;
using ClaimCheck.Contracts;
using ClaimCheck.Records.Blocks;

namespace ClaimCheck.Records.Tests.Blocks;

[Trait("needs", "nothing")]
public sealed class Csv_as_it_is_written
{
    [Theory]
    [InlineData("a,b\n", "a|b")]
    [InlineData(",\n", "NULL|NULL")]
    [InlineData("\"\",\n", "|NULL")]
    [InlineData("\"a,b\",\"c\nd\"\n", "a,b|c\nd")]
    [InlineData("\"say \"\"hi\"\"\",\"\"\"\"\n", "say \"hi\"|\"")]
    [InlineData("\"\r\n\",x\ry\n", "\r\n|x\ry")]
    [InlineData("ü漢🚚, \n", "ü漢🚚| ")]
    [InlineData("1,2\n3,4\n", "1|2;3|4")]
    public void Two_columns(string text, string expected) => Assert.Equal(expected, Read(text, 2));

    [Theory]
    [InlineData("\n", "NULL")]
    [InlineData("\n\n\n", "NULL;NULL;NULL")]
    [InlineData("\"\"\n\na\n", ";NULL;a")]
    [InlineData("\"\\.\"\n", "\\.")]
    [InlineData("\"\n\"\n", "\n")]
    [InlineData("", "")]
    public void One_column_keeps_blank_lines(string text, string expected) => Assert.Equal(expected, Read(text, 1));

    [Theory]
    [InlineData("a\n")]
    [InlineData("a,b,c\n")]
    [InlineData("a,b")]
    [InlineData("a,\"b\n")]
    [InlineData("a,\"b\"c\n")]
    [InlineData("a,b\"c\n")]
    [InlineData("a,\"b\"")]
    [InlineData("a,")]
    public void What_is_not_a_whole_record_is_refused(string text) => Assert.Throws<FormatException>(() => Read(text, 2));

    [Fact]
    public void A_header_must_name_the_columns_in_order()
    {
        Column[] columns = [new("id", "text", true), new("a \"quoted\", name", "text", true)];

        Assert.True(CsvRows.IsHeader("id,\"a \"\"quoted\"\", name\"\n"u8.ToArray(), columns));
        Assert.False(CsvRows.IsHeader("\"a \"\"quoted\"\", name\",id\n"u8.ToArray(), columns));
        Assert.False(CsvRows.IsHeader("id\n"u8.ToArray(), columns));
        Assert.False(CsvRows.IsHeader("id,\"a \"\"quoted\"\", name\"\n1,2\n"u8.ToArray(), columns));
        Assert.False(CsvRows.IsHeader([], columns));
    }

    private static string Read(string text, int columns)
    {
        var rows = new CsvRows(
            [.. Enumerable.Range(0, columns).Select(i => new Column($"c{i}", "text", true))], RowErrors.OfFormat);
        var bytes = Encoding.UTF8.GetBytes(text);
        rows.Load(bytes, bytes.Length, "test.csv", 0);
        var records = new List<string>();
        while (rows.Next())
        {
            records.Add(string.Join('|', Enumerable.Range(0, columns)
                .Select(i => rows.IsNull(i) ? "NULL" : Encoding.UTF8.GetString(rows.Text(i)))));
        }
        return string.Join(';', records);
    }
}
