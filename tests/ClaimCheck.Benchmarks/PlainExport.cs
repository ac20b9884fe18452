using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using Amazon.S3.Transfer;
using CsvHelper;
using Dapper;
using Npgsql;

namespace ClaimCheck.Benchmarks;

/// <summary>The plain .NET way, as a peer: Dapper, then CsvHelper or Utf8JsonWriter, then GZipStream, then perhaps
/// TransferUtility. It runs in a process of its own.</summary>
internal static class PlainExport
{
    /// <summary>The verb that this program runs itself with.</summary>
    public const string Verb = "export-plainly";
    public const string Source = "CLAIMCHECK_BENCH_SOURCE";

    /// <summary>Where S3 is, and the keys: <c>url access secret bucket key</c>; empty for a file alone.</summary>
    public const string Bucket = "CLAIMCHECK_BENCH_S3";

    /// <summary>Exports, and prints seconds (without the start of the process) and CPU seconds.</summary>
    public static async Task<int> ExportHereAsync(string format, long orders, string file)
    {
        DefaultTypeMap.MatchNamesWithUnderscores = true;
        var watch = Stopwatch.StartNew();
        await using (var connection = new NpgsqlConnection(Environment.GetEnvironmentVariable(Source)))
        {
            var rows = connection.QueryUnbufferedAsync<Order>(ExportLab.Query("@orders"), new { orders }, commandTimeout: 0);
            await using var packed = new GZipStream(File.Create(file), CompressionLevel.Fastest);
            await (format == "csv" ? CsvAsync(rows, packed) : NdjsonAsync(rows, packed));
        }

        if (Environment.GetEnvironmentVariable(Bucket) is { Length: > 0 } target)
        {
            var parts = target.Split(' ');
            using var s3 = new Amazon.S3.AmazonS3Client(parts[1], parts[2], new Amazon.S3.AmazonS3Config
            {
                ServiceURL = parts[0],
                AuthenticationRegion = "us-east-1",
                ForcePathStyle = true,
                RequestChecksumCalculation = Amazon.Runtime.RequestChecksumCalculation.WHEN_REQUIRED,
                ResponseChecksumValidation = Amazon.Runtime.ResponseChecksumValidation.WHEN_REQUIRED,
            });
            using var transfer = new TransferUtility(s3);
            await transfer.UploadAsync(file, parts[3], parts[4]);
        }

        using var self = Process.GetCurrentProcess();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{watch.Elapsed.TotalSeconds} {self.TotalProcessorTime.TotalSeconds}"));
        return 0;
    }

    private static async Task CsvAsync(IAsyncEnumerable<Order> rows, Stream stream)
    {
        await using var csv = CsvWriter.Create(stream, CsvWriterOptions.Default);
        foreach (var name in (string[])["id", "customer", "status", "amount", "currency", "note", "created_at"])
            csv.WriteField(name);
        await csv.EndRecordAsync();
        await foreach (var row in rows)
        {
            csv.WriteField(row.Id);
            csv.WriteField(row.Customer);
            csv.WriteField(row.Status);
            csv.WriteField(row.Amount);
            csv.WriteField(row.Currency);
            csv.WriteField(row.Note);
            csv.WriteField(row.CreatedAt);
            await csv.EndRecordAsync();
        }
    }

    private static async Task NdjsonAsync(IAsyncEnumerable<Order> rows, Stream stream)
    {
        // Flushing a writer over the stream would flush GZipStream after every row.
        var buffer = new ArrayBufferWriter<byte>(1 << 17);
        await using var json = new Utf8JsonWriter(buffer);
        await foreach (var row in rows)
        {
            json.WriteStartObject();
            json.WriteNumber("id", row.Id);
            json.WriteString("customer", row.Customer);
            json.WriteString("status", row.Status);
            json.WriteNumber("amount", row.Amount);
            json.WriteString("currency", row.Currency);
            json.WriteString("note", row.Note);
            json.WriteString("created_at", row.CreatedAt);
            json.WriteEndObject();
            json.Flush();
            json.Reset();
            buffer.Write("\n"u8);
            if (buffer.WrittenCount < 1 << 16)
                continue;
            await stream.WriteAsync(buffer.WrittenMemory);
            buffer.ResetWrittenCount();
        }

        await stream.WriteAsync(buffer.WrittenMemory);
    }

    /// <summary>A row, as Dapper makes it.</summary>
    internal sealed class Order
    {
        public long Id { get; set; }
        public string Customer { get; set; } = "";
        public string Status { get; set; } = "";
        public decimal Amount { get; set; }
        public string Currency { get; set; } = "";
        public string? Note { get; set; }
        public DateTime CreatedAt { get; set; }
    }
}
