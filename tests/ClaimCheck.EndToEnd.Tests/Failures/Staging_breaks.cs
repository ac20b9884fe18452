using Amazon.S3.Model;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.EndToEnd.Tests.Failures;

/// <summary>The disk is full, the bucket gone, the credentials expired: exports report it, nothing is lost, and fixing the
/// cause is enough.</summary>
public sealed class Staging_breaks
{
    private const int Items = 30_000; // about a megabyte and a half

    [Fact]
    public async Task A_full_disk_is_told_and_freeing_some_space_is_enough()
    {
        await using var scene = await Scene.CreateAsync(Items);
        HaveTries(scene);
        var folder = Path.Combine(scene.DataDirectory, "disk");
        Directory.CreateDirectory(folder);
        scene.Settings["ClaimCheck__Staging__Folder"] = folder;
        // A disk of the process's own, which goes with it: nothing to unmount, whatever ends the test.
        await using var service = await ServiceProcess.StartAsync(
            scene.Settings,
            0,
            "unshare", Environment.IsPrivilegedProcess ? "-m" : "-rm", "sh", "-c",
            "mount -t tmpfs -o size=8m tmpfs \"$0\" && exec \"$@\"", folder);
        using var client = new Client(service);
        var ballast = $"/proc/{service.Pid}/root{folder}/ballast";

        await AssertMendedAsync(scene, client, "the disk is full", keepsOld: true, () => Fill(ballast), () =>
        {
            File.Delete(ballast);
            return Task.CompletedTask;
        });
    }

    [Fact]
    public async Task A_bucket_that_is_gone_is_told_and_making_it_again_is_enough()
    {
        await using var scene = await Scene.CreateAsync(Items, onS3: true);
        HaveTries(scene);
        var server = await S3Endpoint.GetAsync();
        using var client = new Client(await scene.StartServiceAsync());

        await AssertMendedAsync(
            scene,
            client,
            "the bucket does not exist",
            keepsOld: false,
            async () =>
            {
                foreach (var key in await Staged.ObjectsAsync(scene))
                    await server.Client.DeleteObjectAsync(scene.Bucket, key);
                await server.Client.DeleteBucketAsync(scene.Bucket);
            },
            () => server.Client.PutBucketAsync(new PutBucketRequest { BucketName = scene.Bucket }));
    }

    [Fact]
    public async Task Expired_credentials_are_told_and_renewing_them_is_enough()
    {
        var server = await S3Endpoint.GetAsync();
        await using var proxy = await FaultProxy.StartAsync(server.Url);
        await using var scene = await Scene.CreateAsync(Items, s3: proxy.Url);
        HaveTries(scene);
        using var client = new Client(await scene.StartServiceAsync());

        await AssertMendedAsync(
            scene,
            client,
            "the credentials have expired",
            keepsOld: true,
            () =>
            {
                proxy.On(_ => true, Fault.S3Error(400, "ExpiredToken"));
                return Task.CompletedTask;
            },
            () =>
            {
                proxy.Heal();
                return Task.CompletedTask;
            });

        var wrong = new Dictionary<string, string>(scene.Settings, StringComparer.Ordinal)
        {
            ["AWS_SECRET_ACCESS_KEY"] = "wrong-and-never-to-be-seen",
        };
        var (exitCode, output) = await ServiceProcess.RunAsync(wrong, "http://127.0.0.1:0");
        Assert.Equal(1, exitCode);
        Assert.Contains("claimcheck: ", output, StringComparison.Ordinal);
        Assert.Contains(scene.Bucket!, output, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong-and-never-to-be-seen", output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
    }

    private static async Task AssertMendedAsync(
        Scene scene, Client client, string told, bool keepsOld, Func<Task> breakAsync, Func<Task> mendAsync)
    {
        var old = await client.AskAsync("items");
        await client.UntilAsync(old, ExportState.Ready);
        await client.EventAsync(old, EventTypes.BulkReady);

        await breakAsync();
        var failed = await client.UntilAsync(await client.AskAsync("items"), ExportState.Failed);
        Assert.Equal("staging_unavailable", failed.Failure!.Code);
        Assert.Contains(told, failed.Failure.Detail, StringComparison.Ordinal);
        Assert.Equal(3, await TriesAsync(scene, failed) + 1);
        await client.EventAsync(failed, EventTypes.BulkFailed);

        // After its first try it waits, however long the repair takes.
        await Scene.SqlAsync(
            scene.Catalog,
            """
            CREATE FUNCTION put_off() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.next_try_at = now() + interval '1 hour'; RETURN NEW; END $$;
            CREATE TRIGGER put_off BEFORE UPDATE ON exports FOR EACH ROW WHEN (NEW.state = 'pending' AND NEW.tries > 0) EXECUTE FUNCTION put_off();
            """);
        var saved = await client.AskAsync("items");
        await Eventually.TrueAsync(async () => await Scene.ScalarAsync<bool>(
            scene.Catalog, $"SELECT state = 'pending' AND tries > 0 FROM exports WHERE id = '{saved.ExportId.Value}'"));
        await mendAsync();
        await Scene.SqlAsync(
            scene.Catalog,
            $"DROP TRIGGER put_off ON exports; UPDATE exports SET next_try_at = now() WHERE id = '{saved.ExportId.Value}'");
        await client.UntilAsync(saved, ExportState.Ready);
        await client.EventAsync(saved, EventTypes.BulkReady);
        await client.AssertWholeAsync(saved, Items);
        if (keepsOld)
            await client.AssertWholeAsync(old, Items);
        await Eventually.TrueAsync(
            async () => await Scene.ScalarAsync<long>(
                scene.Catalog, "SELECT count(*) FROM batch_deletions WHERE verified_at IS NOT NULL") == 1,
            Client.Patience);
        Assert.Equal(3, (await client.FeedAsync()).Count);
    }

    private static void HaveTries(Scene scene)
    {
        scene.Settings["ClaimCheck__Exporting__Tries"] = "3";
        scene.Settings["ClaimCheck__Exporting__Delay"] = "00:00:02";
        scene.Settings["ClaimCheck__Exporting__LongestDelay"] = "00:00:02";
    }

    private static Task<int> TriesAsync(Scene scene, Export export) =>
        Scene.ScalarAsync<int>(scene.Catalog, $"SELECT tries FROM exports WHERE id = '{export.ExportId.Value}'");

    private static async Task Fill(string path)
    {
        await using var ballast = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        var some = new byte[64 << 10];
        try
        {
            while (ballast.Length < 1L << 30)
                await ballast.WriteAsync(some);
        }
        catch (IOException)
        {
            return; // full
        }

        Assert.Fail("The disk is not small: it was not mounted.");
    }
}
