using System.Net.Http.Json;
using System.Text.Json.Nodes;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.Adapter.Tests.Steps;

/// <summary>Where the system refuses MD5 (FIPS), batches are staged in S3, announced through SQS, delivered to a bucket and
/// revoked as elsewhere.</summary>
public sealed class A_system_without_md5
{
    [Fact]
    public async Task Batches_are_exported_delivered_and_revoked()
    {
        var (name, hook) = ("DOTNET_STARTUP_HOOKS", typeof(StartupHook).Assembly.Location);
        await using var scene = await AdapterScene.CreateWithQueueAsync(items: 10, onS3: true, (name, hook));
        scene.Set(name, hook);
        // More than a part, however well it is compressed.
        await Scene.SqlAsync(
            scene.Scene.Source,
            """
            CREATE TABLE noise (id bigint PRIMARY KEY, note text);
            INSERT INTO noise SELECT g, (SELECT string_agg(gen_random_uuid()::text, '' ORDER BY n) FROM generate_series(1, 100 + 0 * g) n) FROM generate_series(1, 6000) g
            """);
        scene.Scene.AddDataset("noise", "SELECT id, note FROM noise ORDER BY id");
        var s3 = await S3Endpoint.GetAsync();
        var bucket = await s3.NewBucketAsync();
        scene.AddRoute("evented", "ar-2", "noise")["Destination"]!["Location"] = new JsonObject
        {
            ["Kind"] = "s3",
            ["Bucket"] = bucket,
            ["ServiceUrl"] = s3.Url.GetLeftPart(UriPartial.Authority),
            ["Region"] = s3.Region,
            ["AccessKey"] = s3.AccessKey,
            ["SecretKey"] = s3.SecretKey,
            ["PartBytes"] = 5 << 20,
        };
        scene.Service.HangUp();
        await Eventually.TrueAsync(
            async () => (await scene.Client.GetDatasetsAsync()).Items.Any(dataset => dataset.Name == "noise"));
        scene.Settings["AllowedLinkHosts"]!.AsArray().Add(s3.Url.Authority);
        await scene.StartAsync();
        Assert.Contains(StartupHook.Said, scene.Service.Log, StringComparison.Ordinal);
        Assert.Contains(StartupHook.Said, scene.Adapter.Log, StringComparison.Ordinal);

        using var asked = await scene.Http.PostAsync("/routes/evented/runs", null);
        var id = (string)(await asked.Content.ReadFromJsonAsync<JsonNode>())!["id"]!;
        var delivered = await scene.BecomesAsync(id, "delivered");
        var stored = (await s3.Client.ListObjectsV2Async(new() { BucketName = bucket })).S3Objects;
        Assert.Contains(stored, item => item.Key.Contains("/part-", StringComparison.Ordinal) && item.Size > 10 << 20);
        Assert.Contains(stored, item => item.Key.EndsWith("manifest.json", StringComparison.Ordinal));

        Assert.True(BatchId.TryParse((string)delivered["batchId"]!, out var batch));
        Assert.True((await scene.Client.RevokeAsync(batch, "test")).IsVerified);
        await scene.BecomesAsync(id, "revoked");
        Assert.DoesNotContain((await s3.Client.ListObjectsV2Async(new() { BucketName = bucket })).S3Objects ?? [], item =>
            item.Key.Contains("/part-", StringComparison.Ordinal));
    }
}
