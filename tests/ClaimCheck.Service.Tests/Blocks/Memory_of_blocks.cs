using System.Text;
using ClaimCheck.Service.Blocks;
using ClaimCheck.Service.Exporting;
using ClaimCheck.Service.Sources;
using ClaimCheck.Service.Tests.Exporting;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Blocks;

/// <summary>Exports of one process share their buffers: how many there are does not depend on what is exported.</summary>
public sealed class Memory_of_blocks
{
    private const int Lanes = 4;

    [Theory]
    [InlineData("csv", "gzip")]
    [InlineData("ndjson", "none")]
    public async Task Buffers_are_as_many_as_lanes_and_cores_need_and_serve_one_export_after_another(
        string format, string compression)
    {
        await using var run = await ExportRun.NewAsync(
            "CREATE TABLE t AS SELECT i AS id, repeat(md5(i::text), 40) AS note FROM generate_series(1::bigint, 20000) i; "
            + "ALTER TABLE t ADD PRIMARY KEY (id)");
        (run.Format, run.Compression, run.Table) = (format, compression, TableQuery.Of("t", null, null));
        run.Options = new ExportingOptions { Connections = Lanes, RangeBytes = 1 << 20, BypassRecords = 0 };

        await run.TextAsync(run.Table.Sql);
        var made = run.Buffers.Made;
        Assert.True(run.Meter.Ranges!.Count > Lanes);
        // A lane fills one, and has cut two at most; a block is in one, and compressed into another.
        Assert.InRange(made, 1, (3 * Lanes) + (2 * BlockBuffers.BlocksAtOnce));
        foreach (var maxFileBytes in (int[])[256 << 20, 64 << 10])
        {
            run.MaxFileBytes = maxFileBytes; // small files have small blocks
            await Task.WhenAll(run.TextAsync(run.Table.Sql), run.Beside().TextAsync(run.Table.Sql));
        }

        Assert.InRange(run.Buffers.Made, made, 2 * ((3 * Lanes) + (2 * BlockBuffers.BlocksAtOnce)));
        Assert.Equal(0, run.Buffers.LargeMost);
    }

    [Fact]
    public async Task Staging_that_does_not_take_blocks_stops_the_source_before_more_buffers_are_filled()
    {
        await using var run = await ExportRun.NewAsync(
            "CREATE TABLE t AS SELECT i AS id, repeat(md5(i::text), 40) AS note FROM generate_series(1::bigint, 40000) i; "
            + "ALTER TABLE t ADD PRIMARY KEY (id)");
        run.Table = TableQuery.Of("t", null, null);
        run.Options = new ExportingOptions { Connections = Lanes, RangeBytes = 1 << 20, BypassRecords = 0 };
        var isFirst = 1;
        run.Staged = new StagedObjects
        {
            BeforeWrite = async (name, _) =>
            {
                if (name.Contains("index", StringComparison.Ordinal) || Interlocked.Exchange(ref isFirst, 0) == 0)
                    return;
                // Until each lane waits, or has read all that there is.
                var (made, times) = (0, 0);
                await Eventually.TrueAsync(async () =>
                {
                    var isQuiet = await Scene.ScalarAsync<bool>(
                        run.Source.ConnectionString,
                        "SELECT count(*) = 0 FROM pg_stat_activity WHERE query LIKE 'COPY%' AND datname = current_database() "
                        + "AND state = 'active' AND wait_event IS DISTINCT FROM 'ClientWrite'");
                    (made, times) = (run.Buffers.Made, isQuiet && made == run.Buffers.Made ? times + 1 : 0);
                    return times == 5;
                });
                Assert.InRange(run.Buffers.Made, 1, (3 * Lanes) + (2 * BlockBuffers.BlocksAtOnce));
            },
        };

        Assert.Equal(40_000, (await run.ExportAsync(run.Table.Sql)).Records);
    }

    [Theory]
    [InlineData("csv", "gzip")]
    [InlineData("ndjson", "gzip")]
    [InlineData("ndjson", "none")]
    public async Task One_record_at_a_time_is_in_larger_buffers(string format, string compression)
    {
        const string large = "SELECT i AS id, CASE WHEN i % 2 = 0 THEN repeat('text', 10 << 20) ELSE 'small' END AS note "
            + "FROM generate_series(1::bigint, 4) i";
        await using var run = await ExportRun.NewAsync();
        (run.Format, run.Compression) = (format, compression);

        await Task.WhenAll(run.ExportAsync(large), run.Beside().ExportAsync(large));

        // While it grows, or while it is compressed.
        Assert.Equal(2, run.Buffers.LargeMost);
    }

    [Fact]
    public async Task A_record_of_JSON_that_outgrows_its_source_is_written_once_it_has_its_turn()
    {
        await using var run = await ExportRun.NewAsync();
        (run.Format, run.Compression, run.OrderedBy) = ("ndjson", "none", "id");
        // Of 900,000 bytes, which JSON writes as six each. The key is before them, or after them.
        const string note = "repeat(chr(1), CASE i % 3 WHEN 1 THEN 900000 ELSE 3 END) AS note";
        foreach (var columns in (string[])["i AS id, " + note, note + ", i AS id"])
        {
            var text = await run.TextAsync($"SELECT {columns} FROM generate_series(1::bigint, 7) i ORDER BY i");

            Assert.Equal(
                Enumerable.Range(1, 7).Select(i => ($"{i}", i % 3 == 1 ? 900_000 : 3)),
                text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line =>
                {
                    using var json = System.Text.Json.JsonDocument.Parse(line);
                    return (json.RootElement.GetProperty("id").GetRawText(),
                        json.RootElement.GetProperty("note").GetString()!.Count(letter => letter == 1));
                }));
        }

        Assert.Equal(2, run.Buffers.LargeMost); // while it grew
    }

    [Fact]
    public async Task An_export_that_fails_leaves_its_turn_and_its_blocks_to_others()
    {
        await using var run = await ExportRun.NewAsync();
        const string large = "SELECT i AS id, repeat('text', 1 << 20) AS note FROM generate_series(1::bigint, 3) i";
        for (var failing = 0; failing < BlockBuffers.BlocksAtOnce; failing++)
        {
            run.Staged = new StagedObjects { BeforeWrite = (_, _) => throw new IOException("full") };
            await Assert.ThrowsAsync<IOException>(() => run.ExportAsync(large));
            using var stop = new CancellationTokenSource();
            run.Staged = new StagedObjects { BeforeWrite = (_, _) => stop.CancelAsync() };
            await Assert.ThrowsAnyAsync<OperationCanceledException>(
                () => run.ExportAsync(large, cancellationToken: stop.Token));
            run.Staged = new StagedObjects();
            run.Options = new ExportingOptions { MaxRecordBytes = 3 << 20 };
            await Assert.ThrowsAsync<SourceException>(() => run.ExportAsync(large));
            run.Options = new ExportingOptions();
        }

        Assert.Equal(3 * ((4 << 20) + 3), Encoding.UTF8.GetByteCount(await run.TextAsync(large)));
    }

    [Fact]
    public void Further_connections_are_as_many_as_a_process_has_memory_for()
    {
        var memory = new ExportMemory(null!, new BlockBuffers());
        using (var all = memory.Take(63, haveFiles: false))
        using (var none = memory.Take(1, haveFiles: true))
            Assert.Equal((15, 0), (all.Count, none.Count));
        using var files = memory.Take(63, haveFiles: true); // each fills a part of an upload too
        Assert.Equal((3, 0), (files.Count, memory.Take(63, haveFiles: false).Count));
    }

    [Theory]
    [InlineData("csv", "none", 1)]
    [InlineData("csv", "gzip", 2)]
    [InlineData("ndjson", "gzip", 1)]
    [InlineData("ndjson", "none", 2)]
    public async Task Records_of_any_size_around_a_limit_are_those_of_the_source(string format, string compression, int lanes)
    {
        // Where a block ends, where a second record does not fit into it, where a buffer of the usual size or the source's lines
        // are full, and four mebibytes; each among small records.
        var around = format == "csv" ? "100,\n" : "{\"id\":100,\"note\":\"\"}\n";
        await using var run = await ExportRun.NewAsync($"""
            CREATE TABLE t (id bigint PRIMARY KEY, note text);
            INSERT INTO t
            SELECT id, note
              FROM (SELECT 99 + row_number() OVER () AS id, repeat('x', size - {around.Length} + off) AS note
                      FROM unnest(ARRAY[131072, 262144, 1048576, 2097152, 2228224, 2359296, 4194304]) size,
                           unnest(ARRAY[-1, 0, 1]) off
                     UNION ALL SELECT i, rpad('small', 250, '.') FROM generate_series(1000, 11000) i) rows
             ORDER BY md5(id::text);
            """);
        (run.Format, run.Compression, run.Table) = (format, compression, TableQuery.Of("t", null, null));
        foreach (var bypassed in (long[])[0, long.MaxValue])
        {
            run.Options = new ExportingOptions { Connections = lanes, RangeBytes = 1 << 20, BypassRecords = bypassed };

            var text = await run.TextAsync(run.Table.Sql);

            Assert.Equal(lanes > 1 ? "ctid" : "none", run.Meter.Ranges!.By);
            await using var command = run.Source.CreateCommand(format == "csv"
                ? "SELECT id || ',' || note FROM t"
                : "SELECT '{\"id\":' || id || ',\"note\":\"' || note || '\"}' FROM t");
            await using var rows = await command.ExecuteReaderAsync();
            var expected = new List<string>();
            while (await rows.ReadAsync())
                expected.Add(rows.GetString(0));
            var actual = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.True(expected.Order(StringComparer.Ordinal).SequenceEqual(actual.Order(StringComparer.Ordinal)));
            Assert.InRange(run.Buffers.LargeMost, 1, 2);
        }
    }
}
