using System.Text.Json;
using ClaimCheck.Service.Sources;
using ClaimCheck.Testing;
using FsCheck;
using FsCheck.Fluent;
using Npgsql;

namespace ClaimCheck.Service.Tests.Datasets;

public sealed class A_query_of_a_source : IAsyncLifetime, IDisposable
{
    // What breaks a quoting that was not thought through, in any order and number.
    private static readonly Arbitrary<string> Hostile = Gen.ArrayOf(Gen.Elements(
            "'", "''", "\\", "\\'", "\"", "$$", "$a$", ";", "--", "/*", "*/", "\n", "\r\n", "\t", "\u0001", "\u007f",
            "\u0085", " ", "",
            "{", "}", ",", "(", ")", "::text", ":v", ":w", "NULL", "null", "E'", "U&'", "\\x27", "drop table t", "é", "日", "😀",
            "\uFEFF", "\u2028"))
        .Select(string.Concat).ToArbitrary();

    private NpgsqlConnection connection = null!;

    public async Task InitializeAsync()
    {
        connection = new NpgsqlConnection(await PostgresServer.NewDatabaseAsync());
        await connection.OpenAsync();
    }

    public async Task DisposeAsync() => await connection.DisposeAsync();

    public void Dispose() => connection.Dispose();

    [Fact]
    public void A_parameter_becomes_a_typed_literal() => Assert.Equal(
        "select  CAST('2026-01-01T00:00:00Z' AS timestamptz) ::date where  CAST(NULL AS text)  is null",
        Render("select :since::date where :status is null", ("since", "timestamptz"), ("status", "text"),
            """{"since":"2026-01-01T00:00:00Z"}"""));

    [Fact]
    public void What_looks_like_a_parameter_inside_a_value_stays_a_value() => Assert.Equal(
        "select  CAST(':b'' :b' AS text) ,  CAST('x' AS text) ",
        Render("select :a, :b", ("a", "text"), ("b", "text"), """{"a":":b' :b","b":"x"}"""));

    [Theory]
    [InlineData("text) ; drop table x; --")]
    [InlineData("regclass")]
    [InlineData("jsonb[]")]
    public void A_type_that_no_definition_may_have_is_not_rendered(string type) =>
        Assert.Throws<InvalidOperationException>(() => Render("select :a", ("a", type), ("b", "text"), "{}"));

    [Fact]
    public void A_text_with_a_NUL_is_not_rendered() =>
        Assert.Throws<InvalidOperationException>(() => Render("select :a", ("a", "text"), ("b", "text"), """{"a":"x\u0000"}"""));

    [Theory]
    [InlineData("on")]
    [InlineData("off")]
    public void Any_text_comes_back_as_it_was_given(string standardConformingStrings)
    {
        Execute($"SET standard_conforming_strings = {standardConformingStrings}");
        Prop.ForAll(Hostile, text =>
            (string?)Execute(
                Render("select :v", ("v", "text"), ("w", "text"), JsonSerializer.Serialize(new { v = text }))) == text)
            .Check(Config.QuickThrowOnFailure.WithMaxTest(500));
    }

    [Fact]
    public void Any_array_of_texts_comes_back_as_it_was_given() => Prop.ForAll(
        Gen.ArrayOf(Hostile.Generator).ToArbitrary(),
        texts => ((string[])Execute(
            Render(
                "select :v", ("v", "text[]"), ("w", "text"), JsonSerializer.Serialize(new { v = texts })))!).SequenceEqual(texts))
        .Check(Config.QuickThrowOnFailure.WithMaxTest(200));

    [Fact]
    public void Any_text_comes_back_out_of_json() => Prop.ForAll(
        Hostile,
        text => (string?)Execute(
            Render("select :v ->> 'a'", ("v", "jsonb"), ("w", "text"),
                JsonSerializer.Serialize(new { v = new { a = text } }))) == text)
        .Check(Config.QuickThrowOnFailure.WithMaxTest(200));

    [Fact]
    public void A_rendered_query_goes_into_a_copy()
    {
        var sql = Render("select :v -- a comment\n;", ("v", "text"), ("w", "text"), """{"v":"') TO PROGRAM 'false' --"}""");
        using var rows = connection.BeginTextExport($"COPY ({sql}) TO STDOUT");
        Assert.Equal("') TO PROGRAM 'false' --\n", rows.ReadToEnd());
    }

    private static string Render(string sql, (string, string) first, (string, string) second, string criteria) =>
        SourceQuery.Render(
            sql,
            new Dictionary<string, string>(StringComparer.Ordinal) { [first.Item1] = first.Item2, [second.Item1] = second.Item2 },
            JsonElement.Parse(criteria));

    private object? Execute(string sql)
    {
        // A batch: Npgsql leaves its text alone.
        using var batch = connection.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(sql));
        return batch.ExecuteScalar();
    }
}
