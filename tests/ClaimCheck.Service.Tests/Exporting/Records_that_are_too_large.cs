using ClaimCheck.Service.Blocks;
using ClaimCheck.Service.Exporting;
using ClaimCheck.Service.Sources;
using Npgsql;

namespace ClaimCheck.Service.Tests.Exporting;

public sealed class Records_that_are_too_large
{
    private const int Allowed = 1 << 20;

    [Theory]
    [InlineData("csv", "2,,\n")]
    [InlineData("ndjson", "{\"id\":2,\"note\":\"\",\"z\":null}\n")]
    public async Task The_largest_that_may_be_is_written_and_one_byte_more_fails_the_export(string format, string around)
    {
        await using var run = await ExportRun.NewAsync();
        (run.Format, run.Options) = (format, new ExportingOptions { MaxRecordBytes = Allowed });

        await run.ExportAsync(Query(Allowed - around.Length));
        run.Staged = new StagedObjects();
        var failure = await FailAsync(run, Query(Allowed - around.Length + 1));
        run.Staged = new StagedObjects();
        var vast = await FailAsync(run, Query(20 * Allowed));

        Assert.Equal(("record_too_large", false), (failure.Code, failure.IsTransient));
        Assert.StartsWith(
            "Record 2 has 1,048,577 bytes, but ClaimCheck:Exporting:MaxRecordBytes allows 1,048,576. Most of "
            + "it is in column note: ",
            failure.Message,
            StringComparison.Ordinal);
        // Not all of it has to be held, or read, to know.
        Assert.Matches(
            "^Record 2 has more than [0-9,]{9,10} bytes, .* in column note: [0-9,]{9,10} bytes so far.$", vast.Message);
        Assert.Equal(0, run.Staged.Open);
    }

    [Theory]
    [InlineData("csv")]
    [InlineData("ndjson")]
    public async Task What_the_source_itself_can_not_send_is_told_with_its_column(string format)
    {
        await using var run = await ExportRun.NewAsync("""
            CREATE FUNCTION outsize(i bigint) RETURNS text LANGUAGE plpgsql STABLE AS $$
            BEGIN
                IF i = 3 THEN RAISE EXCEPTION 'secret' USING ERRCODE = '54000'; END IF;
                RETURN 'ok';
            END $$
            """);
        run.Format = format;

        var failure = await FailAsync(
            run, "SELECT i AS id, 'x' AS note, outsize(i) AS doc, 'y' AS z FROM generate_series(1::bigint, 5) AS i");

        Assert.Equal(("record_too_large", false), (failure.Code, failure.IsTransient));
        Assert.Equal(
            "Record 3 is larger than the source's Postgres can send, about 1 GiB as text, of which a byte of bytea takes two. It "
            + "is column doc. (SQLSTATE 54000)",
            failure.Message);
    }

    [Fact]
    public async Task A_bytea_whose_text_is_too_long_for_the_source_is_told_with_its_column()
    {
        await using var run = await ExportRun.NewAsync();

        var failure = await FailAsync(run, "SELECT i AS id, 'x' AS note, convert_to(repeat('x', 540000000 + i), 'UTF8') AS scan "
            + "FROM generate_series(1, 1) AS i");

        Assert.Equal("record_too_large", failure.Code);
        Assert.EndsWith("It is column scan. (SQLSTATE XX000)", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("54000", "out of memory", true)]
    [InlineData("XX000", "invalid memory alloc request size 1073741826", true)]
    [InlineData("XX000", "invalid memory alloc request size 18446744073709551613", false)] // of a value that is damaged
    [InlineData("XX000", "could not open relation", false)]
    [InlineData("53200", "out of memory", false)] // of the machine
    public void A_limit_is_told_apart_from_damage_and_from_want(string state, string message, bool isLimit) =>
        Assert.Equal(isLimit, SourceErrors.IsTooLarge(new PostgresException(message, "ERROR", "ERROR", state)));

    [Theory]
    [InlineData("", 0, 0)]
    [InlineData("1,,3", 0, 1)]
    [InlineData("1,\"a,b\"\"c\",3", 1, 8)]
    [InlineData("1,\"a,b", 1, 4)]
    [InlineData("\"a\"\"\",22", 0, 5)]
    [InlineData("a\"b,c\"", 0, 6)]
    [InlineData("1,2,", 0, 1)]
    public void The_largest_field_is_found_wherever_a_record_ends(string csv, int column, int bytes) =>
        Assert.Equal((column, bytes), OversizedRecord.LargestField(System.Text.Encoding.UTF8.GetBytes(csv)));

    [Fact]
    public async Task A_file_ends_before_its_index_is_larger_than_readers_take()
    {
        var staged = new StagedObjects();
        var sealer = new BlockSealer(new BlockBuffers(), "none");
        var layout = PartLayout.Of(sealer, default, "ndjson", "text/plain", 1 << 30) with { MaxBlocks = 3 };
        await using var files = new PartFiles(layout, staged.OpenAsync, new ExportMeter());
        for (var i = 0; i < 7; i++)
            await files.AddAsync(
                sealer.Seal(new FilledBlock("{}\n"u8.ToArray(), 3, 1), CancellationToken.None), CancellationToken.None);

        Assert.Equal([3, 3, 1], (await files.FinishAsync(CancellationToken.None)).Select(file => file.Blocks));
    }

    private static string Query(int length) =>
        $"SELECT i AS id, CASE WHEN i = 2 THEN repeat('x', {length}) END AS note, NULL::text AS z "
        + "FROM generate_series(1, 3) AS i";

    private static Task<SourceException> FailAsync(ExportRun run, string sql) =>
        Assert.ThrowsAsync<SourceException>(() => run.ExportAsync(sql));
}
