using ClaimCheck.Service.Sources;
using FsCheck;
using FsCheck.Fluent;

namespace ClaimCheck.Service.Tests.Datasets;

[Trait("needs", "nothing")]
public sealed class The_SQL_of_a_source
{
    private static readonly Arbitrary<string> Pieces = Gen.ArrayOf(Gen.Elements(
            "select", " ", "\n", "'", "''", "E'", "\\", "\"", "$$", "$a$", "$", ";", "--", "/*", "*/", ":", "::", ":=", ":a", "[",
            "]", "(", ")",
            "1", "1.5e", ",", "order by", "id", "é", "\0", "\u00a0"))
        .Select(string.Concat).ToArbitrary();

    [Fact]
    public void Whatever_stands_in_a_string_a_name_or_a_comment_is_no_parameter() => Prop.ForAll(Pieces, text =>
    {
        var inside = text.Replace("\0", "", StringComparison.Ordinal);
        var asText = inside.Replace("'", "''", StringComparison.Ordinal);
        var asEscaped = asText.Replace("\\", "\\\\", StringComparison.Ordinal);
        var asName = inside.Replace("\"", "\"\"", StringComparison.Ordinal);
        var asComment = inside.Replace("\n", " ", StringComparison.Ordinal);
        var sql = $"select '{asText}', E'{asEscaped}', $q${inside}$q$ as \"{asName}\" --{asComment}\n, :p";
        return SourceSql.Parse(sql).ParameterNames.SequenceEqual(["p"]) && SourceSql.Parse(sql).Text == sql;
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));

    [Fact]
    public void Any_text_is_read_to_its_end_or_refused() => Prop.ForAll(Pieces, text =>
    {
        try
        {
            return text.StartsWith(SourceSql.Parse(text).Text, StringComparison.Ordinal);
        }
        catch (FormatException)
        {
            return true;
        }
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(5000));

    [Theory]
    [InlineData("select :a", "a")]
    [InlineData("select:a", "a")]
    [InlineData("select :a, :b, :a", "a,b")]
    [InlineData("select :a::text", "a")]
    [InlineData("select 1::text, x::int", "")]
    [InlineData("select (:a)::timestamptz + :b_2", "a,b_2")]
    [InlineData("select ':a', 'it''s :b', :c", "c")]
    [InlineData(@"select E'\' :a', e'\\', :b", "b")]
    [InlineData(@"select '\', :b, '\'", "b")]
    [InlineData("select E'x'\n'\\' :a', :b", "b")]
    [InlineData("select E'x' -- no\n '\\' :a', :b", "b")]
    [InlineData(@"select e_'\', :b from x", "b")]
    [InlineData("select \":a\", \"b\"\":c\", :d", "d")]
    [InlineData("select $$ :a $$, $x$ :b $$ :c $y$ $x$, :d", "d")]
    [InlineData("select a$x$, :d, b$x$", "d")]
    [InlineData("select $1, :a", "a")]
    [InlineData("select 1 -- :a\n, :b -- :c", "b")]
    [InlineData("select /* :a /* :b */ :c */ :d /**/", "d")]
    [InlineData("select a[1:n], a[x :n], a[f(1):n], a[b[1]:n], :m from t", "m")]
    [InlineData("select a[:lo : :hi], array[:x, :y], a[case when :p then :q else 1 end]", "lo,hi,x,y,p,q")]
    [InlineData("select a[(:n)], a[1:(:m)]", "n,m")]
    [InlineData("select f(x := :v, y => :w)", "v,w")]
    [InlineData("select f(x :=v)", "")]
    [InlineData("select '12:30'::time, 1 < :a", "a")]
    public void A_parameter_is_told_from_other_colons(string sql, string expected) =>
        Assert.Equal(expected, string.Join(',', SourceSql.Parse(sql).ParameterNames));

    [Theory]
    [InlineData("select 1;")]
    [InlineData("select 1 ; -- done\n")]
    [InlineData("select 1 ;; /* ; */ \n")]
    [InlineData("select 1 -- a comment that would swallow a parenthesis")]
    public void A_trailing_semicolon_and_what_follows_is_dropped(string sql) =>
        Assert.Equal("select 1", SourceSql.Parse(sql).Text);

    [Theory]
    [InlineData("-- first\nselect 1")]
    [InlineData("/* a */ WITH x AS (SELECT 1) SELECT * FROM x")]
    [InlineData("(select 1) union (select 2)")]
    [InlineData("select ';', $$;$$, \";\" -- ;")]
    public void One_select_is_taken(string sql) => Assert.NotEmpty(SourceSql.Parse(sql).Text);

    [Theory]
    [InlineData("", "it is empty")]
    [InlineData("-- nothing\n;", "it is empty")]
    [InlineData("select 1; select 2", "it has more than one statement")]
    [InlineData("select 1; drop table x;", "it has more than one statement")]
    [InlineData("select (1; 2)", "it has more than one statement")]
    [InlineData("delete from orders", "it does not begin with SELECT or WITH")]
    [InlineData("\"select\" 1", "it does not begin with SELECT or WITH")]
    [InlineData("selects 1", "it does not begin with SELECT or WITH")]
    [InlineData("((", "a '(' is never closed")]
    [InlineData("select 'a", "a string is never closed")]
    [InlineData(@"select E'a\'", "a string is never closed")]
    [InlineData("select \"a", "a quoted name is never closed")]
    [InlineData("select $a$ x $b$", "a string quoted with $a$ is never closed")]
    [InlineData("select 1 /* /* */", "a comment is never closed")]
    [InlineData("select 1) to program 'x", "a ')' closes nothing")]
    [InlineData("select 1) (select 2", "a ')' closes nothing")]
    [InlineData("select a[1)", "a ')' closes nothing")]
    [InlineData("select 1\0", "it has a NUL character")]
    public void What_is_not_one_select_is_refused(string sql, string reason) =>
        Assert.Equal(reason, Assert.Throws<FormatException>(() => SourceSql.Parse(sql)).Message);

    [Theory]
    [InlineData("select id from t order by id", "id")]
    [InlineData("select id from t order by ID DESC NULLS LAST, name limit 5", "id")]
    [InlineData("select id from t order/**/by\n id asc;", "id")]
    [InlineData("select id from t order by \"id\"", "id")]
    [InlineData("select id as \"My \"\"Id\" from t order by \"My \"\"Id\"", "My \"Id")]
    [InlineData("select id from t order by \"ID\"", null)]
    [InlineData("select id from t order by other", null)]
    [InlineData("select id from t order by t.id", null)]
    [InlineData("select id from t order by id + 1", null)]
    [InlineData("select id from t order by id::text", null)]
    [InlineData("select id from t order by lower(id)", null)]
    [InlineData("select id from t order by id using >", null)]
    [InlineData("select id from t order by id collate \"C\"", null)]
    [InlineData("select id from t order by 1", null)]
    [InlineData("select id from t order by :id", null)]
    [InlineData("select id from t", null)]
    [InlineData("select id, row_number() over (order by id) from t", null)]
    [InlineData("select id from (select id from t order by id) x", null)]
    [InlineData("(select id from t order by id)", null)]
    [InlineData("with x as (select id from t order by name) select id from x order by id for share", "id")]
    [InlineData("select id from t where x in (select 1 order by name) order by id offset 2", "id")]
    [InlineData("select ' order by name' as s, id from t order by id -- order by name", "id")]
    public void The_order_is_known_where_the_outermost_one_is_a_plain_column(string sql, string? expected) =>
        Assert.Equal(expected, SourceSql.Parse(sql).OrderedBy(["id", "name", "My \"Id"]));
}
