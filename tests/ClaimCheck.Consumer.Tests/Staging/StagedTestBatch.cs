using System.IO.Compression;
using System.IO.Hashing;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ClaimCheck.Contracts;

namespace ClaimCheck.Consumer.Tests.Staging;

/// <summary>Writes a batch as the wire contract describes it, with none of the service's code. Rows are the values'
/// texts; null is NULL.</summary>
internal sealed class StagedTestBatch
{
    public BatchId BatchId { get; } = BatchId.New();

    public required IReadOnlyList<Column> Columns { get; init; }

    public required IReadOnlyList<string?[]> Rows { get; init; }

    public string Format { get; init; } = "csv";

    public string Compression { get; init; } = "gzip";

    /// <summary>How blocks are stored: deflate, gzip or none.</summary>
    public string Framing { get => field ?? (Compression == "gzip" ? "deflate" : "none"); init; }

    /// <summary>Version 0.1 did not say.</summary>
    public bool SaysFraming { get; init; } = true;

    public int RowsPerBlock { get; init; } = 10;

    public int BlocksPerFile { get; init; } = 3;

    /// <summary>Stored objects by name; tests may replace some.</summary>
    public Dictionary<string, byte[]> Objects { get; } = new(StringComparer.Ordinal);

    public List<(string Name, string Index, long Records, long Uncompressed)> Files { get; } = [];

    /// <summary>Changes an index before it is stored and summed up: for indices that lie.</summary>
    public Func<Block, Block> Describe { get; init; } = block => block;

    public StagedTestBatch Write()
    {
        var perFile = RowsPerBlock * BlocksPerFile;
        for (var first = 0; first == 0 || first < Rows.Count; first += perFile)
            WriteFile(Files.Count + 1, Rows.Skip(first).Take(perFile).ToList());
        return this;
    }

    public Manifest Manifest(string address, string signature)
    {
        var files = Files.Select(file => new ManifestFile
        {
            Name = file.Name,
            Url = new Link($"{address}/staged/{file.Name}?sig={signature}"),
            Records = file.Records,
            Bytes = Objects[file.Name].Length,
            UncompressedBytes = file.Uncompressed,
            Sha256 = Sha256(Objects[file.Name]),
            Index = new ManifestIndex(
                new Link($"{address}/staged/{file.Index}?sig={signature}"),
                Objects[file.Index].Length,
                Sha256(Objects[file.Index])),
        }).ToList();
        return new Manifest
        {
            ExportId = ExportId.New(),
            BatchId = BatchId,
            Dataset = "orders",
            SchemaVersion = 1,
            Criteria = JsonDocument.Parse("{}").RootElement,
            SnapshotAt = DateTimeOffset.UnixEpoch,
            Columns = Columns,
            Key = Columns[0].Name,
            Format = Format,
            Compression = Compression,
            Records = files.Sum(file => file.Records),
            Bytes = files.Sum(file => file.Bytes),
            UncompressedBytes = files.Sum(file => file.UncompressedBytes),
            LinksExpireAt = DateTimeOffset.UnixEpoch.AddYears(100),
            ClaimUrl = $"{address}/v1/batches/{BatchId}/manifest",
            Files = files,
        };
    }

    public static string Sha256(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private void WriteFile(int ordinal, List<string?[]> rows)
    {
        var name = $"part-{ordinal:00000}.{Format}{(Compression == "gzip" ? ".gz" : "")}";
        using var stored = new MemoryStream();
        using var plain = new MemoryStream();
        if (Framing == "deflate")
            stored.Write([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF]);
        if (Format == "csv")
        {
            var header = Encoding.UTF8.GetBytes(string.Join(',', Columns.Select(column => Quoted(column.Name, false))) + "\n");
            plain.Write(header);
            stored.Write(Pack(header));
        }
        var blocks = new List<Block>();
        for (var first = 0; first < rows.Count; first += RowsPerBlock)
        {
            var run = rows.Skip(first).Take(RowsPerBlock).ToList();
            var text = Encoding.UTF8.GetBytes(
                string.Concat(run.Select(row => (Format == "csv" ? CsvLine(row) : JsonLine(row)) + "\n")));
            var packed = Pack(text);
            blocks.Add(Describe(new Block(stored.Position, packed.Length, text.Length, run.Count, Sha256(packed))));
            stored.Write(packed);
            plain.Write(text);
        }
        if (Framing == "deflate")
            stored.Write([3, 0, .. BitConverter.GetBytes(Crc32.HashToUInt32(plain.ToArray())),
                .. BitConverter.GetBytes((uint)plain.Length)]);
        var index = $"part-{ordinal:00000}.index.json";
        Objects[name] = stored.ToArray();
        Objects[index] = JsonSerializer.SerializeToUtf8Bytes(
            new BlockIndex(blocks) { Framing = SaysFraming ? Framing : null }, ClaimCheckJson.Options);
        Files.Add((name, index, rows.Count, plain.Length));
    }

    private byte[] Pack(byte[] bytes)
    {
        if (Framing == "none")
            return bytes;
        using var packed = new MemoryStream();
        if (Framing == "deflate")
        {
            using var deflate = new DeflateStream(packed, CompressionLevel.Fastest);
            deflate.Write(bytes);
            deflate.Flush();
            return packed.ToArray(); // without the final block that closing adds
        }
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
            gzip.Write(bytes);
        return packed.ToArray();
    }

    private string CsvLine(string?[] row) =>
        string.Join(',', row.Select(value => value is null ? "" : Quoted(value, Columns.Count == 1)));

    private static string Quoted(string value, bool always) =>
        always || value.Length == 0 || value.AsSpan().ContainsAny(",\"\n\r") || value[0] == ' '
            ? $"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\""
            : value;

    private string JsonLine(string?[] row) =>
        "{" + string.Join(',', row.Select(
            (value, i) => $"{JsonSerializer.Serialize(Columns[i].Name)}:{JsonValue(value, Columns[i].Type)}")) + "}";

    private static string JsonValue(string? value, string type) =>
        (value, type) switch
        {
            (null, _) => "null",
            (_, "bigint" or "integer" or "smallint" or "numeric" or "jsonb" or "boolean") => value,
            ("NaN" or "Infinity" or "-Infinity", "double precision") => $"\"{value}\"",
            (_, "double precision") => value,
            _ => JsonSerializer.Serialize(value),
        };
}
