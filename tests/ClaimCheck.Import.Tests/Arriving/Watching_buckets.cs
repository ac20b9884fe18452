using System.Text.Json.Nodes;
using Amazon.S3.Model;
using ClaimCheck.Testing;

namespace ClaimCheck.Import.Tests.Arriving;

/// <summary>Objects below a prefix are taken by markers, once, and stay where they are.</summary>
public sealed class Watching_buckets : IAsyncLifetime
{
    private RecordEndpoint endpoint = null!;
    private ImportScene scene = null!;
    private S3Endpoint s3 = null!;
    private string bucket = "";

    public async Task InitializeAsync()
    {
        endpoint = await RecordEndpoint.StartAsync();
        scene = ImportScene.For(endpoint.Address);
        s3 = await S3Endpoint.GetAsync();
        bucket = await s3.NewBucketAsync();
        scene.Options.Source = $"s3://{bucket}/feeds/orders/";
        scene.WriteConfig(endpoint.Address);
    }

    public async Task DisposeAsync()
    {
        await endpoint.DisposeAsync();
        await scene.DisposeAsync();
    }

    [Fact]
    public async Task Objects_are_imported_once_and_their_markers_say_how_it_went()
    {
        await PutAsync("feeds/orders/a.csv", ImportScene.Csv(30));
        await PutAsync("feeds/orders/day 2/ü.csv", ImportScene.Csv(30, from: 100));
        await PutAsync("feeds/orders/broken.csv", "");
        await PutAsync("feeds/other/c.csv", ImportScene.Csv(1, from: 500));
        var runs = await WatchAsync(5);

        Assert.Equal(
            ["completed", "completed", "failed"], runs.Select(run => (string)run["state"]!).Order(StringComparer.Ordinal));
        Assert.Equal(60, endpoint.Succeeded.Count);
        Assert.Empty(await WatchAsync(0));

        var keys = (await s3.Client.ListObjectsV2Async(new ListObjectsV2Request { BucketName = bucket })).S3Objects
            .Select(item => item.Key).ToList();
        Assert.Equal(4, keys.Count(key => !key.Contains("/.claimcheck/", StringComparison.Ordinal)));
        var marker = JsonNode.Parse(
            await TextAsync(keys.Single(key => key.StartsWith("feeds/orders/.claimcheck/a.csv@", StringComparison.Ordinal))))!;
        Assert.Equal(("completed", 30), ((string?)marker["state"], (int)marker["counts"]!["succeeded"]!));
        Assert.DoesNotContain(Directory.EnumerateFiles(scene.State, "input", SearchOption.AllDirectories), _ => true);

        // New content under the same key is a new file.
        await PutAsync("feeds/orders/a.csv", ImportScene.Csv(5, from: 900));
        Assert.Single(await WatchAsync(0));
        Assert.Equal(65, endpoint.Succeeded.Count);
    }

    [Fact]
    public async Task Watchers_with_states_of_their_own_share_a_prefix()
    {
        for (var i = 0; i < 12; i++)
            await PutAsync($"feeds/orders/{i}.csv", ImportScene.Csv(20, from: 1 + (i * 20)));
        var all = await Task.WhenAll(Enumerable.Range(0, 3).Select(async i =>
        {
            await using var tool = Start("--state", Path.Combine(scene.Folder, $"state-{i}"));
            return (await tool.EndAsync()).Exits(0).JsonLines.Count;
        }));

        Assert.Equal(12, all.Sum());
        Assert.Equal(240, endpoint.Succeeded.Count);
        Assert.All(endpoint.Succeeded.Values, times => Assert.Equal(1, times));
    }

    [Fact]
    public async Task What_a_killed_watcher_had_taken_is_gone_on_with()
    {
        var refuse = true;
        endpoint.Instead = (_, context) =>
        {
            context.Response.StatusCode = refuse ? 503 : 200;
            return Task.FromResult(refuse);
        };
        scene.Options.Retry.Rounds = 1000;
        scene.WriteConfig(endpoint.Address);
        await PutAsync("feeds/orders/a.csv", ImportScene.Csv(30));
        await using (var tool = Start())
        {
            await Eventually.TrueAsync(() => Task.FromResult(endpoint.All.Count > 2));
            tool.Kill();
        }
        refuse = false;
        Assert.Equal("completed", (string?)Assert.Single(await WatchAsync(0))["state"]);
        Assert.All(endpoint.Succeeded.Values, times => Assert.Equal(1, times));
    }

    [Fact]
    public async Task A_bucket_that_is_not_there_is_said()
    {
        await using var tool = Start("--watch", "s3://no-such-bucket-at-all/feeds/");
        var result = (await tool.EndAsync()).Exits(1);
        Assert.Contains("NoSuchBucket", result.Errors);
    }

    private async Task<IReadOnlyList<JsonNode>> WatchAsync(int exitCode)
    {
        await using var tool = Start();
        return (await tool.EndAsync()).Exits(exitCode).JsonLines;
    }

    private ToolProcess Start(params string[] more) => ToolProcess.Start(
        s3.Environment, ["import", "start", "--config", Path.Combine(scene.Folder, "import.json"), "--once", "--json", .. more]);

    private Task PutAsync(string key, string text) =>
        s3.Client.PutObjectAsync(new PutObjectRequest { BucketName = bucket, Key = key, ContentBody = text });

    private async Task<string> TextAsync(string key)
    {
        using var answer = await s3.Client.GetObjectAsync(bucket, key);
        using var reader = new StreamReader(answer.ResponseStream);
        return await reader.ReadToEndAsync();
    }
}
