using System.Security.Cryptography;
using System.Text.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.Cli.Tests;

[Collection(ToolScene.Other)]
public sealed class Downloading(ToolScene scene) : IDisposable
{
    public void Dispose() => scene.Proxy.Heal();

    [Fact]
    public async Task An_export_ends_as_verified_files_beside_their_manifest()
    {
        var folder = scene.NewFolder();
        var export = (await scene.RunAsync(
            "export", "wide", "--out", folder, "--max-file-bytes", "4MiB", "--compression", "none", "--json")).Exits(0).Json;
        Assert.Equal(20_000, export["download"]!["records"]!.GetValue<long>());
        Assert.Equal(export["download"]!["bytes"]!.GetValue<long>(), export["download"]!["bytesFetched"]!.GetValue<long>());
        var text = await File.ReadAllTextAsync(Path.Combine(folder, "manifest.json"));
        Assert.DoesNotContain("sig=", text);
        var manifest = JsonSerializer.Deserialize<Manifest>(text, ClaimCheckJson.Options)!;
        Assert.True(manifest.Files.Count > 2);
        await RightAsync(folder, manifest);

        var since = scene.Proxy.Requests.Count;
        var again = (await scene.RunAsync("download", $"{manifest.BatchId}", "--out", folder, "--json")).Exits(0).Json;
        Assert.Equal(0, again["bytesFetched"]!.GetValue<long>());
        Assert.DoesNotContain(
            scene.Proxy.Requests.Skip(since), request => request.Path.Contains("part-", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_killed_download_goes_on_behind_its_last_whole_block()
    {
        var (manifest, index) = await WideAsync();
        var file = Assert.Single(manifest.Files);
        // Into the middle of the third block.
        var cut = index.Blocks[2].Offset + (index.Blocks[2].Bytes / 2);
        var folder = scene.NewFolder();
        scene.Proxy.On(IsPart, new Fault.StallResponse(cut), times: 1);
        var partial = Path.Combine(folder, file.Name + ".partial");
        await using (var tool = scene.Start("download", $"{manifest.BatchId}", "--out", folder))
        {
            await Eventually.TrueAsync(
                () => Task.FromResult(File.Exists(partial) && new FileInfo(partial).Length >= index.Blocks[2].Offset));
            tool.Kill();
            await tool.EndAsync();
        }
        Assert.False(File.Exists(Path.Combine(folder, file.Name)));
        Assert.False(File.Exists(Path.Combine(folder, "manifest.json")));
        // A torn write of the killed process: what is there is not to be believed.
        await File.AppendAllBytesAsync(partial, new byte[1000]);

        var since = scene.Proxy.Requests.Count;
        var resumed = (await scene.RunAsync("download", $"{manifest.BatchId}", "--out", folder, "--json")).Exits(0).Json;
        Assert.Equal(index.Blocks[2].Offset, resumed["bytesKept"]!.GetValue<long>());
        Assert.Equal(
            file.Bytes - index.Blocks[2].Offset,
            scene.Proxy.Requests.Skip(since).Where(IsPart).Sum(request => request.AnsweredBytes));
        await RightAsync(folder, manifest);
    }

    [Fact]
    public async Task Bytes_altered_on_disk_are_fetched_again_and_no_others()
    {
        var (manifest, index) = await WideAsync();
        var folder = scene.NewFolder();
        (await scene.RunAsync("download", $"{manifest.BatchId}", "--out", folder)).Exits(0);
        var path = Path.Combine(folder, manifest.Files[0].Name);
        await using (var file = new FileStream(path, FileMode.Open))
        {
            file.Position = index.Blocks[1].Offset + 100;
            file.WriteByte((byte)'#');
        }
        var mended = (await scene.RunAsync("download", $"{manifest.BatchId}", "--out", folder, "--json")).Exits(0).Json;
        Assert.Equal(index.Blocks[1].Bytes, mended["bytesFetched"]!.GetValue<long>());
        await RightAsync(folder, manifest);

        // The header is in no block; its end is as good a place for an alteration as any.
        await using (var file = new FileStream(path, FileMode.Open))
            file.WriteByte((byte)'#');
        (await scene.RunAsync("download", $"{manifest.BatchId}", "--out", folder)).Exits(0);
        await RightAsync(folder, manifest);
    }

    [Fact]
    public async Task A_batch_revoked_midway_leaves_nothing_half_way()
    {
        var export = await scene.ReadyAsync("wide", maxFileBytes: 4 << 20);
        var folder = scene.NewFolder();
        var revoked = new TaskCompletionSource();
        scene.Proxy.On(
            request => request.Path.Contains("part-00002.csv", StringComparison.Ordinal), new Fault.Hold(revoked.Task));
        await using var tool = scene.Start("download", $"{export.BatchId}", "--out", folder, "--json");
        await Eventually.TrueAsync(() => Task.FromResult(scene.Proxy.Requests.Any(request =>
            request.Path.Contains($"{export.BatchId}", StringComparison.Ordinal)
            && request.Path.EndsWith("part-00002.csv", StringComparison.Ordinal))));
        await Eventually.TrueAsync(() => Task.FromResult(File.Exists(Path.Combine(folder, "part-00001.csv"))));
        await scene.Client.RevokeAsync(export.BatchId, "mistake");
        revoked.SetResult();

        var result = (await tool.EndAsync()).Exits(5);
        Assert.Equal("batch_revoked", result.Json["code"]!.GetValue<string>());
        Assert.Contains($"Nothing of {export.BatchId} is kept", result.Errors);
        Assert.Empty(Directory.GetFiles(folder));
    }

    [Fact]
    public async Task What_a_killed_download_left_goes_when_the_batch_turns_out_revoked()
    {
        var (manifest, index) = await WideAsync();
        var folder = scene.NewFolder();
        scene.Proxy.On(IsPart, new Fault.StallResponse(index.Blocks[1].Offset + 10), times: 1);
        await using (var tool = scene.Start("download", $"{manifest.BatchId}", "--out", folder))
        {
            await Eventually.TrueAsync(() => Task.FromResult(
                Directory.Exists(folder)
                && Directory.GetFiles(folder, "part-*.partial").Any(path => new FileInfo(path).Length > 0)));
            tool.Kill();
            await tool.EndAsync();
        }
        await scene.Client.RevokeAsync(manifest.BatchId);
        (await scene.RunAsync("download", $"{manifest.BatchId}", "--out", folder)).Exits(5);
        Assert.DoesNotContain(Directory.GetFiles(folder), path => !path.EndsWith(".lock", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_complete_download_stays_when_the_batch_is_revoked_later_and_is_named()
    {
        var export = await scene.ReadyAsync("items");
        var folder = scene.NewFolder();
        (await scene.RunAsync("download", $"{export.ExportId}", "--out", folder)).Exits(0);
        await scene.Client.RevokeAsync(export.BatchId);
        Assert.Contains("still has an earlier, complete download", (await scene.RunAsync(
            "download", $"{export.ExportId}", "--out", folder)).Exits(5).Errors);
        Assert.True(File.Exists(Path.Combine(folder, "part-00001.csv")));
    }

    [Fact]
    public async Task Bytes_that_are_altered_each_time_are_7_and_get_no_name()
    {
        var export = await scene.ReadyAsync("items");
        var folder = scene.NewFolder();
        scene.Proxy.On(IsPart, new Fault.CorruptResponse(1000));
        Assert.Equal("integrity_violation", (await scene.RunAsync(
            "download", $"{export.BatchId}", "--out", folder, "--json")).Exits(7).Json["code"]!.GetValue<string>());
        Assert.False(File.Exists(Path.Combine(folder, "part-00001.csv")));
        Assert.False(File.Exists(Path.Combine(folder, "manifest.json")));
    }

    [Fact]
    public async Task A_cut_connection_and_a_dead_link_are_mended_on_the_way()
    {
        var (manifest, index) = await WideAsync();
        var folder = scene.NewFolder();
        scene.Proxy.On(IsPart, new Fault.CutResponse(index.Blocks[1].Offset + 7), times: 1);
        scene.Proxy.On(IsPart, new Fault.Answer(403), times: 1);
        (await scene.RunAsync("download", $"{manifest.BatchId}", "--out", folder)).Exits(0);
        await RightAsync(folder, manifest);
    }

    [Fact]
    public async Task Files_may_lie_at_another_host_where_the_user_says_so()
    {
        var export = await scene.ReadyAsync("items");
        var folder = scene.NewFolder();
        var url = $"http://localhost:{scene.Proxy.Url.Port}"; // the links say 127.0.0.1
        var refused = (await scene.RunAsync("download", $"{export.BatchId}", "--out", folder, "--url", url)).Exits(7);
        Assert.Contains("--link-host", refused.Errors, StringComparison.Ordinal);

        (await scene.RunAsync(
            "download", $"{export.BatchId}", "--out", folder, "--url", url, "--link-host", "127.0.0.1")).Exits(0);
        await RightAsync(folder, await scene.Client.GetManifestAsync(export.BatchId));
    }

    [Fact]
    public async Task A_directory_of_something_else_is_left_alone()
    {
        var (one, other) = (await scene.ReadyAsync("items"), await scene.ReadyAsync("items"));
        var folder = scene.NewFolder();
        (await scene.RunAsync("download", $"{one.BatchId}", "--out", folder)).Exits(0);
        var before = await File.ReadAllBytesAsync(Path.Combine(folder, "part-00001.csv"));
        Assert.Equal("directory_in_use", (await scene.RunAsync(
            "download", $"{other.BatchId}", "--out", folder, "--json")).Exits(1).Json["code"]!.GetValue<string>());
        Assert.Equal(before, await File.ReadAllBytesAsync(Path.Combine(folder, "part-00001.csv")));

        File.Delete(Path.Combine(folder, "manifest.json"));
        (await scene.RunAsync("download", $"{one.BatchId}", "--out", folder)).Exits(1);
        var file = Path.Combine(scene.Folder, Guid.NewGuid().ToString("N"));
        await File.WriteAllTextAsync(file, "");
        (await scene.RunAsync("download", $"{one.BatchId}", "--out", file)).Exits(1);
    }

    [Fact]
    public async Task Two_downloads_do_not_write_one_directory()
    {
        var (manifest, index) = await WideAsync();
        var folder = scene.NewFolder();
        scene.Proxy.On(IsPart, new Fault.StallResponse(index.Blocks[0].Offset + 10), times: 1);
        await using var first = scene.Start("download", $"{manifest.BatchId}", "--out", folder);
        await Eventually.TrueAsync(
            () => Task.FromResult(Directory.Exists(folder) && Directory.GetFiles(folder, "part-*.partial").Length > 0));
        Assert.Contains(
            "another download", (await scene.RunAsync("download", $"{manifest.BatchId}", "--out", folder)).Exits(1).Errors);
        first.Interrupt();
        Assert.Contains("continues from here", (await first.EndAsync()).Exits(130).Errors);
        (await scene.RunAsync("download", $"{manifest.BatchId}", "--out", folder)).Exits(0);
        await RightAsync(folder, manifest);
    }

    [Fact]
    public async Task What_is_not_ready_is_6()
    {
        var export = await scene.Client.CreateExportAsync(new ExportRequest { Dataset = "endless" });
        Assert.Equal("not_ready", (await scene.RunAsync(
            "download", $"{export.ExportId}", "--json", "--out", scene.NewFolder())).Exits(6).Json["code"]!.GetValue<string>());
        (await scene.RunAsync(
            "download", $"{export.ExportId}", "--wait", "--timeout", "1s", "--out", scene.NewFolder())).Exits(6);
        await scene.Client.CancelExportAsync(export.ExportId);
    }

    private static bool IsPart(ProxiedRequest request) =>
        request.Path.Contains("part-", StringComparison.Ordinal) && request.Path.EndsWith(".csv", StringComparison.Ordinal);

    private async Task<(Manifest Manifest, BlockIndex Index)> WideAsync()
    {
        var manifest = await scene.Client.GetManifestAsync((await scene.ReadyAsync("wide")).BatchId);
        var index = JsonSerializer.Deserialize<BlockIndex>(
            await scene.FetchAsync(manifest.Files[0].Index.Url), ClaimCheckJson.Options)!;
        Assert.True(index.Blocks.Count > 3);
        return (manifest, index);
    }

    private static async Task RightAsync(string folder, Manifest manifest)
    {
        foreach (var file in manifest.Files)
            Assert.Equal(file.Sha256, Convert.ToHexStringLower(
                SHA256.HashData(await File.ReadAllBytesAsync(Path.Combine(folder, file.Name)))));
        Assert.Equal(manifest.Files.Count + 1, Directory.GetFiles(folder).Length);
    }
}
