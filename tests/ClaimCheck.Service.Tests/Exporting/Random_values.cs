using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;

namespace ClaimCheck.Service.Tests.Exporting;

/// <summary>Random values, through a real database, and back by the tests' own readers.</summary>
public sealed class Random_values
{
    private static readonly Gen<string?> Text = Gen.OneOf(
        Gen.Elements<string?>(null, "", "NULL", "null", "\\N", "\\.", "\\", "\"", "{}", "\n", "'"),
        Gen.Elements(
                "a", "\"", "\\", ",", ";", "{", "}", "\n", "\r", "\t", "\b", "\f", "\v", "\u0001", "\u001f", "\u007f", " ",
                "NULL", "é", "🦊")
            .ListOf().Select(parts => (string?)string.Concat(parts)));

    [Fact]
    public async Task Text_comes_through_both_formats_unchanged()
    {
        await using var run = await ExportRun.NewAsync("CREATE TABLE t (a text, id int, b text)");
        Prop.ForAll(Text.ListOf().ToArbitrary(), Gen.Choose(4, 300).ToArbitrary(), (values, kibibytes) =>
            ReadBackAsync(run, [.. values], kibibytes << 10).GetAwaiter().GetResult()).Check(
                Config.QuickThrowOnFailure.WithMaxTest(40));
    }

    [Fact]
    public async Task Arrays_of_text_come_through_ndjson_unchanged()
    {
        await using var run = await ExportRun.NewAsync("CREATE TABLE t (id int, a text[])");
        run.Format = "ndjson";
        Prop.ForAll(Text.ListOf().ListOf().ToArbitrary(), arrays =>
            ReadArraysBackAsync(run, [.. arrays.Select(array => array.ToArray())]).GetAwaiter().GetResult())
            .Check(Config.QuickThrowOnFailure.WithMaxTest(40));
    }

    [Fact]
    public async Task A_single_column_tells_null_from_empty_text()
    {
        await using var run = await ExportRun.NewAsync("CREATE TABLE t (id text)");
        await run.ExecuteAsync("INSERT INTO t VALUES (''), ('\\.'), ('a\n\nb'), ('\"'), ('NULL')");

        Assert.Equal("\"\"\n\"\\.\"\n\"a\n\nb\"\n\"\"\"\"\n\"NULL\"\n", await run.TextAsync("SELECT id FROM t"));
    }

    private static async Task<bool> ReadBackAsync(ExportRun run, string?[] values, int maxFileBytes)
    {
        await run.ExecuteAsync("TRUNCATE t");
        await run.ExecuteAsync("INSERT INTO t SELECT a, o, a FROM unnest($1) WITH ORDINALITY AS v (a, o)", (object)values);
        run.MaxFileBytes = maxFileBytes;

        run.Format = "csv";
        var records = CsvText.Parse(await run.TextAsync("SELECT a, id, b FROM t ORDER BY id"));
        Assert.Equal(values, records.Select(record => record[0]));
        Assert.Equal(values, records.Select(record => record[2]));

        run.Format = "ndjson";
        var lines = (await run.TextAsync("SELECT a, id, b FROM t ORDER BY id")).Split(
            '\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(values, lines.Select(line => JsonDocument.Parse(line).RootElement.GetProperty("b").GetString()));
        return true;
    }

    private static async Task<bool> ReadArraysBackAsync(ExportRun run, string?[][] arrays)
    {
        await run.ExecuteAsync("TRUNCATE t");
        for (var i = 0; i < arrays.Length; i++)
            await run.ExecuteAsync("INSERT INTO t VALUES ($1, $2)", i, arrays[i]);

        var lines = (await run.TextAsync("SELECT id, a FROM t ORDER BY id")).Split('\n', StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal(arrays, lines.Select(line =>
            JsonDocument.Parse(line).RootElement.GetProperty("a").EnumerateArray()
                .Select(element => element.GetString()).ToArray()));
        return true;
    }
}
