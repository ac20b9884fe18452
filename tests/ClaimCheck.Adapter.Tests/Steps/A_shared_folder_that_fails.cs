using ClaimCheck.Testing;

namespace ClaimCheck.Adapter.Tests.Steps;

/// <summary>A disk that is full, a mount that is gone: it is told, nothing is lost, and fixing it is enough.</summary>
public sealed class A_shared_folder_that_fails
{
    [Fact]
    public async Task A_full_disk_is_told_and_freeing_some_space_is_enough()
    {
        await using var scene = await AdapterScene.CreateAsync(items: 30_000);
        scene.AddRoute("crm", "ar-4")["Compression"] = "none";
        // A disk of the process's own, which goes with it: nothing to unmount, whatever ends the test.
        await scene.StartAsync(
            "unshare", Environment.IsPrivilegedProcess ? "-m" : "-rm", "sh", "-c",
            "mount -t tmpfs -o size=2m tmpfs \"$0\" && exec \"$@\"", scene.Shared);
        var disk = $"/proc/{scene.Adapter.Pid}/root{scene.Shared}";
        Fill(Path.Combine(disk, "ballast"));

        var id = (string)(await scene.AskAsync(new { }))["id"]!;
        await Eventually.TrueAsync(() => Task.FromResult(scene.Adapter.Log.Contains("location_full", StringComparison.Ordinal)));
        Assert.Contains($"the folder {scene.Shared} could not store", scene.Adapter.Log, StringComparison.Ordinal);
        var delivering = await Eventually.NotNullAsync(async () =>
            await scene.GetAsync($"/exports/{id}") is var export && (string?)export["lastFailure"]?["code"] == "location_full"
                ? export
                : null);
        Assert.Equal(
            ("delivering", null, "delivering"),
            ((string)delivering["state"]!, delivering["failure"], (string)delivering["lastFailure"]!["step"]!));
        Assert.Empty(Directory.EnumerateFiles(disk, "_SUCCESS", SearchOption.AllDirectories));

        File.Delete(Path.Combine(disk, "ballast"));
        var delivered = await scene.BecomesAsync(id, "delivered");
        Assert.Null(delivered["lastFailure"]);
        Assert.Equal(30_000, scene.Records(Path.Combine(disk, (string)delivered["folder"]!)));
        Assert.Empty(Directory.EnumerateFiles(disk, "*.partial", SearchOption.AllDirectories));
        Assert.Single(await scene.AtServiceAsync());
    }

    [Fact]
    public async Task A_folder_that_is_gone_is_waited_for_and_not_made_anew()
    {
        await using var scene = await AdapterScene.CreateAsync();
        scene.AddRoute("crm", "ar-4");
        await scene.StartAsync();
        Directory.Delete(scene.Shared);

        var id = (string)(await scene.AskAsync(new { }))["id"]!;
        await Eventually.TrueAsync(() => Task.FromResult(scene.Adapter.Log.Contains("location_away", StringComparison.Ordinal)));
        Assert.False(Directory.Exists(scene.Shared));

        Directory.CreateDirectory(scene.Shared);
        var delivered = await scene.BecomesAsync(id, "delivered");
        Assert.Equal(1000, scene.Records((string)delivered["folder"]!));
    }

    private static void Fill(string file)
    {
        var piece = new byte[64 << 10];
        using var ballast = new FileStream(file, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        for (var i = 0; i < 1000; i++) // the disk has far less
        {
            try
            {
                ballast.Write(piece);
            }
            catch (IOException)
            {
                return;
            }
        }
        Assert.Fail("The disk is not small: it was not mounted.");
    }
}
