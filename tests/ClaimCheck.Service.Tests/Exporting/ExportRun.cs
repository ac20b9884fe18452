using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Blocks;
using ClaimCheck.Service.Datasets;
using ClaimCheck.Service.Exporting;
using ClaimCheck.Service.Sources;
using ClaimCheck.Service.Startup;
using ClaimCheck.Testing;
using Npgsql;

namespace ClaimCheck.Service.Tests.Exporting;

/// <summary>A source database of a test's own, and exports from it.</summary>
internal sealed class ExportRun : IAsyncDisposable
{
    private ExportRun(NpgsqlDataSource source, string connectionString) =>
        (Source, ConnectionString) = (source, connectionString);

    /// <summary>As an export reads.</summary>
    public static SourceSettings Settings { get; } = new(TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(30), RowSecurity: false);

    public NpgsqlDataSource Source { get; }

    public string ConnectionString { get; }

    public StagedObjects Staged { get; set; } = new();

    public ExportMeter Meter { get; private set; } = new();

    /// <summary>All that can bypass the driver does.</summary>
    public ExportingOptions Options { get; set; } = new() { BypassRecords = 0 };

    public string Format { get; set; } = "csv";

    public string Compression { get; set; } = "gzip";

    public string Framing { get; set; } = BlockFraming.Deflate;

    public long MaxFileBytes { get; set; } = 256 << 20;

    public string? OrderedBy { get; set; }

    public bool TrustsKey { get; set; }

    public long? MaxRecords { get; set; }

    public long? MaxBytes { get; set; }

    /// <summary>The table that the exported query reads, where the dataset names one.</summary>
    public TableQuery? Table { get; set; }

    /// <summary>Where keys go that do not fit into memory.</summary>
    public string KeyDirectory { get; } = Path.Combine(Path.GetTempPath(), $"claimcheck-keys-{Guid.NewGuid():N}");

    public long KeyMemory { get; set; } = 32 << 20;

    /// <summary>Those of a process: several runs may share them.</summary>
    public BlockBuffers Buffers { get; set; } = new();

    private KeySpace Keys => new(new TemporaryFiles(KeyDirectory), KeyMemory);

    public bool RowSecurity { get; set; }

    public static async Task<ExportRun> NewAsync(string? schema = null) =>
        await OnAsync(await PostgresServer.NewDatabaseAsync(), schema);

    public static async Task<ExportRun> OnAsync(string database, string? schema = null)
    {
        var address = new NpgsqlConnectionStringBuilder(database)
        {
            CommandTimeout = 1, // exports must not mind
            IncludeErrorDetail = false,
        };
        var builder = new NpgsqlDataSourceBuilder(address.ConnectionString);
        builder.ConfigureTypeLoading(types => types.EnableTypeLoading(false)); // as the service's own
        var run = new ExportRun(builder.Build(), database);
        if (schema is not null)
            await run.ExecuteAsync(schema);
        return run;
    }

    /// <summary>Another export of the same process. It needs no disposal.</summary>
    public ExportRun Beside() => new(Source, ConnectionString)
    {
        Format = Format,
        Compression = Compression,
        MaxFileBytes = MaxFileBytes,
        Table = Table,
        Options = Options,
        Buffers = Buffers,
    };

    public async Task ExecuteAsync(string sql, params object[] values)
    {
        await using var command = Source.CreateCommand(sql);
        command.CommandTimeout = 60; // it prepares a test
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        await command.ExecuteNonQueryAsync();
    }

    public async Task<IReadOnlyList<Column>> DescribeAsync(string sql)
    {
        await using var session = await SourceSession.OpenAsync(
            () => Source, Settings with { RowSecurity = RowSecurity }, CancellationToken.None);
        return [.. (await session.DescribeAsync(sql, CancellationToken.None)).Select(column => column.ToContract())];
    }

    public async Task<FrozenDataset> FreezeAsync(string sql, string key = "id", IReadOnlyList<Column>? columns = null) => new()
    {
        Name = "tested",
        Source = "tested",
        Sql = sql,
        Parameters = new Dictionary<string, string>(),
        Key = key,
        OrderedBy = OrderedBy,
        RowSecurity = RowSecurity,
        TrustsKey = TrustsKey,
        Table = Table,
        SchemaVersion = 1,
        Columns = columns ?? await DescribeAsync(sql),
    };

    public async Task<StagedBatch> ExportAsync(
        string sql, string key = "id", IReadOnlyList<Column>? columns = null, CancellationToken cancellationToken = default)
    {
        Meter = new ExportMeter { MaxRecords = MaxRecords, MaxBytes = MaxBytes };
        var plan = new ExportPlan
        {
            ExportId = ExportId.New(),
            BatchId = BatchId.New(),
            Attempt = "a",
            LeaseToken = Guid.NewGuid(),
            Criteria = default,
            Format = Format,
            Compression = Compression,
            CompressedFraming = Framing,
            MaxFileBytes = MaxFileBytes,
            Dataset = await FreezeAsync(sql, key, columns),
        };
        return await BatchExporter.ExportAsync(
            plan, sql, () => Source, Options, Staged.OpenAsync, Meter, null, new(Keys, Buffers), cancellationToken);
    }

    /// <summary>Exports, checks everything that must hold of any batch, and answers all files' text, each header once.</summary>
    public async Task<string> TextAsync(string sql, string key = "id")
    {
        Staged = new StagedObjects();
        var batch = await ExportAsync(sql, key);
        return Check(batch, Format == "csv"
            ? string.Join(',', (await DescribeAsync(sql)).Select(column => CsvText.Write(column.Name))) + '\n'
            : "");
    }

    public string Check(StagedBatch batch, string header)
    {
        var all = new MemoryStream();
        Assert.Equal(0, Staged.Open);
        Assert.Equal(batch.Files.SelectMany(file => new[] { file.Name, file.IndexName }).Order(), Staged.Complete.Keys.Order());
        Assert.Equal((batch.Records, batch.Bytes, batch.Files.Count), (Meter.Records, Meter.Bytes, Meter.Files));
        foreach (var (file, number) in batch.Files.Select((file, index) => (file, index + 1)))
        {
            var suffix = Compression == "gzip" ? ".gz" : "";
            var part = file.Range is { } range
                ? $"part-{range:D4}-{batch.Files.Take(number).Count(other => other.Range == range):D5}"
                : $"part-{number:D5}";
            Assert.Equal(($"{part}.{Format}{suffix}", $"{part}.index.json"), (file.Name, file.IndexName));
            var stored = Staged.Complete[file.Name];
            var index = Staged.Complete[file.IndexName];
            Assert.Equal((stored.Length, index.Length), (file.Bytes, file.IndexBytes));
            Assert.Equal(SHA256.HashData(stored), file.Sha256);
            Assert.Equal(SHA256.HashData(index), file.IndexSha256);
            var framing = Compression == "none" ? "none" : Framing;
            Assert.StartsWith(
                $"{{\"framing\":\"{framing}\",\"blocks\":[", Encoding.UTF8.GetString(index), StringComparison.Ordinal);
            var blocks = JsonSerializer.Deserialize<BlockIndex>(index, ClaimCheckJson.Options)!.Blocks;
            Assert.Equal((file.Blocks, file.Records), (blocks.Count, blocks.Sum(block => block.Records)));
            Assert.True(
                file.Bytes <= MaxFileBytes || blocks.Count == 1, $"{file.Name} has {file.Bytes} bytes in {blocks.Count} blocks.");

            var text = new MemoryStream();
            var (first, end) = framing == "deflate" ? (10, 10) : (0, 0); // the gzip header, and the end of the member
            var at = blocks.Count > 0 ? (int)blocks[0].Offset : stored.Length - end;
            Assert.Equal(file.Records > 0 || framing != "gzip" ? at : file.HeaderBytes, file.HeaderBytes);
            text.Write(Plain(stored.AsMemory(first, at - first)));
            Assert.Equal(header, Encoding.UTF8.GetString(text.ToArray()));
            foreach (var block in blocks)
            {
                Assert.Equal(at, block.Offset);
                var run = stored.AsMemory(at, (int)block.Bytes);
                Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(run.Span)), block.Sha256);
                var plain = Plain(run);
                Assert.Equal(block.UncompressedBytes, plain.Length);
                Assert.Equal(block.Records, CountRecords(plain));
                text.Write(plain);
                all.Write(plain);
                at += run.Length;
            }

            Assert.Equal(stored.Length - end, at);
            Assert.Equal(text.Length, file.UncompressedBytes);
            Assert.Equal(text.ToArray(), framing == "deflate" ? OneMember.Read(stored) : Plain(stored));
            Assert.Equal(
                (Encoding.UTF8.GetByteCount(header), text.Length),
                (file.PlainHeader.Length, file.PlainHeader.Then(file.PlainRecords).Length));
        }

        return Encoding.UTF8.GetString(all.ToArray());
    }

    public ValueTask DisposeAsync()
    {
        if (Directory.Exists(KeyDirectory))
            Directory.Delete(KeyDirectory, recursive: true);
        return Source.DisposeAsync();
    }

    private long CountRecords(byte[] block)
    {
        var text = Encoding.UTF8.GetString(block);
        return Format == "csv" ? CsvText.Parse(text).Count : text.Split('\n').Length - 1;
    }

    private byte[] Plain(ReadOnlyMemory<byte> stored)
    {
        if (Compression == "none")
            return stored.ToArray();
        if (Framing == "deflate")
            return OneMember.Block(stored);
        using var gzip = new GZipStream(new MemoryStream(stored.ToArray()), CompressionMode.Decompress);
        var plain = new MemoryStream();
        gzip.CopyTo(plain);
        return plain.ToArray();
    }
}
