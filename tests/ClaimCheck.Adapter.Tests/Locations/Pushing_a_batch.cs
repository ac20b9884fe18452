using System.Text.Json;
using ClaimCheck.Adapter.Locations;
using ClaimCheck.Consumer;
using ClaimCheck.Contracts;

namespace ClaimCheck.Adapter.Tests.Locations;

[Collection(LocationCollection.Name)]
public sealed class Pushing_a_batch(LocationServers servers, PushScene scene) : IClassFixture<PushScene>
{
    [Theory, InlineData("folder"), InlineData("s3"), InlineData("sftp"), InlineData("webdav"), InlineData("put")]
    public async Task Ends_with_all_files_a_list_without_links_and_a_mark_and_again_with_the_very_same(string kind)
    {
        await using var lab = await servers.NewAsync(kind);
        using var pushing = scene.NewPushing();
        var manifest = await scene.ExportAsync();

        var pushed = await pushing.Pusher.PushAsync(manifest.BatchId, lab.Location, "items/x", default);

        Assert.Equal((manifest.Files.Count, manifest.Bytes), (pushed.FilesWritten, pushed.BytesWritten));
        var seen = await lab.SeenAsync();
        Assert.Equal(Names(manifest), seen.Keys);
        Assert.All(manifest.Files, file => Assert.Equal(file.Sha256, Pushing.Sha256(seen[$"items/x/{file.Name}"])));
        var list = JsonSerializer.Deserialize<Manifest>(seen[pushed.ManifestPath], ClaimCheckJson.Options)!;
        Assert.Equal(
            manifest.Files.Select(file => (file.Name, file.Sha256)), list.Files.Select(file => (file.Url.Reveal(), file.Sha256)));
        Assert.DoesNotContain("sig=", System.Text.Encoding.UTF8.GetString(seen[pushed.ManifestPath]), StringComparison.Ordinal);
        var mark = JsonSerializer.Deserialize<SuccessMark>(seen["items/x/_SUCCESS"], ClaimCheckJson.Options)!;
        Assert.Equal(
            (manifest.BatchId, manifest.Records, Pushing.Sha256(seen[pushed.ManifestPath])),
            (mark.BatchId, mark.Records, mark.ManifestSha256));
        Assert.Empty(Directory.GetFileSystemEntries(pushing.Work));

        var again = await pushing.Pusher.PushAsync(manifest.BatchId, lab.Location, "items/x", default);

        Assert.Equal((0, 0L), (again.FilesWritten, again.BytesWritten));
        Assert.Equal(seen.Select(file => (file.Key, Pushing.Sha256(file.Value))), (await lab.SeenAsync()).Select(
            file => (file.Key, Pushing.Sha256(file.Value))));
    }

    [Fact]
    public async Task Puts_each_file_once_where_a_server_lists_nothing_and_runs_no_commands()
    {
        await using var server = await SshServer.StartAsync("internal-sftp -P opendir,readdir,posix-rename");
        await using var lab = await servers.NewAsync("sftp", options =>
            options with { Port = server.Port, IdentityFile = server.Key, KnownHostsFile = server.KnownHosts });
        using var pushing = scene.NewPushing();
        var manifest = await scene.ExportAsync();
        var location = new EventfulLocation(lab.Location);

        await pushing.Pusher.PushAsync(manifest.BatchId, location, "items/x", default);
        await pushing.Pusher.PushAsync(manifest.BatchId, location, "items/x", default);

        Assert.Equal(Names(manifest), (await lab.SeenAsync()).Keys);
        var written = location.Changes.Where(change => change.StartsWith('+')).ToList();
        Assert.Equal(written.Count, written.Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public async Task Goes_on_where_a_push_died_and_fetches_nothing_twice()
    {
        await using var lab = await servers.NewAsync("folder");
        using var pushing = scene.NewPushing();
        var manifest = await scene.ExportAsync();
        var location = new EventfulLocation(lab.Location)
        {
            // Dies in the middle of the third file, as a killed process does: nobody tidies up.
            Writing = async path =>
            {
                if (path.EndsWith(manifest.Files[2].Name, StringComparison.Ordinal))
                {
                    await lab.PlantAsync(LocationPath.Temporary(path), new byte[1000]);
                    throw new InvalidOperationException("killed");
                }
            },
        };

        await Assert.ThrowsAsync<InvalidOperationException>(
            () => pushing.Pusher.PushAsync(manifest.BatchId, location, "items/x", default));

        var seen = await lab.SeenAsync();
        Assert.DoesNotContain("items/x/_SUCCESS", seen.Keys);
        Assert.DoesNotContain($"items/x/{manifest.Files[2].Name}", seen.Keys);
        // what was fetched is kept
        Assert.Single(Directory.GetFiles(pushing.Work, manifest.Files[2].Name, SearchOption.AllDirectories));
        location.Writing = _ => Task.CompletedTask;
        location.Changes.Clear();
        var pushed = await pushing.Pusher.PushAsync(manifest.BatchId, location, "items/x", default);

        Assert.Equal(manifest.Files.Count - 2, pushed.FilesWritten);
        Assert.Equal("+_SUCCESS", location.Changes[^1]);
        Assert.Equal(Names(manifest), (await lab.SeenAsync()).Keys);
        Assert.Empty(Directory.GetFileSystemEntries(pushing.Work));
    }

    [Fact]
    public async Task Mends_what_was_altered_or_lost_and_takes_the_mark_back_meanwhile()
    {
        await using var lab = await servers.NewAsync("folder");
        using var pushing = scene.NewPushing();
        var manifest = await scene.ExportAsync();
        await pushing.Pusher.PushAsync(manifest.BatchId, lab.Location, "items/x", default);
        var before = await lab.SeenAsync();
        await lab.PlantAsync($"items/x/{manifest.Files[1].Name}", new byte[manifest.Files[1].Bytes]);
        await lab.Location.DeleteAsync("items/x", [manifest.Files[3].Name], default);
        var location = new EventfulLocation(lab.Location)
        {
            Writing = async path => Assert.DoesNotContain("items/x/_SUCCESS", (await lab.SeenAsync()).Keys),
        };

        var pushed = await pushing.Pusher.PushAsync(manifest.BatchId, location, "items/x", default);

        Assert.Equal(2, pushed.FilesWritten);
        Assert.Equal(before.Select(file => (file.Key, Pushing.Sha256(file.Value))), (await lab.SeenAsync()).Select(
            file => (file.Key, Pushing.Sha256(file.Value))));
    }

    [Theory, InlineData(2), InlineData(-1)]
    public async Task Ends_with_nothing_but_the_reason_where_the_batch_is_revoked_meanwhile(int when)
    {
        await using var lab = await servers.NewAsync("folder");
        using var pushing = scene.NewPushing();
        var manifest = await scene.ExportAsync();
        var name = when < 0 ? "manifest.json" : manifest.Files[when].Name;
        var location = new EventfulLocation(lab.Location)
        {
            Writing = path => path.EndsWith(name, StringComparison.Ordinal)
                ? scene.Client.RevokeAsync(manifest.BatchId, "wrong prices")
                : Task.CompletedTask,
        };

        await Assert.ThrowsAsync<BatchRevokedException>(
            () => pushing.Pusher.PushAsync(manifest.BatchId, location, "items/x", default));

        await OnlyTheReasonIsLeftAsync(lab, manifest, "wrong prices");
        Assert.DoesNotContain("+_SUCCESS", location.Changes);
        Assert.Empty(Directory.GetFileSystemEntries(pushing.Work));
        await Assert.ThrowsAsync<BatchRevokedException>(
            () => pushing.Pusher.PushAsync(manifest.BatchId, location, "items/x", default));
        await OnlyTheReasonIsLeftAsync(lab, manifest, "wrong prices");
    }

    [Theory, InlineData("folder"), InlineData("s3"), InlineData("sftp"), InlineData("webdav"), InlineData("put")]
    public async Task Is_undone_mark_first_and_says_why(string kind)
    {
        await using var lab = await servers.NewAsync(kind);
        using var pushing = scene.NewPushing();
        var manifest = await scene.ExportAsync();
        await pushing.Pusher.PushAsync(manifest.BatchId, lab.Location, "items/x", default);
        await lab.PlantAsync("items/x/notes of the consumer.txt", [1]);
        await scene.Client.RevokeAsync(manifest.BatchId, "wrong prices");
        var location = new EventfulLocation(lab.Location);

        var batch = await scene.Client.GetBatchAsync(manifest.BatchId);
        var note = new RemovalNote(batch.State, batch.Reason, batch.EndedAt);

        var removed = await pushing.Pusher.RemoveAsync(location, "items/x", note, default);

        Assert.Equal((manifest.BatchId, manifest.Files.Count), (removed!.BatchId, removed.Files.Count));
        Assert.Equal(["-_SUCCESS", "+_REVOKED", "-manifest.json"], location.Changes.Take(3));
        await lab.Location.DeleteAsync("items/x", ["notes of the consumer.txt"], default); // it was left alone
        var before = await OnlyTheReasonIsLeftAsync(lab, manifest, "wrong prices");
        await pushing.Pusher.RemoveAsync(location, "items/x", note, default);
        Assert.Equal(before, await OnlyTheReasonIsLeftAsync(lab, manifest, "wrong prices"));
    }

    [Fact]
    public async Task Leaves_folders_alone_that_are_not_its_own()
    {
        await using var lab = await servers.NewAsync("folder");
        using var pushing = scene.NewPushing();
        var (one, other) = (await scene.ExportAsync(), await scene.ExportAsync());
        await pushing.Pusher.PushAsync(one.BatchId, lab.Location, "items/x", default);
        await lab.PlantAsync("spark/_SUCCESS", []);
        await lab.PlantAsync("spark/part-00001.csv", [1]);
        var before = (await lab.SeenAsync()).Select(file => (file.Key, Pushing.Sha256(file.Value)));

        var failure = await Assert.ThrowsAsync<LocationException>(
            () => pushing.Pusher.PushAsync(other.BatchId, lab.Location, "items/x", default));
        Assert.Equal((LocationFailure.Taken, false), (failure.Reason, failure.IsTransient));
        Assert.Null(await pushing.Pusher.RemoveAsync(lab.Location, "spark", new(ExportState.Revoked, null, null), default));
        await scene.Client.RevokeAsync(other.BatchId);
        await Assert.ThrowsAsync<BatchRevokedException>(
            () => pushing.Pusher.PushAsync(other.BatchId, lab.Location, "items/x", default));

        Assert.Equal(before, (await lab.SeenAsync()).Select(file => (file.Key, Pushing.Sha256(file.Value))));
    }

    [Fact]
    public async Task Fails_clearly_where_there_is_no_room_and_ends_well_once_there_is()
    {
        await using var lab = await servers.NewAsync("folder");
        using var pushing = scene.NewPushing();
        var manifest = await scene.ExportAsync();
        var location = new EventfulLocation(lab.Location)
        {
            Writing = path => path.EndsWith(manifest.Files[1].Name, StringComparison.Ordinal)
                ? throw new LocationException(LocationFailure.Full, "full")
                : Task.CompletedTask,
        };

        var failure = await Assert.ThrowsAsync<LocationException>(
            () => pushing.Pusher.PushAsync(manifest.BatchId, location, "items/x", default));

        Assert.True(failure.IsTransient);
        Assert.DoesNotContain("items/x/_SUCCESS", (await lab.SeenAsync()).Keys);
        location.Writing = _ => Task.CompletedTask;
        Assert.Equal(manifest.Files.Count - 1, (await pushing.Pusher.PushAsync(
            manifest.BatchId, location, "items/x", default)).FilesWritten);
        Assert.Equal(Names(manifest), (await lab.SeenAsync()).Keys);
    }

    private static IEnumerable<string> Names(Manifest manifest) =>
        manifest.Files.Select(file => file.Name).Concat([".claimcheck", "_SUCCESS", "manifest.json"])
            .Select(name => $"items/x/{name}").Order(StringComparer.Ordinal);

    private static async Task<string> OnlyTheReasonIsLeftAsync(LocationLab lab, Manifest manifest, string reason)
    {
        var seen = await lab.SeenAsync();
        Assert.Equal(["items/x/.claimcheck", "items/x/_REVOKED"], seen.Keys);
        var mark = JsonSerializer.Deserialize<RevokedMark>(seen["items/x/_REVOKED"], ClaimCheckJson.Options)!;
        Assert.Equal((manifest.BatchId, "revoked", reason), (mark.BatchId, mark.State, mark.Reason));
        Assert.NotNull(mark.RevokedAt);
        return Pushing.Sha256(seen["items/x/_REVOKED"]);
    }
}
