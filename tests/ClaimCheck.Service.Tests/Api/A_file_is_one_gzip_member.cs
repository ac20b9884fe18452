using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Api;

[Trait("needs", "outside")]
[Collection(ApiTests.Name)]
public sealed class A_file_is_one_gzip_member(ApiService service)
{
    [Fact]
    public async Task To_readers_of_one_member_and_to_Java_in_packets_and_so_is_the_whole_batch()
    {
        var stored = new List<byte[]>();
        foreach (var request in (string[])
        [
            """ "dataset": "big", "criteria": { "rows": 3000 }, "maxFileBytes": 65536, "format": "csv" """,
            """ "dataset": "big", "criteria": { "rows": 3000 }, "maxFileBytes": 65536, "format": "ndjson" """,
            """ "dataset": "items", "format": "csv" """,
            """ "dataset": "items", "format": "csv", "criteria": { "least": 99999 } """,
            """ "dataset": "items", "format": "ndjson", "criteria": { "least": 99999 } """,
        ])
        {
            var packed = await service.Http.ReadyAsync($"{{ {request} }}");
            var plain = await service.Http.ReadyAsync($$"""{ {{request}}, "compression": "none" }""");
            var files = await FilesAsync(packed);
            var data = (await service.Http.GetAsync(packed.Link("batch") + "/data")).Body;

            // What the same export without compression says.
            Assert.Equal(
                (await service.Http.GetAsync(plain.Link("batch") + "/data")).Text, Encoding.UTF8.GetString(OneMember.Read(data)));
            Assert.Equal(packed.Text("format") == "csv", OneMember.Read(files[^1]).AsSpan().StartsWith("id,name\n"u8));
            Assert.Equal(request.Contains("maxFileBytes", StringComparison.Ordinal), files.Count > 1);
            stored.AddRange(files);
            stored.Add(data);
        }

        Assert.Equal(
            stored.Select(file => Convert.ToHexStringLower(SHA256.HashData(OneMember.Read(file)))),
            await JavaGzip.DigestsAsync(stored));
    }

    [Fact]
    public async Task Whose_blocks_can_be_fetched_and_inflated_each_by_itself()
    {
        var export = await service.Http.ReadyAsync(
            """{ "dataset": "big", "criteria": { "rows": 1500 }, "maxFileBytes": 65536, "format": "ndjson" }""");
        var file = (await service.Http.GetAsync(export.Link("manifest"))).Json.GetProperty("files")[0];
        var index = (await service.Http.GetAsync(file.GetProperty("index").Text("url")!)).Json;
        Assert.Equal(["framing", "blocks"], index.Names());
        Assert.Equal("deflate", index.Text("framing")); // of a catalog that is new
        var blocks = index.GetProperty("blocks");
        Assert.True(blocks.GetArrayLength() > 2);

        var next = 1;
        foreach (var block in blocks.EnumerateArray())
        {
            var (from, bytes) = (block.GetProperty("offset").GetInt64(), block.GetProperty("bytes").GetInt64());
            var part = await service.Http.GetAsync(file.Text("url")!, ("Range", $"bytes={from}-{from + bytes - 1}"));
            Assert.Equal(block.Text("sha256"), Convert.ToHexStringLower(SHA256.HashData(part.Body)));
            var lines = Encoding.UTF8.GetString(OneMember.Block(part.Body)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.Equal(block.GetProperty("records").GetInt32(), lines.Length);
            Assert.All(lines, line => Assert.Equal(next++, JsonElement.Parse(line).GetProperty("id").GetInt32()));
        }
    }

    private async Task<List<byte[]>> FilesAsync(JsonElement export)
    {
        var files = new List<byte[]>();
        foreach (var file in (await service.Http.GetAsync(export.Link("manifest"))).Json.GetProperty("files").EnumerateArray())
            files.Add((await service.Http.GetAsync(file.Text("url")!)).Body);
        return files;
    }
}
